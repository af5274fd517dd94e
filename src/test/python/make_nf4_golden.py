"""Makes src/test/resources/golden/nf4: matrices that bitsandbytes quantizes to NF4, and a tiny Llama
whose layers it has quantized, with the logits of the numbers that they stand for.

    peers/bin/python src/test/python/make_nf4_golden.py
"""
import pathlib
import shutil

import bitsandbytes.functional as bnb
import torch
import transformers
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "nf4"


def quantize(name, w, nested):
    """The tensors that a checkpoint keeps for `w`, and the numbers they stand for."""
    bits, state = bnb.quantize_4bit(w, blocksize=64, compress_statistics=nested, quant_type="nf4")
    numbers = bnb.dequantize_4bit(bits, state).float()
    pieces = {name: bits}
    pieces.update({f"{name}.{k}": v for k, v in state.as_dict(packed=True).items()})
    return pieces, numbers


def make_matrices():
    generator = torch.Generator().manual_seed(3)
    tensors = {}
    for name, nested in (("double", True), ("single", False)):
        # More than 256 scales, the last group of them not full; one block of zeros.
        w = torch.randn(100, 192, generator=generator) * torch.rand(100, 1, generator=generator)
        w[5, 64:128] = 0
        pieces, numbers = quantize(name + ".weight", w, nested)
        tensors.update(pieces)
        tensors[name + ".source"] = w
        tensors[name + ".numbers"] = numbers.contiguous()
    save_file(tensors, OUT / "matrices.safetensors")


def make_llama():
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=96, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        tie_word_embeddings=False)
    model = transformers.LlamaForCausalLM(config).float().eval()
    tensors = {}
    for name, w in model.state_dict().items():
        if "_proj" in name:
            pieces, numbers = quantize(name, w * 3, True)
            tensors.update(pieces)
            w.copy_(numbers)
        else:
            tensors[name] = w
    ids = torch.randint(96, (1, 20))
    base = OUT / "base"
    config.architectures = ["LlamaForCausalLM"]
    config.save_pretrained(base)
    save_file({k: v.contiguous() for k, v in tensors.items()}, base / "model.safetensors",
              {"format": "pt"})
    save_file({"ids": ids[0].int(), "logits": model(ids).logits[0].detach().contiguous()},
              OUT / "golden.safetensors")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    make_matrices()
    make_llama()
