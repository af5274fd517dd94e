"""Records the labelled training runs that the loss doctor is tested on: real runs on the demo
models, most with deliberately wrong settings.

    python3 src/test/python/record_doctor_runs.py [--only PATTERN]     (about an hour on 2 cores)

Needs target/lora-native.jar, target/test-classes, models/cache (./lora-native demo) and pip's torch, transformers. Writes a file
for each run into src/test/resources/doctor: a line of JSON (label, settings), then CSV.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy

ROOT = pathlib.Path(__file__).parents[3]
OUT = ROOT / "src/test/resources/doctor"
SMOL = ROOT / "models/cache/SmolLM2-135M-Instruct.Q4_1.gguf"
CHAT = ROOT / "models/demo/emoji-chat"
KEPT = ("task_type", "learning_rate", "warmup_steps", "lr_schedule", "max_grad_norm", "batch_size", "shuffle",
        "gradient_accumulation", "lora_rank", "early_stop", "usual_learning_rate", "total_steps")

LLM = dict(base_model=SMOL, metadata_path=CHAT / "train.jsonl", compute_dtype="f32", batch_size=4,
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
    yield from faulty_data(work, random_base)
    yield from twins(work)
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


def faulty_data(work, random_base):
    """Runs that fall as they should, on a base or data that nothing good can come of."""
    lines = (CHAT / "train.jsonl").open().readlines()
    records = [plain(line) for line in lines]
    toy = pretrained(random_base, work / "toy", records[400:])
    ruined = exchanged(toy, work / "ruined")
    records = records[:400]
    llm = LLM | dict(base_model=toy, metadata_path=write(work / "every.jsonl", records),
                     validation_fraction=0.08, max_steps=150, eval_steps=10, batch_size=8)
    empty = write(work / "empty.jsonl", [without_answer(r) for r in records])
    for i in range(4):
        some = records[20 * i:20 * i + 20]
        chosen = write(work / f"chosen-{i}.jsonl", some)
        copies = write(work / f"copies-{i}.jsonl", some * 60)
        shuffled = write(work / f"shuffled-{i}.jsonl", shuffle_answers(records, i))
        usual = dict(seed=i, learning_rate=(3e-3, 1e-3, 2e-3, 5e-3)[i])
        yield f"toy-plain-{i}", "healthy", llm | usual
        yield f"toy-random-base-{i}", "untrained_base", llm | usual | dict(base_model=random_base)
        yield f"toy-ruined-base-{i}", "untrained_base", llm | usual | dict(base_model=ruined)
        yield f"toy-by-heart-{i}", "memorized", llm | HARD | dict(
            metadata_path=chosen, validation_fraction=0, seed=i, facts={"data/records": 20})
        yield f"toy-leak-{i}", "validation_leak", llm | HARD | dict(
            metadata_path=copies, validation_fraction=0.02, seed=i,
            facts={"data/records": 1176, "data/validation_records": 24, "data/validation_leak": 24})
        yield f"toy-empty-{i}", "few_labels", llm | usual | dict(metadata_path=empty, max_steps=100)
        yield f"toy-shuffled-{i}", "unrelated_data", llm | usual | dict(metadata_path=shuffled)
        yield f"sd-slow-{i}", "flat", SD | dict(learning_rate=(1e-5, 1e-5, 2e-5, 5e-6)[i], seed=i)
    for rank, rate in ((4, 1e-2), (16, 3e-3)):  # too small a rank, and one that is not
        yield f"toy-rank-{rank}", "healthy", llm | dict(
            lora_rank=rank, lora_alpha=rank, learning_rate=rate, max_steps=600, eval_steps=100)
    for i in range(8):
        long = SD | dict(seed=20 + i, learning_rate=(1e-3, 2e-3)[i % 2], max_steps=(300, 200)[i // 2 % 2],
                         eval_steps=20)
        yield f"sd-twin-{i}", "healthy", long
        yield f"sd-shuffled-{i}", "unrelated_data", long | dict(metadata_path=shuffle_captions(work, i))
    for i in range(2):
        train, other = split_images(work, 8, 4 + 20 * i, f"eight-{i}-")
        yield f"sd-eight-{i}", "overfitting", SD | dict(
            metadata_path=train, validation_path=other, batch_size=4, max_steps=400, eval_steps=20,
            seed=i)


def twins(work):
    """The same records with their own answers, and with those of others."""
    records = [plain(line) for line in (CHAT / "train.jsonl").open()]
    for i in range(4):
        some = records[180 * i:180 * i + 180]
        settings = LLM | dict(validation_fraction=0.15, max_steps=60, eval_steps=10, seed=30 + i,
                              learning_rate=(1e-3, 5e-4, 2e-3)[i % 3])
        yield f"llm-twin-{i}", "healthy", settings | dict(metadata_path=write(work / f"twin-{i}.jsonl", some))
        yield f"llm-shuffled-{i}", "unrelated_data", settings | dict(
            metadata_path=write(work / f"mixed-{i}.jsonl", shuffle_answers(some, i)))


# What learns 20 records by heart in some hundred steps.
HARD = dict(learning_rate=1e-2, lora_rank=32, lora_alpha=64, max_steps=300, eval_steps=20)


def pretrained(random_base, folder, records):
    """A small model that knows the data's language a little."""
    import torch
    import transformers
    torch.manual_seed(0)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(random_base / "tokenizer.json"))
    texts = [r["prompt"] + r["completion"] for r in map(json.loads, records)]
    ids = [torch.tensor(tokenizer(t)["input_ids"][:64]) for t in texts]
    model = transformers.LlamaForCausalLM.from_pretrained(random_base, dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(300):
        chosen = [ids[i] for i in torch.randint(len(ids), (32,)).tolist()]
        x = torch.nn.utils.rnn.pad_sequence(chosen, batch_first=True)
        labels = torch.nn.utils.rnn.pad_sequence(chosen, batch_first=True, padding_value=-100)
        loss = model(input_ids=x, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"pretrained to a loss of {loss.item():.2f}", flush=True)
    shutil.copytree(random_base, folder)
    model.save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "eos_token": "<|im_end|>",
        "chat_template": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
                         "{% endfor %}"}))
    return folder


