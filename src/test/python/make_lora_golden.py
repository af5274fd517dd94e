"""Random adapters of the demo model in the formats of other tools, and what diffusers draws with them.

    python src/test/python/make_lora_golden.py models/emoji-sd src/test/resources/golden/lora

diffusers.safetensors (UNet and text encoder, alpha 8 of rank 4, by save_lora_weights), the same as
kohya.safetensors, unet/ (a PEFT folder, UNet alone), and images.safetensors: "diffusers" and "kohya"
at scale 0.8, "mixed" with the PEFT folder at 0.5 beside it. The UNet's part is loaded by
load_lora_weights; the text encoder's is added to its weights here, since the pinned peft is too old
for transformers 5.
"""

import json
import pathlib
import sys

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

UNET = ["to_q", "to_k", "to_v", "to_out.0"]


def pipeline(base):
    pipe = StableDiffusionPipeline.from_pretrained(base, torch_dtype=torch.float32)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def randomize(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.copy_((torch.randn_like(p) * 0.15).half().float())


def draw(pipe, noise):
    image = pipe("grinning face", latents=noise.clone(), num_inference_steps=4, guidance_scale=4.0,
                 height=64, width=64, output_type="np").images[0]
    return torch.tensor(image).contiguous()


def main(base, out):
    out.mkdir(parents=True, exist_ok=True)
    noise = load_file(out.parent / "emoji.safetensors")["latents"]
    torch.manual_seed(11)
    pipe = pipeline(base)
    pipe.unet.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=UNET))
    randomize(pipe.unet)
    unet = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipe.unet))
    text = {}
    for name, module in pipe.text_encoder.named_modules():
        if name.endswith(("q_proj", "fc1")):
            name = name.replace("text_model.", "")
            text[f"text_model.{name}.lora_A.weight"] = \
                (torch.randn(4, module.in_features) * 0.15).half().float()
            text[f"text_model.{name}.lora_B.weight"] = \
                (torch.randn(module.out_features, 4) * 0.15).half().float()
    config = dict(r=4, lora_alpha=8, target_modules=UNET)
    StableDiffusionPipeline.save_lora_weights(
        out, unet, text, weight_name="diffusers.safetensors", unet_lora_adapter_metadata=config,
        text_encoder_lora_adapter_metadata=dict(config, target_modules=["q_proj", "fc1"]))
    kohya = {}
    for prefix, state in (("lora_unet_", get_peft_model_state_dict(pipe.unet)),
                          ("lora_te_", text)):
        for key, value in state.items():
            path, kind = key.replace(".weight", "").rsplit(".lora_", 1)
            name = prefix + path.replace(".", "_")
            kohya[f"{name}.lora_{'down' if kind == 'A' else 'up'}.weight"] = value.half()
            kohya[name + ".alpha"] = torch.tensor(8.0).half()
    save_file(kohya, out / "kohya.safetensors",
              {"ss_network_dim": "4", "ss_network_alpha": "8", "ss_network_module": "networks.lora"})

    second = get_peft_model(pipeline(base).unet,
                            LoraConfig(r=3, lora_alpha=6, target_modules=["to_q", "ff.net.2"]))
    randomize(second)
    second.save_pretrained(out / "unet")
    (out / "unet" / "README.md").unlink(missing_ok=True)

    def loaded(scale):
        fresh = pipeline(base)
        fresh.load_lora_weights(
            {"unet." + k.removeprefix("unet."): v for k, v in unet.items()}, adapter_name="one")
        with torch.no_grad():
            for name, module in fresh.text_encoder.named_modules():
                key = "text_model." + name.replace("text_model.", "") + ".lora_"
                if key + "A.weight" in text:
                    module.weight += scale * 2 * text[key + "B.weight"] @ text[key + "A.weight"]
        return fresh

    images = {}
    one = loaded(0.8)
    one.set_adapters(["one"], [1.6])  # without metadata alpha is taken for the rank
    images["one"] = draw(one, noise)
    both = loaded(0.8)
    state = load_file(out / "unet" / "adapter_model.safetensors")
    both.load_lora_weights({k.replace("base_model.model.", "unet."): v for k, v in state.items()},
                           adapter_name="two")
    # Alphas are twice the ranks: 0.8 and 0.5 are set as their doubles.
    both.set_adapters(["one", "two"], [1.6, 1.0])
    images["mixed"] = draw(both, noise)
    save_file(images, out / "images.safetensors")
    plain = draw(pipeline(base), noise)
    for name, image in images.items():
        print(name, "differs from the base by", (image - plain).abs().mean().item())
    print(json.dumps({k: list(v.shape) for k, v in list(kohya.items())[:3]}))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
