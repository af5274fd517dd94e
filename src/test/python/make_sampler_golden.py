"""Trajectories of diffusers' samplers over a model that is a formula.

    python src/test/python/make_sampler_golden.py src/test/resources/golden/samplers.safetensors

The model predicts 0.6 x + 0.2 sin(x + t / 100), in f64 from f32 latents; the Java test has the same.
"""

import sys

import numpy as np
import torch
from diffusers import (DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler)
from safetensors.torch import save_file

CONFIG = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012,
              beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1)
KINDS = {
    "ddim": (DDIMScheduler, dict(clip_sample=False, set_alpha_to_one=False)),
    "euler": (EulerDiscreteScheduler, {}),
    "euler_a": (EulerAncestralDiscreteScheduler, {}),
    "dpmpp_2m": (DPMSolverMultistepScheduler, {}),
    "dpmpp_2m_karras": (DPMSolverMultistepScheduler, dict(use_karras_sigmas=True)),
}


def model(x, t):
    x = x.double()
    return (0.6 * x + 0.2 * torch.sin(x + float(t) / 100)).float()


def main(path):
    torch.manual_seed(3)
    start = torch.randn(64)
    noise = torch.randn(30, 64)
    golden = {"start": start, "noise": noise}
    for name, (kind, extra) in KINDS.items():
        for prediction in ("epsilon", "v_prediction"):
            for steps in (1, 7, 25):
                s = kind(**CONFIG, **extra, prediction_type=prediction)
                s.set_timesteps(steps)
                x = start * s.init_noise_sigma
                for i, t in enumerate(s.timesteps):
                    output = model(s.scale_model_input(x, t), t)
                    if name == "euler_a":
                        import diffusers.schedulers.scheduling_euler_ancestral_discrete as m
                        m.randn_tensor = lambda *a, **k: noise[i]
                    x = s.step(output, t, x).prev_sample
                golden[f"{name}.{prediction}.{steps}"] = x.float()
    save_file(golden, path)


if __name__ == "__main__":
    main(sys.argv[1])
