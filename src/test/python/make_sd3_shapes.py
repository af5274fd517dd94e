"""Configs of real Stable Diffusion 3.5 models, and the names and shapes of their tensors.

    python src/test/python/make_sd3_shapes.py src/test/resources/shapes

diffusers and transformers build each part on the meta device, from the numbers that Stability AI
published with it; RandomModel writes such folders without numbers.
"""

import torch
from diffusers import SD3Transformer2DModel
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from real_parts import t5, vae, write

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
        parts = {
            "transformer": SD3Transformer2DModel(
                sample_size=128, attention_head_dim=64,
                caption_projection_dim=64 * numbers["num_attention_heads"], qk_norm="rms_norm",
                **numbers),
            "vae": vae(1.5305, 0.0609),
            "text_encoder": clip(768, 12, 12, "quick_gelu"),
            "text_encoder_2": clip(1280, 32, 20, "gelu"),
            "text_encoder_3": t5(),
        }
        write(name, "StableDiffusion3Pipeline", parts, shift=3.0)
