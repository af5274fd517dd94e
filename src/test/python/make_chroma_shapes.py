"""Config of the real Chroma, and the names and shapes of its tensors.

    python src/test/python/make_chroma_shapes.py src/test/resources/shapes

As make_sd3_shapes.py, from the numbers that are diffusers' defaults.
"""

import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, ChromaTransformer2DModel
from transformers import T5Config, T5EncoderModel

from real_parts import part

with torch.device("meta"):
    t5 = T5Config(vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
                  feed_forward_proj="gated-gelu")
    t5.architectures = ["T5EncoderModel"]
    parts = {
        "transformer": ChromaTransformer2DModel(),
        "vae": AutoencoderKL(
            latent_channels=16, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, sample_size=1024, use_quant_conv=False,
            use_post_quant_conv=False, scaling_factor=0.3611, shift_factor=0.1159),
        "text_encoder": T5EncoderModel(t5),
    }
    text = json.dumps({
        "index": {"_class_name": "ChromaPipeline"},
        "scheduler": {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000,
                      "shift": 1.0},
        "parts": {n: part(m) for n, m in parts.items()}}, separators=(",", ":"))
    out = pathlib.Path(sys.argv[1]) / "chroma.json"
    out.write_text(text.replace("],", "],\n") + "\n")
