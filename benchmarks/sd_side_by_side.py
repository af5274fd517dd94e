"""The same LoRA training of a full-size SD 1.5 UNet with diffusers + peft and with lora-native.

    peers/bin/python benchmarks/sd_side_by_side.py [--steps 4] [--dtype f32|bf16|both]

859.5 M random parameters, 64 x 64 latents, batch 1, rank 8 on attention, 2 threads. Speed is the
median over the steps after the first two; memory is the peak resident set of each whole process.
Needs target/lora-native.jar, models/emoji-sd (its tokenizer and scheduler), 2 GB of disk for the
random base, and the packages of src/test/python/requirements.txt.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RANK, SKIP = 8, 2


def unet(dtype):
    from diffusers import UNet2DConditionModel
    import torch

    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    model = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    torch.set_default_dtype(torch.float32)
    return model


def write_base(folder):
    import torch
    from diffusers import AutoencoderKL
    from transformers import CLIPTextConfig, CLIPTextModel

    unet(torch.float16).save_pretrained(folder / "unet")
    torch.set_default_dtype(torch.float16)
    AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2,
                  down_block_types=("DownEncoderBlock2D",) * 4,
                  up_block_types=("UpDecoderBlock2D",) * 4).save_pretrained(folder / "vae")
    CLIPTextModel(CLIPTextConfig(hidden_size=768, num_hidden_layers=2, num_attention_heads=12,
                                 vocab_size=1024, bos_token_id=1022, eos_token_id=1023)
                  ).save_pretrained(folder / "text_encoder")
    for part in ("tokenizer", "scheduler"):
        shutil.copytree(ROOT / "models" / "emoji-sd" / part, folder / part)
    (folder / "model_index.json").write_text("{}\n")


def run_peer(dtype, steps):
    """Runs in a process of its own, so that its peak memory is its own."""
    import torch
    from peft import LoraConfig

    torch.set_num_threads(2)
    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    model = unet(kind)
    model.requires_grad_(False)
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK,
                                 target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    adapters = [p for p in model.parameters() if p.requires_grad]
    for p in adapters:
        p.data = p.data.float() if dtype == "f32" else p.data
    optimizer = torch.optim.AdamW(adapters, lr=1e-4)
    times = []
    for _ in range(steps):
        start = time.time()
        x, target = torch.randn(1, 4, 64, 64, dtype=kind), torch.randn(1, 4, 64, 64)
        y = model(x, torch.tensor([500]), torch.randn(1, 77, 768, dtype=kind)).sample
        loss = (y.float() - target).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.time() - start)
    print(json.dumps({"seconds": statistics.median(times[SKIP:])}))


def peak_of(command, **more):
    """Output and peak resident set of a command."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed:\n{output}")
    return output, usage.ru_maxrss * 1024 / 1e9


def run_ours(dtype, steps, base, folder):
    data = folder / "data"
    data.mkdir(exist_ok=True)
    image = next((ROOT / "models" / "demo" / "fluent-style" / "images").glob("*.png"))
    shutil.copy(image, data / "a.png")
    (data / "a.txt").write_text("an emoji\n")
    out = folder / f"out-{dtype}"
    settings = ["task_type=sd", f"base_model={base}", f"metadata_path={data}", f"output_dir={out}",
                "resolution=512", "batch_size=1", f"max_steps={steps}", f"lora_rank={RANK}",
                f"compute_dtype={dtype}", "device=cpu", "threads=2"]
    _, memory = peak_of(["java", "-jar", str(ROOT / "target" / "lora-native.jar"), "train"]
                        + ["--set=" + s for s in settings])
    lines = (out / "logs" / "metrics.jsonl").read_text().splitlines()
    times = [json.loads(line)["step_ms"] / 1e3 for line in lines]
    return statistics.median(times[SKIP:]), memory


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--dtype", default="both")
    parser.add_argument("--peer", help="internal: run the peer in this process")
    options = parser.parse_args()
    if options.peer:
        return run_peer(options.peer, options.steps)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_base(folder / "base")
        for dtype in ("f32", "bf16") if options.dtype == "both" else (options.dtype,):
            ours, our_memory = run_ours(dtype, options.steps, folder / "base", folder)
            output, memory = peak_of([sys.executable, __file__, "--peer", dtype,
                                      "--steps", str(options.steps)])
            theirs = json.loads(output.splitlines()[-1])["seconds"]
            print(f"{dtype}: lora-native {ours:.1f} s a step, {our_memory:.2f} GB; diffusers + peft "
                  f"{theirs:.1f} s, {memory:.2f} GB; speed x{theirs / ours:.2f}, "
                  f"memory x{our_memory / memory:.2f}", flush=True)


if __name__ == "__main__":
    main()
