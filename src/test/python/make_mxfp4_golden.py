"""gpt-oss's packed floats of 4 bits, and what transformers makes of them.

    peers/bin/python src/test/python/make_mxfp4_golden.py
"""

import json
import pathlib

import torch
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

OUT = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "mxfp4"
OUT.mkdir(parents=True, exist_ok=True)
torch.manual_seed(4)
EXPERTS, ROWS, GROUPS = 2, 3, 2
blocks = torch.randint(0, 256, (EXPERTS, ROWS, GROUPS, 16), dtype=torch.uint8)
scales = torch.randint(100, 140, (EXPERTS, ROWS, GROUPS), dtype=torch.uint8)
scales[0, 0, 0], scales[1, 2, 1] = 1, 200
numbers = convert_moe_packed_tensors(blocks.clone(), scales.clone(), dtype=torch.float32)
# It gives [experts, in, out]; what is stored is [experts, out, in].
numbers = numbers.transpose(1, 2).reshape(EXPERTS, ROWS, GROUPS * 32)
(OUT / "packed.json").write_text(json.dumps(dict(
    blocks=blocks.flatten().tolist(), scales=scales.flatten().tolist(), numbers=numbers.flatten().tolist())) + "\n")
