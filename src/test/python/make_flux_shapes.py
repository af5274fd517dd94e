"""Configs of the real FLUX.1 models, and the names and shapes of their tensors.

    python src/test/python/make_flux_shapes.py src/test/resources/shapes

As make_sd3_shapes.py, from the numbers that Black Forest Labs published.
"""

import torch
from diffusers import FluxTransformer2DModel
from transformers import CLIPTextConfig, CLIPTextModel

from real_parts import t5, vae, write

with torch.device("meta"):
    clip = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
                          num_attention_heads=12, hidden_act="quick_gelu", projection_dim=768)
    clip.architectures = ["CLIPTextModel"]
    write("flux-dev", "FluxPipeline",
          {"transformer": FluxTransformer2DModel(guidance_embeds=True), "vae": vae(0.3611, 0.1159),
           "text_encoder": CLIPTextModel(clip), "text_encoder_2": t5()},
          shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, base_image_seq_len=256,
          max_image_seq_len=4096)
