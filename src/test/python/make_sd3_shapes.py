"""Configs of real Stable Diffusion 3.5 models, and the names and shapes of their tensors.

    python src/test/python/make_sd3_shapes.py src/test/resources/shapes

diffusers and transformers build each part on the meta device, from the numbers that Stability AI
published with it; RandomModel writes such folders without numbers.
"""

import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, T5Config, T5EncoderModel

from real_parts import part

MODELS = {
    "sd35-medium": dict(num_layers=24, num_attention_heads=24, pos_embed_max_size=384,
                        dual_attention_layers=tuple(range(13))),
    "sd35-large": dict(num_layers=38, num_attention_heads=38, pos_embed_max_size=192),
}


def clip(hidden, layers, heads, act):
    config = CLIPTextConfig(hidden_size=hidden, intermediate_size=4 * hidden,
                            num_hidden_layers=layers, num_attention_heads=heads, hidden_act=act,
                            projection_dim=hidden)
    config.architectures = ["CLIPTextModelWithProjection"]
    return CLIPTextModelWithProjection(config)


with torch.device("meta"):
    for name, numbers in MODELS.items():
        width = 64 * numbers["num_attention_heads"]
        t5 = T5Config(vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
                      feed_forward_proj="gated-gelu")
        t5.architectures = ["T5EncoderModel"]
        levels = ("DownEncoderBlock2D",) * 4
        parts = {
            "transformer": SD3Transformer2DModel(
                sample_size=128, attention_head_dim=64, caption_projection_dim=width,
                qk_norm="rms_norm", **numbers),
            "vae": AutoencoderKL(
                latent_channels=16, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
                down_block_types=levels, up_block_types=("UpDecoderBlock2D",) * 4,
                sample_size=1024, use_quant_conv=False, use_post_quant_conv=False,
                scaling_factor=1.5305, shift_factor=0.0609),
            "text_encoder": clip(768, 12, 12, "quick_gelu"),
            "text_encoder_2": clip(1280, 32, 20, "gelu"),
            "text_encoder_3": T5EncoderModel(t5),
        }
        out = pathlib.Path(sys.argv[1]) / (name + ".json")
        out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({
            "index": {"_class_name": "StableDiffusion3Pipeline"},
            "scheduler": {"_class_name": "FlowMatchEulerDiscreteScheduler",
                          "num_train_timesteps": 1000, "shift": 3.0},
            "parts": {n: part(m) for n, m in parts.items()}}, separators=(",", ":"))
        out.write_text(text.replace("],", "],\n") + "\n")
