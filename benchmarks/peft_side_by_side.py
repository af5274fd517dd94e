"""The same LoRA training with PEFT and with lora-native, one after the other, and the ratios.

    peers/bin/python benchmarks/peft_side_by_side.py [--steps 8] [--dtype f32|bf16|both]

SmolLM2-135M, rank 8 on all linear layers, 4 x 256 tokens a step, every token labelled, AdamW,
2 threads. Speed is the median over the steps after the first two; memory is the peak resident set of
each whole process. Needs models/cache (./lora-native demo fetches it), target/lora-native.jar, and
Python packages as in src/test/python/requirements.txt.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
GGUF = ROOT / "models" / "cache" / "SmolLM2-135M-Instruct.Q4_1.gguf"
BATCH, LENGTH, RANK, SKIP = 4, 256, 8, 2


def run_peft(dtype, steps, threads):
    """Runs in a process of its own, so that its peak memory is its own."""
    import torch
    import transformers
    from peft import LoraConfig, get_peft_model

    torch.set_num_threads(threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        GGUF.parent, gguf_file=GGUF.name, dtype=torch.bfloat16 if dtype == "bf16" else torch.float32)
    model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=RANK, target_modules="all-linear"))
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    speeds = []
    for _ in range(steps):
        ids = torch.randint(0, 49152, (BATCH, LENGTH))
        start = time.perf_counter()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        speeds.append(BATCH * LENGTH / (time.perf_counter() - start))
    print(json.dumps(speeds))


def run_ours(dtype, steps, threads):
    words = "time year people way day man thing woman life child world school state family".split()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.jsonl"
        with data.open("w") as f:
            for _ in range(BATCH * steps):  # longer than LENGTH, so cut to exactly LENGTH tokens
                f.write(json.dumps({"text": " ".join(rng.choices(words, k=2 * LENGTH))}) + "\n")
        out = Path(folder) / "out"
        settings = dict(base_model=GGUF, metadata_path=data, output_dir=out, batch_size=BATCH,
                        max_length=LENGTH, lora_rank=RANK, compute_dtype=dtype, threads=threads,
                        learning_rate="1e-4", save_steps=0)
        command = ["java", "-jar", str(ROOT / "target" / "lora-native.jar"), "train"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        lines = (out / "logs" / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["tokens_per_s"] for line in lines]


def measured(side, dtype, steps, threads):
    """Median speed and peak memory of one side, run in a fresh process."""
    command = [sys.executable, __file__, "--side", side, "--dtype", dtype, "--steps", str(steps),
               "--threads", str(threads)]
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        os.write(write, json.dumps([json.loads(done.stdout.splitlines()[-1]), peak]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        speeds, peak = json.load(pipe)
    os.waitpid(pid, 0)
    return statistics.median(speeds[SKIP:]), peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=["f32", "bf16", "both"], default="both")
    parser.add_argument("--side", choices=["peft", "ours"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side == "peft":
        return run_peft(args.dtype, args.steps, args.threads)
    if args.side == "ours":
        return print(json.dumps(run_ours(args.dtype, args.steps, args.threads)))
    for dtype in ["f32", "bf16"] if args.dtype == "both" else [args.dtype]:
        ours, ours_peak = measured("ours", dtype, args.steps, args.threads)
        peft, peft_peak = measured("peft", dtype, args.steps, args.threads)
        print(f"{dtype}: lora-native {ours:.0f} tokens/s, {ours_peak / 1e9:.2f} GB; "
              f"PEFT {peft:.0f} tokens/s, {peft_peak / 1e9:.2f} GB; "
              f"speed x{ours / peft:.2f}, memory x{ours_peak / peft_peak:.2f}")


if __name__ == "__main__":
    main()
