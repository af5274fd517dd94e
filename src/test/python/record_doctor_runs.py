"""Records the labelled training runs that the loss doctor is tested on: real runs on the demo
models, most with deliberately wrong settings.

    python3 src/test/python/record_doctor_runs.py [--only PATTERN]     (about 25 minutes on 2 cores)

Needs target/lora-native.jar, target/test-classes and models/cache (./lora-native demo). Writes a file
for each run into src/test/resources/doctor: a line of JSON (label, settings), then CSV.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[3]
OUT = ROOT / "src/test/resources/doctor"
SMOL = ROOT / "models/cache/SmolLM2-135M-Instruct.Q4_1.gguf"
CHAT = ROOT / "models/demo/emoji-chat"
KEPT = ("task_type", "learning_rate", "warmup_steps", "lr_schedule", "max_grad_norm", "batch_size")

LLM = dict(base_model=SMOL, metadata_path=CHAT / "train.jsonl", compute_dtype="bf16", batch_size=4,
           max_length=128, max_steps=100, save_steps=0, eval_steps=10, validation_fraction=0.01,
           learning_rate=1e-3)
SD = dict(task_type="sd", base_model=ROOT / "models/emoji-sd",
          metadata_path=ROOT / "models/demo/fluent-style", resolution=64, batch_size=8,
          max_steps=100, save_steps=0, eval_steps=10, learning_rate=1e-3)


def runs(work):
    """(name, label, settings)"""
    few = work / "few.jsonl"
    few.write_text("".join((CHAT / "train.jsonl").open().readlines()[:16]))
    other = work / "other.jsonl"
    other.write_text("".join((CHAT / "validation.jsonl").open().readlines()[:24]))
    images = [split_images(work, n, i) for n, i in ((8, 0), (12, 30), (10, 60))]
    random_base = work / "random"
    subprocess.run(["java", "-cp", f"{ROOT}/target/test-classes:{ROOT}/target/lora-native.jar",
                    "org.loranative.gpucheck.RandomModel", "llama-toy", random_base], check=True,
                   cwd=ROOT)
    foreign = dict(base_model=random_base, compute_dtype="f32",
                   metadata_path=random_base / "data.jsonl", validation_fraction=0)

    yield from (("llm-healthy-%d" % i, "healthy", LLM | s) for i, s in enumerate((
        {}, dict(learning_rate=5e-4, seed=1), dict(learning_rate=2e-4, max_steps=150),
        dict(lr_schedule="constant", learning_rate=3e-4), dict(warmup_steps=10, seed=2),
        dict(lora_rank=16, lora_alpha=32, learning_rate=5e-4), dict(lora_rank=2, seed=3),
        dict(batch_size=8, max_steps=60, seed=4), dict(optimizer="adamw8bit", seed=5),
        dict(batch_size=1, max_steps=200, learning_rate=3e-4))))
    yield from (("llm-unstable-%d" % i, "unstable", LLM | dict(max_steps=60) | s) for i, s in enumerate((
        dict(learning_rate=0.3), dict(learning_rate=0.1, seed=1), dict(learning_rate=0.05, seed=2),
        dict(learning_rate=0.03, lr_schedule="constant"), dict(learning_rate=0.1, batch_size=1),
        dict(learning_rate=0.03, lora_alpha=64, seed=3), dict(learning_rate=1, seed=4))))
    yield from (("llm-not-finite-%d" % i, "not_finite", LLM | dict(max_steps=40) | s) for i, s in enumerate((
        dict(learning_rate=1e30), dict(learning_rate=1e25, max_grad_norm=0, warmup_steps=5, seed=1))))
    yield from (("llm-flat-%d" % i, "flat", LLM | dict(max_steps=80) | s) for i, s in enumerate((
        dict(learning_rate=1e-9), dict(learning_rate=1e-8, seed=1), dict(learning_rate=1e-10, batch_size=2))))
    yield from (("llm-no-descent-%d" % i, "no_descent", LLM | foreign | dict(max_steps=60) | s)
                for i, s in enumerate((dict(learning_rate=1e-6), dict(learning_rate=1e-5, seed=1),
                                       dict(learning_rate=1e-7, batch_size=8))))
    yield from (("llm-overfitting-%d" % i, "overfitting",
                 LLM | dict(metadata_path=few, validation_path=other, validation_fraction=0, max_steps=120) | s)
                for i, s in enumerate((dict(learning_rate=2e-3, lora_rank=32), dict(seed=1),
                                       dict(learning_rate=3e-3, seed=2, lr_schedule="constant"),
                                       dict(learning_rate=5e-4, lora_rank=64, max_steps=160, seed=3))))
    yield from (("llm-schedule-%d" % i, "schedule", LLM | dict(max_steps=60) | s) for i, s in enumerate((
        dict(warmup_steps=100), dict(warmup_steps=600, learning_rate=5e-4), dict(warmup_steps=60, seed=1))))
    yield from (("llm-slower-%d" % i, "throughput_drop", LLM | dict(max_steps=140, learning_rate=5e-4) | s)
                for i, s in enumerate((dict(), dict(seed=1))))
    yield from (("sd-healthy-%d" % i, "healthy", SD | s) for i, s in enumerate((
        {}, dict(learning_rate=3e-4, seed=1), dict(lora_rank=16, seed=2), dict(lora_rank=4, seed=3),
        dict(lr_schedule="constant", seed=4), dict(batch_size=4, max_steps=150, seed=5),
        dict(min_snr_gamma=5, seed=6), dict(warmup_steps=10, seed=7),
        dict(validation_fraction=0, seed=8))))
    yield from (("sd-unstable-%d" % i, "unstable", SD | dict(max_steps=80) | s) for i, s in enumerate((
        dict(learning_rate=0.3), dict(learning_rate=0.1, seed=1),
        dict(learning_rate=0.1, lora_alpha=64, batch_size=2))))
    yield from (("sd-not-finite-%d" % i, "not_finite", SD | dict(max_steps=80) | s) for i, s in enumerate((
        dict(learning_rate=1e30, max_steps=40),
        dict(learning_rate=1e25, max_grad_norm=0, warmup_steps=5, max_steps=40, seed=1),
        dict(learning_rate=1.0, seed=2))))
    yield from (("sd-flat-%d" % i, "flat", SD | dict(max_steps=80) | s) for i, s in enumerate((
        dict(learning_rate=1e-9), dict(learning_rate=1e-8, seed=1), dict(learning_rate=1e-10, batch_size=4))))
    yield from (("sd-overfitting-%d" % i, "overfitting",
                 SD | dict(metadata_path=images[i][0], validation_path=images[i][1], batch_size=4,
                           max_steps=400, eval_steps=20, lora_rank=32) | s)
                for i, s in enumerate((dict(learning_rate=2e-3), dict(learning_rate=3e-3, seed=1),
                                       dict(learning_rate=2e-3, seed=2, lora_targets="[all-linear]"))))
    yield from (("sd-schedule-%d" % i, "schedule", SD | dict(max_steps=60) | s) for i, s in enumerate((
        dict(warmup_steps=100), dict(warmup_steps=2000, seed=1))))


def split_images(work, count, start):
    """Two data sets of a few images: to train on, and others."""
    rows = list(csv.DictReader((ROOT / "models/demo/fluent-style/metadata.csv").open()))
    places = []
    for name, some in (("train", rows[start:start + count]), ("other", rows[start + 40:start + 48])):
        folder = work / f"{name}-{start}"
        folder.mkdir()
        with (folder / "metadata.csv").open("w") as f:
            writer = csv.DictWriter(f, rows[0].keys())
            writer.writeheader()
            for row in some:
                source = ROOT / "models/demo/fluent-style" / row["filename"]
                (folder / row["filename"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / row["filename"])
                writer.writerow(row)
        places.append(folder)
    return places


def record(name, label, settings, work):
    out = work / name
    command = ["java", "-jar", ROOT / "target/lora-native.jar", "train", f"--set=output_dir={out}",
               "--set=device=cpu"]
    if settings.get("task_type") == "sd":
        command.append(f"--set=cache_dir={work}/cache")
    command += [f"--set={k}={v}" for k, v in settings.items()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    burners = []
    if label == "throughput_drop":  # other programs come to the machine halfway
        metrics = out / "logs/metrics.jsonl"
        while process.poll() is None and (not metrics.exists() or len(metrics.open().readlines()) < 70):
            time.sleep(0.2)
        burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(8)]
    said = process.communicate()[0]
    for burner in burners:
        burner.kill()
    lines = [json.loads(line) for line in (out / "logs/metrics.jsonl").open()]
    if label == "not_finite":
        step = re.search(r"stopped at step (\d+)", said)
        lines.append({"step": int(step[1]), "loss": float("nan")})
    keys = {"loss": "Loss/train", "lr": "lr", "grad_norm": "grad_norm", "val_loss": "Loss/val",
            "probe_loss": "Loss/probe", "dead_layers": "adapter/dead_layers",
            "tokens_per_s": "perf/tokens_per_s", "images_per_s": "perf/images_per_s"}
    used = [k for k in keys if any(k in line for line in lines)]
    kept = {k: str(settings[k]) for k in KEPT if k in settings}
    kept["total_steps"] = str(settings["max_steps"])
    kept.setdefault("task_type", "llm")
    with (OUT / f"{name}.csv").open("w") as f:
        f.write(json.dumps({"label": label, "settings": kept}) + "\n")
        f.write(",".join(["step"] + [keys[k] for k in used]) + "\n")
        for line in lines:
            f.write(",".join([str(line["step"])] + [f"{line[k]:.5g}" if k in line else "" for k in used])
                    + "\n")
    shutil.rmtree(out)
    print(f"{name}: {len(lines)} steps", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        for run_name, label, settings in runs(work):
            if re.search(args.only, run_name):
                record(run_name, label, settings, work)


if __name__ == "__main__":
    main()
