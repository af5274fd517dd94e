"""Configs of the real FLUX.1 models, and the names and shapes of their tensors.

    python src/test/python/make_flux_shapes.py src/test/resources/shapes

As make_sd3_shapes.py, from the numbers that Black Forest Labs published.
"""

import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from real_parts import part

MODELS = {
    "flux-dev": (True, {"shift": 3.0, "use_dynamic_shifting": True, "base_shift": 0.5,
                        "max_shift": 1.15, "base_image_seq_len": 256, "max_image_seq_len": 4096}),
}

with torch.device("meta"):
    for name, (guidance, scheduler) in MODELS.items():
        clip = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
                              num_attention_heads=12, hidden_act="quick_gelu", projection_dim=768)
        clip.architectures = ["CLIPTextModel"]
        t5 = T5Config(vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
                      feed_forward_proj="gated-gelu")
        t5.architectures = ["T5EncoderModel"]
        parts = {
            "transformer": FluxTransformer2DModel(guidance_embeds=guidance),
            "vae": AutoencoderKL(
                latent_channels=16, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4, sample_size=1024, use_quant_conv=False,
                use_post_quant_conv=False, scaling_factor=0.3611, shift_factor=0.1159),
            "text_encoder": CLIPTextModel(clip),
            "text_encoder_2": T5EncoderModel(t5),
        }
        out = pathlib.Path(sys.argv[1]) / (name + ".json")
        text = json.dumps({
            "index": {"_class_name": "FluxPipeline"},
            "scheduler": {"_class_name": "FlowMatchEulerDiscreteScheduler",
                          "num_train_timesteps": 1000} | scheduler,
            "parts": {n: part(m) for n, m in parts.items()}}, separators=(",", ":"))
        out.write_text(text.replace("],", "],\n") + "\n")
