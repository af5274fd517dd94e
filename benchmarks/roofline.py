"""Predicts the time of a training step on cards from its plan: every op's FLOPs and bytes against
what a card can do, the larger of the two, and each of its kernels' launches (RecordLaunches runs the
real launchers and writes them down). Prints the tables of docs/kernels.md's "Whole steps", where
kernel_report.py puts them.

    mvn -q package -DskipTests
    python3 benchmarks/roofline.py

The base models are sparse files: shapes without data, which planning never reads. Numbers of cards are
NVIDIA's: dense bf16 with f32 sums, memory bandwidth, multiprocessors and their threads. Memory gives its
bandwidth only to kernels that keep enough loads in flight (Little's law); IN_FLIGHT says how many bytes
a thread of each kernel has asked for at a time. What an op really reaches is not known without a card:
the table says what the roofline allows, and the time if products reach half of it.
"""
import csv
import json
import math
import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
CARDS = {"RTX 3090": (71e12, 936e9, 82, 1536), "RTX 4090": (165e12, 1008e9, 128, 1536),
         "RTX 5090": (209e12, 1792e9, 170, 1536), "H100": (989e12, 3350e9, 132, 2048)}
LAUNCH = 2.5e-6  # between kernels of a CUDA graph
LATENCY = 6e-7  # of a load from device memory that is busy
# Bytes that a thread has asked device memory for at a time, by the beginning of a kernel's name.
IN_FLIGHT = {"tensor_": 48, "head_gemm": 48, "head_loss": 16, "hopper_": 96, "block_gemm": 24, "tiled_attention": 48, "adamw": 16,
             "dequantize_panel": 16, "group_norm": 2, "": 4}
BITS = {"F32": 32, "BF16": 16, "F16": 16, "I32": 32, "U8": 8, "NF4": 4.13}
VALUE = re.compile(r"([\w.'/-]+)\[([\d, ]+)\] (\w+)")


def shapes(kind, folder):
    """A model folder of a kind, without its numbers, and data."""
    subprocess.run(["java", "-cp", f"{ROOT}/target/test-classes:{ROOT}/target/lora-native.jar",
                    "org.loranative.gpucheck.RandomModel", kind, folder], check=True, cwd=ROOT)


def base(folder, *settings):
    """Settings of a run, and the emulated card that plans it."""
    all_settings = [f"base_model={folder}", f"output_dir={folder}/out", "device=cuda-emu",
                    "compute_dtype=bf16", "lora_rank=16", *settings]
    return all_settings, dict(os.environ, LN_EMU_MEMORY=str(24 << 30),
                              LORA_NATIVE_EMULATOR=str(ROOT / "target/native/libcuda_emu.so"))


def plan(folder, *settings):
    """What `plan --dump-plan` prints, and the launches of each line."""
    settings, environment = base(folder, *settings)
    command = ["java", "-jar", ROOT / "target/lora-native.jar", "plan", "--dump-plan"]
    run = subprocess.run(command + ["--set=" + s for s in settings], env=environment,
                         capture_output=True, text=True)
    return run.stdout + run.stderr


def launches(folder, *settings):
    """Of each line of a step's plan: [(kernel, threads of all its blocks)]."""
    settings, environment = base(folder, *settings)
    out = folder / "launches.csv"
    environment["LN_EMU_RECORD"] = str(folder / "record.csv")
    subprocess.run(["java", "-cp", f"{ROOT}/target/test-classes:{ROOT}/target/lora-native.jar",
                    "org.loranative.train.RecordLaunches", out, *settings], env=environment,
                   check=True)
    lines = {}
    with open(out) as f:
        for r in csv.DictReader(f):
            if r["plan"] == "step" and r["line"] != "-1":
                threads = math.prod(int(r[k]) for k in ("x", "y", "z", "threads"))
                lines.setdefault(int(r["line"]), []).append((r["kernel"], threads))
    return lines


