"""A tiny random Chroma with its tokenizer, as diffusers saves it, for DiffusersTest.

    python src/test/python/make_chroma_base.py OUT
"""

import sys

import torch
from diffusers import ChromaPipeline, ChromaTransformer2DModel, FlowMatchEulerDiscreteScheduler

from diffusion_training import rounded
from tiny_parts import t5, t5_tokenizer, vae

torch.manual_seed(6)
ChromaPipeline(
    transformer=rounded(ChromaTransformer2DModel(
        in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=16,
        num_attention_heads=4, joint_attention_dim=48, axes_dims_rope=(4, 6, 6),
        approximator_num_channels=16, approximator_hidden_dim=32, approximator_layers=2)),
    scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=1.0),
    vae=vae(0.3611, 0.1159), text_encoder=t5(), tokenizer=t5_tokenizer()).save_pretrained(sys.argv[1])
