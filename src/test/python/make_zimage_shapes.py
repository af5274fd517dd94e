"""Config of the real Z-Image-Turbo, and the names and shapes of its tensors.

    python src/test/python/make_zimage_shapes.py src/test/resources/shapes

As make_sd3_shapes.py, from the numbers that are diffusers' defaults and those of Qwen3-4B.
"""

import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, ZImageTransformer2DModel
from transformers import Qwen3Config, Qwen3ForCausalLM

from real_parts import part

with torch.device("meta"):
    text = Qwen3Config(vocab_size=151936, hidden_size=2560, intermediate_size=9728, num_hidden_layers=36,
                       num_attention_heads=32, num_key_value_heads=8, head_dim=128,
                       max_position_embeddings=40960, rope_theta=1000000.0, tie_word_embeddings=True)
    text.architectures = ["Qwen3ForCausalLM"]
    parts = {
        "transformer": ZImageTransformer2DModel(),
        "vae": AutoencoderKL(
            latent_channels=16, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, sample_size=1024, use_quant_conv=False,
            use_post_quant_conv=False, scaling_factor=0.3611, shift_factor=0.1159),
        "text_encoder": Qwen3ForCausalLM(text),
    }
    whole = json.dumps({
        "index": {"_class_name": "ZImagePipeline"},
        "scheduler": {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000,
                      "shift": 3.0},
        "parts": {n: part(m) for n, m in parts.items()}}, separators=(",", ":"))
    out = pathlib.Path(sys.argv[1]) / "zimage-turbo.json"
    out.write_text(whole.replace("],", "],\n") + "\n")
