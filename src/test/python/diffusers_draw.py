"""A picture that diffusers draws with an adapter, as DiffusersTest asks for it.

    python src/test/python/diffusers_draw.py BASE LATENTS.safetensors ADAPTER OUT.safetensors

Loads the adapter by load_lora_weights, or a folder by PEFT, and draws "grinning face", 64 x 64, in 4
steps at guidance 4, of DDIM where the base has a noise schedule, else of its own scheduler, from the
tensor "latents"; writes "picture" [64, 64, 3], f32 in [0, 1].
"""

import pathlib
import sys

import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from peft import PeftModel
from safetensors.torch import load_file, save_file

base, latents, adapter, out = sys.argv[1:]
pipe = DiffusionPipeline.from_pretrained(base, torch_dtype=torch.float32)
denoiser = "unet" if hasattr(pipe, "unet") else "transformer"
if denoiser == "unet":
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
pipe.set_progress_bar_config(disable=True)
if pathlib.Path(adapter).is_dir():
    whole = PeftModel.from_pretrained(getattr(pipe, denoiser), adapter).merge_and_unload()
    setattr(pipe, denoiser, whole)
else:
    pipe.load_lora_weights(adapter)
if hasattr(pipe, "_prepare_attention_mask"):  # Chroma's: numbers that torch would add to scores
    numbers = pipe._prepare_attention_mask
    pipe._prepare_attention_mask = lambda **given: numbers(**given).bool()
start = load_file(latents)["latents"]
if hasattr(pipe, "_pack_latents"):  # FLUX's pipeline wants tokens
    start = pipe._pack_latents(start, *start.shape)
picture = pipe(
    "grinning face",
    latents=start,
    num_inference_steps=4,
    # Z-Image's pipeline counts from the prompt's answer on, the others from the negative one's.
    guidance_scale=3.0 if type(pipe).__name__ == "ZImagePipeline" else 4.0,
    height=64,
    width=64,
    output_type="np",
).images[0]
save_file({"picture": torch.tensor(picture).contiguous()}, out)
