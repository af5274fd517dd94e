"""Makes src/test/resources/golden/optimizers/NAME.safetensors: what the reference implementation of
each optimizer makes of given gradients in ten steps.

    peers/bin/python src/test/python/make_optimizer_golden.py

Three layers' A and B, and the third's magnitudes, a vector as DoRA has it; gradients are clipped to 2
as torch clips them. The second layer learns a quarter as fast where the optimizer knows several
rates. The learning rate is another at each step. adamw_ema: the average that diffusers keeps beside
torch's AdamW; its decay is reached in the sixth step.
"""
import pathlib

import torch
from came_pytorch import CAME
from diffusers.training_utils import EMAModel
from lion_pytorch import Lion
from prodigyopt import Prodigy
from safetensors.torch import save_file
from schedulefree import AdamWScheduleFree
from transformers.optimization import Adafactor

OUT = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "optimizers"
STEPS, RANK, MAX_NORM = 10, 4, 2.0
LAYERS = [(33, 20), (300, 17), (40, 23)]  # in, out


def lion(groups):
    return Lion(groups, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)


def schedule_free_adamw(groups):
    return AdamWScheduleFree(groups, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)


def prodigy(groups):
    return Prodigy(groups, lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)


def prodigy_warmup(groups):
    return Prodigy(groups, lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, safeguard_warmup=True)


def adafactor(groups):
    return Adafactor(groups, lr=1e-2, weight_decay=0.1, scale_parameter=False, relative_step=False)


def came(groups):
    return CAME(groups, lr=1e-2, betas=(0.9, 0.999, 0.9999), weight_decay=0.1)


def adamw_ema(groups):
    return torch.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)


def make(build, rates, drift=0.1, decay=0):
    torch.manual_seed(5)
    shapes = [s for n, m in LAYERS for s in ((RANK, n), (m, RANK))] + [(LAYERS[-1][1],)]
    params = [torch.nn.Parameter(torch.randn(s) * 0.3) for s in shapes]
    tensors = {f"start.{i}": p.detach().clone() for i, p in enumerate(params)}
    optimizer = build([{"params": params[:2]}, {"params": params[2:4]}, {"params": params[4:]}])
    base = optimizer.param_groups[0]["lr"]
    sizes = [10 ** torch.empty(s).uniform_(-2, 0) for s in shapes]
    grads = [[torch.randn(s) * size + drift * size for s, size in zip(shapes, sizes)] for _ in range(STEPS)]
    curves = []
    average = EMAModel(params, decay=decay) if decay else None
    if hasattr(optimizer, "train"):
        optimizer.train()
    for t in range(STEPS):
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = base * (1 + 0.1 * (t % 4)) * rate
        for p, g in zip(params, grads[t]):
            p.grad = g.clone()
        torch.nn.utils.clip_grad_norm_(params, MAX_NORM)
        optimizer.step()
        if average:
            average.step(params)
        curves.append(optimizer.param_groups[0].get("d", 0.0))
    for i in range(len(shapes)):
        tensors[f"grads.{i}"] = torch.stack([g[i] for g in grads])
        tensors[f"final.{i}"] = params[i].detach().clone()
    if hasattr(optimizer, "eval"):
        optimizer.eval()
        for i, p in enumerate(params):
            tensors[f"evaluated.{i}"] = p.detach().clone()
    if average:
        for i, p in enumerate(average.shadow_params):
            tensors[f"evaluated.{i}"] = p.clone()
    if isinstance(optimizer, Prodigy):
        tensors["d"] = torch.tensor(curves)
    print(build.__name__, {k: v.shape for k, v in tensors.items() if "grads" in k}, curves)
    OUT.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, OUT / f"{build.__name__}.safetensors")


make(lion, (1, 0.25, 1))
make(schedule_free_adamw, (1, 0.25, 1))
make(prodigy, (1, 1, 1), drift=2)  # goes one way, so that d grows
make(prodigy_warmup, (1, 1, 1), drift=2)
make(adafactor, (1, 0.25, 1))
make(came, (1, 0.25, 1))
make(adamw_ema, (1, 0.25, 1), decay=0.4)
