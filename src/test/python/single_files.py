"""Names of checkpoints of one file that their authors' code gives."""

import re

import torch

VAE_NAMES = [
    (r"mid_block\.resnets\.0", "mid.block_1"), (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0\.group_norm", "mid.attn_1.norm"),
    (r"mid_block\.attentions\.0\.to_([qkv])", r"mid.attn_1.\1"),
    (r"mid_block\.attentions\.0\.to_out\.0", "mid.attn_1.proj_out"),
    (r"conv_norm_out", "norm_out"), (r"conv_shortcut", "nin_shortcut"),
    (r"down_blocks\.(\d+)\.resnets", r"down.\1.block"),
    (r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample"),
    (r"up_blocks\.0\.", "up.1."), (r"up_blocks\.1\.", "up.0."),
    (r"(up\.\d)\.resnets", r"\1.block"), (r"(up\.\d)\.upsamplers\.0", r"\1.upsample"),
]


def exchanged(x):
    return torch.cat(x.chunk(2)[::-1])


def original_vae(s):
    o = {}
    for name, x in s.items():
        attention = "attentions.0.to_" in name and name.endswith(".weight")
        for pattern, by in VAE_NAMES:
            name = re.sub(pattern, by, name)
        o[name] = x[:, :, None, None] if attention else x
    return o
