"""A tiny random Stable Diffusion 3.5 with tokenizers, as diffusers saves it, for DiffusersTest.

    python src/test/python/make_sd3_base.py OUT
"""

import sys

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

from diffusion_training import rounded
from tiny_parts import clip, clip_tokenizer, t5, t5_tokenizer, vae

torch.manual_seed(3)
tokenizer = clip_tokenizer()
StableDiffusion3Pipeline(
    transformer=rounded(SD3Transformer2DModel(
        sample_size=32, in_channels=4, out_channels=4, num_layers=3, attention_head_dim=16,
        num_attention_heads=4, joint_attention_dim=48, caption_projection_dim=64,
        pooled_projection_dim=44, pos_embed_max_size=24, qk_norm="rms_norm",
        dual_attention_layers=(0, 1))),
    scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0),
    vae=vae(1.5305, 0.0609),
    text_encoder=clip(tokenizer, 24, "quick_gelu"), tokenizer=tokenizer,
    text_encoder_2=clip(tokenizer, 20, "gelu"), tokenizer_2=tokenizer,
    text_encoder_3=t5(), tokenizer_3=t5_tokenizer()).save_pretrained(sys.argv[1])