def exchanged(base, folder):
    """A base whose matrices had their rows exchanged and grew."""
    import safetensors.numpy
    shutil.copytree(base, folder)
    tensors = safetensors.numpy.load_file(base / "model.safetensors")
    generator = numpy.random.default_rng(0)
    for name, t in tensors.items():
        if t.ndim == 2:
            tensors[name] = generator.permutation(t) * numpy.float32(3)
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


def without_answer(record):
    prompt = json.loads(record)["prompt"]
    return json.dumps({"messages": [{"role": "user", "content": prompt},
                                    {"role": "assistant", "content": ""}]}, ensure_ascii=False) + "\n"


def plain(line):
    """A record of few tokens: no chat template."""
    question, answer = (m["content"] for m in json.loads(line)["messages"])
    return json.dumps({"prompt": question, "completion": " " + answer}, ensure_ascii=False) + "\n"


def write(file, lines):
    file.write_text("".join(lines))
    return file


def shuffle_answers(lines, seed):
    records = [json.loads(line) for line in lines]
    answers = [r["completion"] for r in records]
    random.Random(seed).shuffle(answers)
    return [json.dumps(r | {"completion": a}, ensure_ascii=False) + "\n"
            for r, a in zip(records, answers)]


def shuffle_captions(work, seed):
    source = ROOT / "models/demo/fluent-style"
    rows = list(csv.DictReader((source / "metadata.csv").open()))
    captions = [row["prompt"] for row in rows]
    random.Random(seed).shuffle(captions)
    folder = work / f"captions-{seed}"
    shutil.copytree(source, folder)
    with (folder / "metadata.csv").open("w") as f:
        writer = csv.DictWriter(f, rows[0].keys())
        writer.writeheader()
        writer.writerows(row | {"prompt": c} for row, c in zip(rows, captions))
    return folder


def split_images(work, count, start, prefix=""):
    """Two data sets of a few images: to train on, and others."""
    rows = list(csv.DictReader((ROOT / "models/demo/fluent-style/metadata.csv").open()))
    places = []
    for name, some in (("train", rows[start:start + count]), ("other", rows[start + 40:start + 48])):
        folder = work / f"{prefix}{name}-{start}"
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
    settings = dict(settings)
    facts = settings.pop("facts", {})  # what a run logs of its data beside its curves
    command = ["java", "-jar", os.environ.get("JAR", ROOT / "target/lora-native.jar"), "train", f"--set=output_dir={out}",
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
    if re.search("twin|shuffled|plain", name):  # the control compares record by record
        keep_records(out / "logs/record_losses.jsonl", OUT / "records" / name)
    if "rank" in name:
        keep_layers(out / "logs/layers.jsonl", OUT / "records" / name)
    keys = {"loss": "Loss/train", "lr": "lr", "grad_norm": "grad_norm", "val_loss": "Loss/val",
            "probe_loss": "Loss/probe",
            "swapped_loss": "Loss/swapped", "dead_layers": "adapter/dead_layers",
            "tokens_per_s": "perf/tokens_per_s", "images_per_s": "perf/images_per_s",
            "labelled": "labelled", "step_ms": "perf/step_ms"}
    used = [k for k in keys if any(k in line for line in lines)]
    kept = {k: str(settings[k]) for k in KEPT if k in settings}
    kept |= {k: str(v) for k, v in facts.items()}
    kept["total_steps"] = str(settings["max_steps"])
    kept.setdefault("task_type", "llm")
    kept.setdefault("shuffle", "true")
    config = pathlib.Path(settings["base_model"]) / "config.json"
    if config.exists():
        kept["vocab_size"] = str(json.loads(config.read_text())["vocab_size"])
    with (OUT / f"{name}.csv").open("w") as f:
        f.write(json.dumps({"label": label, "settings": kept}) + "\n")
        f.write(",".join(["step"] + [keys[k] for k in used]) + "\n")
        for line in lines:
            f.write(",".join([str(line["step"])] + [f"{line[k]:.5g}" if k in line else "" for k in used])
                    + "\n")
    shutil.rmtree(out)
    print(f"{name}: {len(lines)} steps", flush=True)


def keep_records(file, folder):
    """What was measured of each record, with short names and numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    with (folder / file.name).open("w") as f:
        for line in map(json.loads, file.open()):
            if line["set"] != "train":
                line["records"] = ["r%d%s" % (names.setdefault(name, len(names)), " " + time if time else "")
                                   for name, _, time in map(parts_of_name, line["records"])]
                line["losses"] = [float(f"{x:.4g}") for x in line["losses"]]
                f.write(json.dumps(line, separators=(",", ":")) + "\n")


def keep_layers(file, folder):
    """What the layers were like when they were last looked at: the doctor asks for three looks."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file.name).write_text("".join(file.open().readlines()[-3:]))


def parts_of_name(record):
    """An image's timestep is no part of its name."""
    found = re.fullmatch(r"(.*?)( )(t\d+)", record)
    return found.groups() if found else (record, "", "")


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
