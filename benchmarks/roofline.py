"""Predicts the time of a training step on cards from its plan: every op's FLOPs and bytes against
what a card can do, the larger of the two. Prints the tables of docs/kernels.md's "Whole steps", where
kernel_report.py puts them.

    mvn -q package -DskipTests
    python3 benchmarks/roofline.py

The base model is a sparse file: shapes without data, which planning never reads. Numbers of cards are
NVIDIA's: dense bf16 with f32 sums, memory bandwidth. What an op really reaches is not known without a
card: the table says what the roofline allows, and the time if products reach half of it.
"""
import json
import math
import os
import pathlib
import re
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
CARDS = {"RTX 3090": (71e12, 936e9), "RTX 4090": (165e12, 1008e9), "RTX 5090": (209e12, 1792e9)}
LAUNCH = 2.5e-6  # between kernels of a CUDA graph
BITS = {"F32": 32, "BF16": 16, "F16": 16, "I32": 32, "U8": 8, "NF4": 4.13}
VALUE = re.compile(r"([\w.'/-]+)\[([\d, ]+)\] (\w+)")


def llama3_8b(folder):
    """The shapes of Llama 3 8B, without its numbers."""
    hidden, ffn, layers, vocab, kv = 4096, 14336, 32, 128256, 1024
    shapes = {"model.embed_tokens.weight": (vocab, hidden), "lm_head.weight": (vocab, hidden),
              "model.norm.weight": (hidden,)}
    for i in range(layers):
        layer = f"model.layers.{i}."
        for name, out, into in (("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", kv, hidden),
                                ("self_attn.v_proj", kv, hidden), ("self_attn.o_proj", hidden, hidden),
                                ("mlp.gate_proj", ffn, hidden), ("mlp.up_proj", ffn, hidden),
                                ("mlp.down_proj", hidden, ffn)):
            shapes[layer + name + ".weight"] = (out, into)
        shapes[layer + "input_layernorm.weight"] = (hidden,)
        shapes[layer + "post_attention_layernorm.weight"] = (hidden,)
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + offset)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "hidden_size": hidden, "intermediate_size": ffn,
        "num_hidden_layers": layers, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": vocab, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
        "max_position_embeddings": 8192, "tie_word_embeddings": False}))
    tokenizer = ROOT / "src/test/resources/tokenizers/smollm/tokenizer.json"
    (folder / "tokenizer.json").write_text(tokenizer.read_text())
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>"}')
    (folder / "data.jsonl").write_text(
        "".join(json.dumps({"text": "many words " * 60000}) + "\n" for _ in range(4)))


def plan(folder, *settings):
    command = ["java", "-jar", ROOT / "target/lora-native.jar", "plan", "--dump-plan"]
    for s in (f"base_model={folder}", f"metadata_path={folder}/data.jsonl", f"output_dir={folder}/out",
              "device=cuda-emu", "compute_dtype=bf16", *settings):
        command.append("--set=" + s)
    environment = dict(os.environ, LN_EMU_MEMORY=str(24 << 30),
                       LORA_NATIVE_EMULATOR=str(ROOT / "target/native/libcuda_emu.so"))
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    return run.stdout + run.stderr


def values(text):
    return [(name, [int(d) for d in dims.split(",")], dtype)
            for name, dims, dtype in VALUE.findall(text)]


def bytes_of(value):
    return math.prod(value[1]) * BITS[value[2]] / 8


def flops(op, outputs, inputs, document):
    """Of a training op; a backward product runs twice where it has two results."""
    by_suffix = {name.rsplit(".", 1)[-1]: dims for name, dims, _ in inputs}
    if op.startswith(("lora_linear", "linear")) and "weight" in by_suffix:
        out, into = by_suffix["weight"]
        rows = outputs[0][1][0] if outputs else inputs[0][1][0]
        if op.startswith("linear_cross_entropy"):
            rows = [d for n, d, _ in inputs if n.endswith("model.norm")][0][0]
            return 4 * rows * out * into  # logits, and the gradient of h
        low = by_suffix["lora_A"][0] * (out + into) if "lora_A" in by_suffix else 0
        backward = "backward" in op
        return 2 * rows * (out * into + (2 if backward else 1) * low)
    if op.startswith("attention"):
        rows, width = [d for _, d, t in inputs if t == "BF16"][0]
        visible = rows * (document + 1) / 2
        return (14 if "backward" in op else 4) * visible * width
    return 0


def step(text, document):
    ops = []
    for line in text.splitlines():
        m = re.match(r"\s+\d+\s+(?:layers\.\d+\s+)?([a-z0-9_]+(?: \w+)?)\s{2,}(.*?)(?:<- (.*))?$", line)
        if m:
            outputs, inputs = values(m[2]), values(m[3] or "")
            ops.append((flops(m[1], outputs, inputs, document),
                        sum(map(bytes_of, outputs)) + sum(map(bytes_of, inputs))))
    return ops


def longest(folder):
    """The longest document that the planner fits into 24 GB, found from its own advice."""
    length = 1 << 16
    while True:
        text = plan(folder, "quantize=nf4", "batch_size=1", f"max_length={length}", "data_format=text",
                    "lora_rank=32", "memory_budget=23GB")
        refused = re.search(r"max_length: (\d+)", text)
        if not refused:
            return length, int(re.search(r"^total\s+(\d+)", text, re.M)[1])
        length = int(refused[1])


def table():
    rows = ["", "| step | card | products | bytes moved | ops | memory planned | roofline | tokens/s at "
            "most | at half the products' rate |", "|---|---|--:|--:|--:|--:|--:|--:|--:|"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        llama3_8b(folder)
        for batch, length in ((2, 2048), (1, 8192)):
            text = plan(folder, "quantize=nf4", f"batch_size={batch}", f"max_length={length}",
                        "data_format=text", "lora_rank=16", "memory_budget=22.5GB")
            ops = step(text, length)
            memory = int(re.search(r"^total\s+(\d+)", text, re.M)[1])
            tokens = batch * length
            for card, (rate, bandwidth) in CARDS.items():
                def seconds(share):
                    return sum(max(f / (rate * share), b / bandwidth, LAUNCH) for f, b in ops)
                rows.append(
                    f"| Llama 3 8B, NF4, rank 16, {batch} × {length} | {card} | "
                    f"{sum(f for f, _ in ops) / 1e12:.0f} TFLOP | "
                    f"{sum(b for _, b in ops) / 1e9:.0f} GB | {len(ops)} | {memory / 1e9:.1f} GB | "
                    f"{seconds(1):.2f} s | {tokens / seconds(1):.0f} | {tokens / seconds(.5):.0f} |")
        length, memory = longest(folder)
    return rows + [
        "", "The longest document of a QLoRA step (Llama 3 8B, rank 32, one document, everything "
        f"recomputed) that the", f"planner fits into 24 GB is {length} tokens ({memory / 1e9:.1f} GB). "
        "Unsloth's documentation gives 5789 for Hugging Face with", "FlashAttention 2 and 78475 for "
        "Unsloth, which moves activations to the host's memory; lora-native does not yet.",
        "(docs.unsloth.ai, \"Unsloth benchmarks\", context length of Llama 3.1 8B, rank 32, batch 1, "
        "24 GB.)"]


if __name__ == "__main__":
    print("\n".join(table()))
