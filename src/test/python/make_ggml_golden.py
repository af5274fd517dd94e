"""golden/ggml_blocks.safetensors: rows of numbers, and what ggml quantizes them to.

    python -m venv peers && peers/bin/pip install llama-cpp-python==0.3.36 numpy safetensors
    peers/bin/python src/test/python/make_ggml_golden.py
"""

import ctypes
from pathlib import Path

import llama_cpp
import numpy as np
from safetensors.numpy import save_file

OUT = Path(__file__).parents[1] / "resources" / "golden" / "ggml_blocks.safetensors"
TYPES = {  # ggml's id, bytes and elements of a block
    "Q4_0": (2, 18, 32),
    "Q4_1": (3, 20, 32),
    "Q5_0": (6, 22, 32),
    "Q5_1": (7, 24, 32),
    "Q8_0": (8, 34, 32),
    "Q4_K": (12, 144, 256),
    "Q5_K": (13, 176, 256),
    "Q6_K": (14, 210, 256),
}

library = next((Path(llama_cpp.__file__).parent / "lib").glob("libggml-base.so"))
quantize = ctypes.CDLL(str(library)).ggml_quantize_chunk
quantize.restype = ctypes.c_size_t
quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + 3 * [ctypes.c_int64] + [
    ctypes.c_void_p
]

random = np.random.default_rng(7)
x = np.stack(
    [
        random.normal(0, 0.02, 512),  # as weights are
        random.standard_t(4, 512) * 0.03,  # with outliers
        random.normal(0.01, 0.05, 512) * np.repeat(random.lognormal(0, 1, 16), 32),
        np.abs(random.normal(0, 1, 512)),  # of one sign
        random.uniform(-3e-3, 3e-3, 512),
        np.concatenate([np.zeros(256), random.normal(0, 1, 256)]),
    ]
).astype(np.float32)
out = {"x": x}
for name, (ident, size, elements) in TYPES.items():
    blocks = np.zeros(x.size // elements * size, np.uint8)
    quantize(ident, x.ctypes.data, blocks.ctypes.data, 0, *x.shape, None)
    out[name] = blocks
save_file(out, OUT)
