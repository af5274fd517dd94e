"""A tiny random FLUX.1 dev with tokenizers, as diffusers saves it, for DiffusersTest.

    python src/test/python/make_flux_base.py OUT
"""

import sys

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from transformers import CLIPTextModel

from diffusion_training import rounded
from tiny_parts import clip, clip_tokenizer, t5, t5_tokenizer, vae

torch.manual_seed(4)
tokenizer = clip_tokenizer()
FluxPipeline(
    transformer=rounded(FluxTransformer2DModel(
        in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=16,
        num_attention_heads=4, joint_attention_dim=48, pooled_projection_dim=24, guidance_embeds=True,
        axes_dims_rope=(4, 6, 6))),
    scheduler=FlowMatchEulerDiscreteScheduler(
        num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True),
    vae=vae(0.3611, 0.1159),
    text_encoder=clip(tokenizer, 24, "quick_gelu", CLIPTextModel), tokenizer=tokenizer,
    text_encoder_2=t5(), tokenizer_2=t5_tokenizer()).save_pretrained(sys.argv[1])
