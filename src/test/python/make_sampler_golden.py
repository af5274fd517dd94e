"""Trajectories of diffusers' samplers over a model that is a formula.

    python src/test/python/make_sampler_golden.py src/test/resources/golden/samplers.safetensors

The model predicts 0.6 x + 0.2 sin(x + t / 100), in f64 from f32 latents; the Java test has the same.
Names are sampler.prediction.spacing.steps, with ".zero" where the schedule ends in pure noise. Beside
them the weights of timesteps: min-SNR (gamma 5) as diffusers' scripts make them of its compute_snr,
debiased estimation as kohya's scripts do.
"""

import sys

import numpy as np
import torch
from diffusers import (DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler,
                       EulerAncestralDiscreteScheduler, EulerDiscreteScheduler)
from diffusers.training_utils import compute_snr
from safetensors.torch import save_file

CONFIG = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012,
              beta_schedule="scaled_linear", steps_offset=1)
WEIGHED = [0, 1, 17, 500, 997, 998, 999]
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


def walk(name, config, steps, start, noise):
    kind, extra = KINDS[name]
    s = kind(**CONFIG, **extra, **config)
    s.set_timesteps(steps)
    if hasattr(s, "set_begin_index"):
        s.set_begin_index(0)  # else it looks for a timestep that Karras' sigmas may hold twice
    x = start * s.init_noise_sigma
    for i, t in enumerate(s.timesteps):
        output = model(s.scale_model_input(x, t), t)
        if name == "euler_a":
            import diffusers.schedulers.scheduling_euler_ancestral_discrete as m
            m.randn_tensor = lambda *a, **k: noise[i]
        x = s.step(output, t, x).prev_sample
    return x.float()


def weights(prediction, zero):
    t = torch.tensor(WEIGHED)
    snr = compute_snr(DDPMScheduler(**CONFIG, rescale_betas_zero_snr=zero), t)
    velocity = prediction == "v_prediction"
    least = torch.minimum(snr, torch.full_like(snr, 5))
    min_snr = least / (snr + 1) if velocity else least / snr
    capped = torch.minimum(snr, torch.full_like(snr, 1000))
    debiased = 1 / (capped + 1) if velocity else 1 / capped.sqrt()
    return min_snr.nan_to_num(nan=1), debiased  # 0/0: the limit


def main(path):
    torch.manual_seed(3)
    start = torch.randn(64)
    noise = torch.randn(30, 64)
    golden = {"start": start, "noise": noise, "weight_timesteps": torch.tensor(WEIGHED).float()}
    for zero in (False, True):
        end = ".zero" if zero else ""
        for prediction in ("epsilon", "v_prediction"):
            min_snr, debiased = weights(prediction, zero)
            golden[f"min_snr.{prediction}{end}"] = min_snr
            golden[f"debiased.{prediction}{end}"] = debiased
            for spacing in ("leading", "linspace", "trailing"):
                config = dict(prediction_type=prediction, timestep_spacing=spacing,
                              rescale_betas_zero_snr=zero)
                for name in KINDS:
                    for steps in (1, 7, 25) + ((500,) if zero and name != "euler_a" else ()):
                        x = walk(name, config, steps, start, noise)
                        if x.isfinite().all():  # DDIM's noise prediction at zero SNR is not
                            golden[f"{name}.{prediction}.{spacing}.{steps}{end}"] = x
                        else:
                            print("not finite:", name, prediction, spacing, steps, end)
    save_file(golden, path)


if __name__ == "__main__":
    main(sys.argv[1])
