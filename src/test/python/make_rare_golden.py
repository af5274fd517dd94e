"""golden/rare_blocks.safetensors: blocks of GGUF's rarer types, of random bits, and the numbers that gguf's own
dequantization makes of them.

    peers/bin/python src/test/python/make_rare_golden.py
"""
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize
from safetensors.numpy import save_file

OUT = Path(__file__).parents[1] / "resources" / "golden" / "rare_blocks.safetensors"
SCALES = {"Q2_K": (80, 82), "Q3_K": (108,), "IQ4_NL": (0,), "IQ4_XS": (0,)}  # where f16 stand
ROWS = 12

random = np.random.default_rng(11)
out = {}
for name, scales in SCALES.items():
    kind = GGMLQuantizationType[name]
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (ROWS, 512 // elements, size), np.uint8)
    for at in scales:
        d = (random.standard_normal(blocks.shape[:2]) * 0.01).astype(np.float16)
        blocks[:, :, at : at + 2] = d[..., None].view(np.uint8)
    rows = blocks.reshape(ROWS, -1)
    out[name] = rows
    out[name + ".numbers"] = dequantize(rows, kind).astype(np.float32)
save_file(out, OUT)