def text(folder, batch, length, *settings):
    return [f"metadata_path={folder}/data.jsonl", "data_format=text", "quantize=nf4",
            f"batch_size={batch}", f"max_length={length}", *settings]


def images(folder, batch, side):
    return [f"metadata_path={folder}/images", "task_type=sd", "cache_encodings=false",
            f"batch_size={batch}", f"resolution={side}"]


def values(text):
    return [(name, [int(d) for d in dims.split(",")], dtype)
            for name, dims, dtype in VALUE.findall(text)]


def bytes_of(value):
    return math.prod(value[1]) * BITS[value[2]] / 8


def flops(op, outputs, inputs, documents):
    """Of a training op; documents: texts or images of the batch, within which attention stays."""
    by_suffix = {name.rsplit(".", 1)[-1].rstrip("'"): dims for name, dims, _ in inputs}
    backward = op.endswith("_backward")
    if op == "linear_cross_entropy":
        rows = [d for n, d, _ in inputs if n.endswith("model.norm")][0][0]
        trained = any(n.endswith("weight.grad") for n, _, _ in inputs)
        # Logits, the gradient of h, and that of w.
        return (6 if trained else 4) * rows * math.prod(by_suffix["weight"])
    if op.startswith("lora_down"):  # x A^T of several layers; dA of all
        rows = (inputs if backward else outputs)[0][1][0]
        return 2 * rows * sum(math.prod(d) for n, d, _ in inputs if n.endswith(".lora_A"))
    if op.startswith(("lora_linear", "lora_up", "linear", "conv2d")):
        out, into = by_suffix["weight"][0], math.prod(by_suffix["weight"][1:])
        rows = (inputs if backward else outputs)[0][1][0]
        low = by_suffix["lora_A"][0] * (out + into) if "lora_A" in by_suffix else 0
        times = 2 if backward else 1
        if op.startswith("lora_up"):  # without what lora_down multiplies
            low -= by_suffix["lora_A"][0] * into / times
        wanted = any(not n.endswith(".xa") for n, _, _ in outputs)
        frozen = out * into if wanted else 0  # no gradient of what no parameter is before
        return 2 * rows * (frozen + times * low)
    if op.startswith("attention"):
        q, k = [d for _, d, t in inputs if t == "BF16"][backward:][:2]
        keys = k[0] / documents
        visible = q[0] * ((keys + 1) / 2 if "doc_start" in str(inputs) else keys)
        return (14 if backward else 4) * visible * q[1]
    return 0


def beside(op, inputs, launched):
    """Bytes that an op moves beside its inputs and outputs: of a head its logits, and w again for each
    chunk of rows, forward and backward."""
    if op != "linear_cross_entropy":
        return 0
    kernels = [kernel for kernel, _ in launched]
    chunks = sum(k.startswith("gather_rows") for k in kernels)
    # 16 bits: written, read and written by the loss, read by the products of the gradient; else
    # f32 written and read twice, and the gradient as before.
    logit = 8 if any(k.startswith("head_loss") for k in kernels) else 16
    weight = [v for v in inputs if v[0].endswith("weight")][0]
    rows = [v[1][0] for v in inputs if v[0].endswith("model.norm")][0]
    return rows * weight[1][0] * logit + (2 * chunks - 1) * bytes_of(weight)


def step(text, documents, launched):
    """Of each op: FLOPs, bytes, its launches."""
    ops = []
    for line in text.splitlines():
        m = re.match(r"\s+(\d+)\s+(?:\S+\s+)?([a-z0-9_]+)\s{2,}(.*?)(?:<- (.*))?$", line)
        if m:
            outputs, inputs = values(m[3]), values(m[4] or "")
            own = launched.get(int(m[1]), [])
            ops.append((flops(m[2], outputs, inputs, documents),
                        sum(map(bytes_of, outputs + inputs)) + beside(m[2], inputs, own), own))
    return ops


