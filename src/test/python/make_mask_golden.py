"""The golden file of masked losses.

    python src/test/python/make_mask_golden.py src/test/resources/golden/mask.safetensors

A mask is averaged to the latents' size as kohya's scripts do (torch's area interpolation), counts at
least unmasked_weight as OneTrainer clamps it, and multiplies the squared error before the mean. For
two images: the masks [B, H, W] in 1/255, what they are at the latents' size, the loss and its gradient.
"""

import sys

import torch
from safetensors.torch import save_file

BATCH, CHANNELS, HEIGHT, WIDTH, FACTOR, LEAST = 2, 4, 5, 7, 8, 0.1

torch.manual_seed(29)
mask = (torch.rand(BATCH, 1, HEIGHT * FACTOR, WIDTH * FACTOR) * 3 - 1).clamp(0, 1)
mask[1, :, :20] = 0
mask = (mask * 255).round() / 255
prediction = torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH, requires_grad=True)
target = torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH)
weights = torch.tensor([1.0, 0.5])

shares = torch.nn.functional.interpolate(mask, size=(HEIGHT, WIDTH), mode="area")
each = torch.nn.functional.mse_loss(prediction, target, reduction="none")
each = (each * shares.clamp(LEAST, 1)).mean([1, 2, 3])
loss = (each * weights).mean()
loss.backward()


def nhwc(x):
    return x.detach().permute(0, 2, 3, 1).reshape(-1, x.shape[1]).contiguous()


save_file({"mask": mask[:, 0].contiguous(), "shares": shares[:, 0].contiguous(),
           "prediction": nhwc(prediction), "target": nhwc(target), "weights": weights,
           "losses": each.detach(), "loss": loss.detach().reshape(1),
           "gradient": nhwc(prediction.grad)}, sys.argv[1])
