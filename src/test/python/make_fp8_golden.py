"""Makes src/test/resources/golden/fp8: matrices in floats of 8 bits with scales for blocks, rows and the whole, and
what they stand for; and a tiny Qwen3 in such, with the logits of its numbers.

    peers/bin/python src/test/python/make_fp8_golden.py
"""
import json
import pathlib

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.integrations.finegrained_fp8 import Fp8Dequantize

OUT = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "fp8"
BLOCK = 128


def padded(w):
    """With zeros to whole blocks: what transformers can dequantize."""
    rows, columns = (-(-side // BLOCK) * BLOCK for side in w.shape)
    whole = torch.zeros(rows, columns, dtype=w.dtype)
    whole[: w.shape[0], : w.shape[1]] = w
    return whole


def quantize(w, by, scale_dtype):
    """Matrix and scales as DeepSeek's (`block`) and compressed-tensors' (`row`, `whole`) quantizers make them."""
    if by == "block":
        p = padded(w)
        blocks = p.reshape(p.shape[0] // BLOCK, BLOCK, -1, BLOCK)
        scale = (blocks.abs().amax((1, 3)) / 448).to(scale_dtype)
        wide = scale.float().repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)
        wide = wide[: w.shape[0], : w.shape[1]]
    elif by == "row":
        scale = (w.abs().amax(1, keepdim=True) / 448).to(scale_dtype)
        wide = scale.float()
    else:
        scale = (w.abs().amax() / 448).to(scale_dtype).reshape(1)
        wide = scale.float()
    return (w / wide).clamp(-448, 448).to(torch.float8_e4m3fn), scale


def numbers(w8, scale, by):
    dequantize = Fp8Dequantize(None)._dequantize_one
    if by == "block":
        whole = padded(w8.float()).to(torch.float8_e4m3fn)
        return dequantize(whole, scale, torch.float32)[: w8.shape[0], : w8.shape[1]].contiguous()
    return dequantize(w8, scale.reshape(-1, 1), torch.float32)


def make_matrices():
    generator = torch.Generator().manual_seed(4)
    tensors = {}
    for name, by, dtype, rows, columns in (
        ("ragged", "block", torch.float32, 140, 260),
        ("brain", "block", torch.bfloat16, 131, 64),
        ("low", "block", torch.float32, 5, 128),
        ("row", "row", torch.bfloat16, 70, 64),
        ("whole", "whole", torch.float32, 33, 64),
    ):
        w = torch.randn(rows, columns, generator=generator) * torch.rand(rows, 1, generator=generator)
        w8, scale = quantize(w, by, dtype)
        tensors[name + ".weight"] = w8
        tensors[name + (".weight_scale_inv" if by == "block" else ".weight_scale")] = scale
        tensors[name + ".numbers"] = numbers(w8, scale, by)
    save_file(tensors, OUT / "matrices.safetensors")


def make_qwen():
    torch.manual_seed(6)
    config = transformers.Qwen3Config(
        vocab_size=96, hidden_size=144, intermediate_size=208, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2, head_dim=48, max_position_embeddings=64,
        tie_word_embeddings=True)
    model = transformers.Qwen3ForCausalLM(config).float().eval()
    tensors = {}
    for name, w in list(model.state_dict().items()):
        if "_proj" in name:
            w8, scale = quantize(w * 3, "block", torch.bfloat16)
            tensors[name] = w8
            tensors[name + "_scale_inv"] = scale
            w.copy_(numbers(w8, scale, "block"))
        elif name != "lm_head.weight":
            tensors[name] = w.clone()
    (OUT / "base").mkdir(parents=True, exist_ok=True)
    save_file(tensors, OUT / "base" / "model.safetensors", metadata={"format": "pt"})
    said = config.to_dict() | {
        "architectures": ["Qwen3ForCausalLM"],
        "quantization_config": {
            "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
            "weight_block_size": [BLOCK, BLOCK]}}
    (OUT / "base" / "config.json").write_text(json.dumps(said, indent=1))
    ids = torch.arange(3, 90, 4)[None]
    with torch.no_grad():
        logits = model(ids).logits[0]
    save_file({"ids": ids[0].int(), "logits": logits.contiguous()}, OUT / "golden.safetensors")


OUT.mkdir(parents=True, exist_ok=True)
make_matrices()
make_qwen()
