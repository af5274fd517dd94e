"""Loads a converted adapter in diffusers, text encoder included, and compares what the UNet and the
text encoder compute with the original's.

    python src/test/python/check_lora.py models/emoji-sd ORIGINAL.safetensors CONVERTED.safetensors...

An alpha in the metadata is read by diffusers; the files that this project writes need none.
"""

import pathlib
import sys

import torch
from diffusers import StableDiffusionPipeline


def outputs(base, path):
    pipe = StableDiffusionPipeline.from_pretrained(base, torch_dtype=torch.float32)
    path = pathlib.Path(path)
    pipe.load_lora_weights(path.parent, weight_name=path.name)
    torch.manual_seed(0)
    with torch.no_grad():
        ids = torch.randint(0, pipe.text_encoder.config.vocab_size, (1, 77))
        text = pipe.text_encoder(ids).last_hidden_state
        return text, pipe.unet(torch.randn(1, 4, 16, 16), 500, torch.randn(1, 77, 128)).sample


if __name__ == "__main__":
    first = outputs(sys.argv[1], sys.argv[2])
    for other in sys.argv[3:]:
        for part, a, b in zip(("text encoder", "UNet"), outputs(sys.argv[1], other), first):
            print(other, part, "relative difference", ((a - b).norm() / b.norm()).item())
