"""GGUF files of tiny models by llama.cpp's own converter: those whose layers are partly recurrent, and Qwen2-MoE.

    peers/bin/python src/test/python/make_golden.py qwen3-5-turns qwen3-5-moe-turns qwen3-next-turns qwen2-moe
    peers/bin/python src/test/python/make_llama_cpp_gguf.py LLAMA_CPP     (the folder of its sources)

Each is golden/NAME/base.gguf, with a tokenizer of single letters so that llama.cpp loads it. Qwen3.5's
has a layer that predicts a further token, as published ones do, of random numbers. adapter.gguf is what
convert_lora_to_gguf.py makes of the PEFT adapter, but of Qwen3-Next's, which it cannot.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

LLAMA_CPP = Path(sys.argv[1])
sys.path[:0] = [str(LLAMA_CPP), str(LLAMA_CPP / "gguf-py")]
import gguf  # noqa: E402
from conversion import get_model_class  # noqa: E402

OUT = Path(__file__).parents[1] / "resources" / "golden"


def letters(count):
    """Tokens of a letter each, then what no text holds."""
    known = [*"abcdefghijklmnopqrstuvwxyz", "\u0120", "th", "<|im_end|>"]
    return known + [f"[PAD{i}]" for i in range(len(known), count)]


def with_further_layer(folder):
    """Adds what transformers leaves alone: a layer that predicts the token after the next."""
    tensors = load_file(folder / "model.safetensors")
    random = torch.Generator().manual_seed(3)
    last = max(int(n.split(".")[2]) for n in tensors if ".self_attn." in n)
    for name in list(tensors):
        if name.startswith(f"model.layers.{last}."):
            tensors[name.replace(f"model.layers.{last}.", "mtp.layers.0.")] = torch.randn(
                tensors[name].shape, generator=random)
    hidden = tensors["model.norm.weight"].shape[0]
    tensors["mtp.fc.weight"] = torch.randn(hidden, 2 * hidden, generator=random)
    for norm in ("pre_fc_norm_embedding", "pre_fc_norm_hidden", "norm"):
        tensors[f"mtp.{norm}.weight"] = torch.randn(hidden, generator=random)
    save_file(tensors, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["mtp_num_hidden_layers"] = 1
    (folder / "config.json").write_text(json.dumps(config))


def convert(name, further=False, split="qwen35"):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        shutil.copytree(OUT / name / "base", folder)
        if further:
            with_further_layer(folder)
        architecture = json.loads((folder / "config.json").read_text())["architectures"][0]

        known = get_model_class(architecture)

        class Converter(known):
            model_arch = known.model_arch
            no_mtp = not further

            def set_vocab(self):
                tokens = letters(self.hparams["vocab_size"])
                kind = gguf.TokenType
                types = [kind.CONTROL if t[0] == "<" else kind.UNUSED if t[0] == "[" else kind.NORMAL
                         for t in tokens]
                self.gguf_writer.add_tokenizer_model("gpt2")
                self.gguf_writer.add_tokenizer_pre(split)
                self.gguf_writer.add_token_list(tokens)
                self.gguf_writer.add_token_types(types)
                self.gguf_writer.add_token_merges(["t h"])
                self.gguf_writer.add_eos_token_id(tokens.index("<|im_end|>"))

        with torch.inference_mode():
            Converter(folder, gguf.LlamaFileType.ALL_F32, OUT / name / "base.gguf").write()


def convert_adapter(name):
    with tempfile.TemporaryDirectory() as temporary:
        config = json.loads((OUT / name / "base" / "config.json").read_text())
        config["mtp_num_hidden_layers"] = 1  # without, the converter stops
        (Path(temporary) / "config.json").write_text(json.dumps(config))
        subprocess.run(
            [sys.executable, LLAMA_CPP / "convert_lora_to_gguf.py", "--base", temporary, "--outfile",
             OUT / name / "adapter.gguf", OUT / name / "adapter"], check=True)


convert("qwen3-5-turns", further=True)
convert("qwen3-5-moe-turns")
convert("qwen3-next-turns")
convert("qwen2-moe", split="qwen2")
convert_adapter("qwen3-5-turns")
convert_adapter("qwen3-5-moe-turns")
convert_adapter("qwen2-moe")
