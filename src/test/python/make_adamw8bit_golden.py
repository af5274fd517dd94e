"""Makes src/test/resources/golden/adamw8bit.safetensors: what bitsandbytes' AdamW8bit makes of given
gradients in ten steps.

    peers/bin/python src/test/python/make_adamw8bit_golden.py

Its CPU library (0.50.2) rounds what is small in a block up to the seventh value where all are
positive, 0 included; its own formula for other dtypes, the nearest value, takes its place here.
"""
import pathlib

import bitsandbytes as bnb
import bitsandbytes.backends.cpu.ops as cpu
import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "adamw8bit.safetensors"
STEPS, N = 10, 5000  # the last block of 256 is not full



def nearest(values, code, absmax_out, out, blocksize):
    """What bitsandbytes::quantize_blockwise falls back on."""
    for i in range(0, values.numel(), blocksize):
        block = values[i:i + blocksize]
        absmax_out[i // blocksize] = block.abs().max()
        scaled = block * (1 / absmax_out[i // blocksize])
        out[i:i + blocksize] = (scaled.unsqueeze(-1) - code).abs().argmin(-1).to(torch.uint8)


cpu._quant_blockwise_fp32_direct = nearest
torch.manual_seed(11)
p = torch.nn.Parameter(torch.randn(N))
tensors = {"start": p.detach().clone()}
# Gradients of many sizes, none so small beside its block's that its square is rounded to 0: there we
# differ on purpose. Some are always 0.
size = 10 ** torch.empty(N).uniform_(-1.5, 0)
size[100:120] = 0
optimizer = bnb.optim.AdamW8bit([p], lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
grads = []
for _ in range(STEPS):
    p.grad = (torch.randn(N) * size).contiguous()
    grads.append(p.grad.clone())
    optimizer.step()
tensors["grads"] = torch.stack(grads)
tensors["final"] = p.detach().clone()
state = optimizer.state[p]
tensors["m"] = state["state1"]
tensors["v"] = state["state2"]
tensors["codes"] = torch.cat([state["qmap1"], state["qmap2"]])
save_file({k: v.contiguous() for k, v in tensors.items()}, OUT)
print({k: (tuple(v.shape), v.dtype) for k, v in tensors.items()})
