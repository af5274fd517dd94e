"""Flow matching as diffusers computes it: samplers' trajectories and weights of timesteps.

    python src/test/python/make_flow_golden.py src/test/resources/golden/flow.safetensors

The model predicts 0.6 x + 0.2 sin(x + t / 100), in f64 from f32 latents; the Java test has the same.
Names are sampler.shift.steps. Beside them the weights of sigmas (compute_loss_weighting_for_sd3), the
sigmas that its mode sampling makes of uniform numbers, and shifts by an image's size as FLUX's pipeline
computes them (calculate_shift, time_shift).
"""

import math
import sys

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from diffusers.training_utils import (compute_density_for_timestep_sampling,
                                      compute_loss_weighting_for_sd3)
from safetensors.torch import save_file

KINDS = {"euler": FlowMatchEulerDiscreteScheduler, "heun": FlowMatchHeunDiscreteScheduler}


def model(x, t):
    x = x.double()
    return (0.6 * x + 0.2 * torch.sin(x + float(t) / 100)).float()


def walk(kind, shift, steps, start):
    s = KINDS[kind](num_train_timesteps=1000, shift=shift)
    s.set_timesteps(steps)
    x = start
    for t in s.timesteps:
        x = s.step(model(x, t), t, x).prev_sample
    return x.float()


def flux_walk(side, steps, start):
    """As FluxPipeline tells its scheduler, for latents of side x side."""
    s = FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True)
    s.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=calculate_shift(side * side // 4))
    x = start
    for t in s.timesteps:
        x = s.step(model(x, t), t, x).prev_sample
    return x.float()


torch.manual_seed(11)
start = torch.randn(1, 3, 5, 4)
golden = {"start": start}
for kind in KINDS:
    for shift in (1.0, 3.0):
        for steps in (1, 2, 7, 28):
            golden[f"{kind}.{shift}.{steps}"] = walk(kind, shift, steps, start)
for side in (32, 128):
    for steps in (1, 4, 28):
        golden[f"flux.{side}.{steps}"] = flux_walk(side, steps, start)
sigmas = torch.tensor([0.01, 0.2, 0.5, 0.77, 0.999])
golden["sigmas"] = sigmas
for scheme in ("sigma_sqrt", "cosmap"):
    golden["weights." + scheme] = compute_loss_weighting_for_sd3(scheme, sigmas)
uniform = torch.tensor([0.0, 0.1, 0.37, 0.5, 0.81, 0.99])
golden["uniform"] = uniform
torch.rand = lambda *a, **k: uniform
golden["mode"] = compute_density_for_timestep_sampling("mode", len(uniform), mode_scale=1.29)
for side in (64, 128, 192):
    mu = calculate_shift(side * side // 4)
    golden[f"by_size.{side}"] = math.exp(mu) / (math.exp(mu) + 1 / sigmas - 1)
save_file({k: v.contiguous() for k, v in golden.items()}, sys.argv[1])