def reached(launched, bandwidth, processors, threads):
    """The share of a card's bandwidth that an op's widest kernel can ask for."""
    def asked(kernel, running):
        prefix = max((p for p in IN_FLIGHT if kernel.startswith(p)), key=len)
        return min(running, processors * threads) * IN_FLIGHT[prefix]
    return min(1, max((asked(*l) for l in launched), default=1e9) / (bandwidth * LATENCY))


def longest(folder):
    """The longest document that the planner fits into 24 GB, found from its own advice."""
    length = 1 << 16
    while True:
        said = plan(folder, *text(folder, 1, length, "lora_rank=32", "memory_budget=23GB"))
        refused = re.search(r"max_length: (\d+)", said)
        if not refused:
            return length, planned(said)
        length = int(refused[1])


def planned(text):
    return int(re.search(r"^total\s+(\d+)", text, re.M)[1])


def rows(name, folder, settings, documents, units, unit):
    """A line for each card."""
    said = plan(folder, *settings)
    ops = step(said, documents, launches(folder, *settings))
    kernels = sum(len(l) for _, _, l in ops)
    for card, (rate, bandwidth, processors, threads) in CARDS.items():
        def seconds(share):
            return sum(max(f / (rate * share),
                           b / bandwidth / reached(l, bandwidth, processors, threads))
                       + len(l) * LAUNCH for f, b, l in ops)

        def speed(share):
            return f"{units / seconds(share):.{0 if units > 100 else 1}f} {unit}"
        yield (f"| {name} | {card} | {sum(f for f, _, _ in ops) / 1e12:.0f} TFLOP | "
               f"{sum(b for _, b, _ in ops) / 1e9:.0f} GB | {kernels} | {planned(said) / 1e9:.1f} GB | "
               f"{seconds(1):.2f} s | {speed(1)} | {speed(.5)} |")


def table():
    lines = ["", "| step | card | products | bytes moved | kernels | memory planned | roofline | "
             "a second at most | at half the products' rate |",
             "|---|---|--:|--:|--:|--:|--:|--:|--:|"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shapes("llama-8b", folder / "llama")
        for batch, length in ((2, 2048), (1, 8192)):
            lines += rows(f"Llama 3 8B, NF4, rank 16, {batch} × {length}", folder / "llama",
                          text(folder / "llama", batch, length, "memory_budget=22.5GB"), batch,
                          batch * length, "tokens")
        for kind, what, batch, side in (("sd15", "SD 1.5", 4, 512), ("sdxl", "SDXL", 1, 1024)):
            shapes(kind, folder / kind)
            lines += rows(f"{what}, bf16, rank 16, {batch} × {side}²", folder / kind,
                          images(folder / kind, batch, side), batch, batch, "images")
        length, memory = longest(folder / "llama")
    return lines + [
        "", "Beside them, what others publish (measured, where these are bounds): torchtune's README "
        "for Llama 3.1 8B, 2 × 2048 on", "one RTX 4090 2413 tokens/s in 7.4 GiB (QLoRA) and 3083 in "
        "16.2 GiB (LoRA), compiled, activations recomputed;", "LLaMA-Factory's README for LoRA with "
        "Unsloth 117 to 170 % of its own speed with FlashAttention 2, and 6 GB for a 7B in",
        "4 bits. Its wiki page of tokens per second could not be looked up.",
        "", "The longest document of a QLoRA step (Llama 3 8B, rank 32, one document, everything "
        f"recomputed) that the", f"planner fits into 24 GB is {length} tokens ({memory / 1e9:.1f} GB). "
        "Unsloth's documentation gives 5789 for Hugging Face with", "FlashAttention 2 and 78475 for "
        "Unsloth, which moves activations to the host's memory; lora-native does not yet.",
        "(docs.unsloth.ai, \"Unsloth benchmarks\", context length of Llama 3.1 8B, rank 32, batch 1, "
        "24 GB.)"]


if __name__ == "__main__":
    print("\n".join(table()))
