"""Loads a converted adapter in diffusers and compares the UNet's output with the original's.

    python src/test/python/check_lora.py models/emoji-sd ORIGINAL.safetensors CONVERTED.safetensors...
"""

import sys

import torch
from diffusers import StableDiffusionPipeline
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def output(base, path, tmp="/tmp/unet-only.safetensors"):
    pipe = StableDiffusionPipeline.from_pretrained(base, torch_dtype=torch.float32)
    with safe_open(path, "pt") as f:  # the pinned peft is too old for the text encoder's part
        metadata = f.metadata() or {}
    state = {k: v for k, v in load_file(path).items() if "unet" in k}
    metadata = {k: v for k, v in metadata.items() if k != "lora_adapter_metadata"} | (
        {"lora_adapter_metadata": only_unet(metadata["lora_adapter_metadata"])}
        if "lora_adapter_metadata" in metadata else {})
    save_file(state, tmp, metadata)
    pipe.load_lora_weights("/tmp", weight_name="unet-only.safetensors")
    torch.manual_seed(0)
    with torch.no_grad():
        return pipe.unet(torch.randn(1, 4, 16, 16), 500, torch.randn(1, 77, 128)).sample


def only_unet(text):
    import json
    return json.dumps({k: v for k, v in json.loads(text).items() if k.startswith("unet.")})


if __name__ == "__main__":
    first = output(sys.argv[1], sys.argv[2])
    for other in sys.argv[3:]:
        print(other, "relative difference", ((output(sys.argv[1], other) - first).norm() / first.norm()).item())
