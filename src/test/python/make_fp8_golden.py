"""Makes src/test/resources/golden/fp8: matrices in floats of 8 bits with scales for blocks, rows and the whole, and
what they stand for; and a tiny Qwen3 and a tiny mixture in such, with the logits of their numbers.

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
    # Every code, NaN among them.
    codes = torch.arange(256, dtype=torch.uint8).reshape(2, 128).view(torch.float8_e4m3fn)
    scale = torch.tensor([[0.37], [2.0**-20]])
    tensors |= {"codes.weight": codes, "codes.weight_scale": scale, "codes.numbers": numbers(codes, scale, "row")}
    save_file(tensors, OUT / "matrices.safetensors")


def save_model(name, config, model, tensors):
    """A folder with those of `tensors` in 8 bits that layers multiply by, which `model` then has too, and its logits."""
    stored = {}
    for key, w in tensors.items():
        if "_proj" in key:
            w8, scale = quantize(w * 3, "block", torch.bfloat16)
            stored[key] = w8
            stored[key + "_scale_inv"] = scale
            w.copy_(numbers(w8, scale, "block"))
        elif key != "lm_head.weight":
            stored[key] = w.clone()
    (OUT / name).mkdir(parents=True, exist_ok=True)
    save_file(stored, OUT / name / "model.safetensors", metadata={"format": "pt"})
    said = config.to_dict() | {
        "architectures": [type(model).__name__],
        "quantization_config": {
            "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8",
            "weight_block_size": [BLOCK, BLOCK]}}
    (OUT / name / "config.json").write_text(json.dumps(said, indent=1))
    ids = torch.arange(3, 90, 4)[None] % config.vocab_size
    with torch.no_grad():
        return {"ids": ids[0].int(), "logits": model(ids).logits[0].contiguous()}


def make_qwen():
    """Rows of o_proj are no whole blocks."""
    torch.manual_seed(6)
    config = transformers.Qwen3Config(
        vocab_size=96, hidden_size=128, intermediate_size=256, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2, head_dim=48, max_position_embeddings=64,
        tie_word_embeddings=True)
    model = transformers.Qwen3ForCausalLM(config).float().eval()
    save_file(save_model("base", config, model, dict(model.state_dict())), OUT / "golden.safetensors")


def make_mixture():
    """Experts apart, as Qwen3-30B-A3B-FP8 has them."""
    torch.manual_seed(8)
    config = transformers.Qwen3MoeConfig(
        vocab_size=48, hidden_size=128, intermediate_size=128, moe_intermediate_size=128, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, head_dim=64, max_position_embeddings=64,
        num_experts=3, num_experts_per_tok=2, norm_topk_prob=True, tie_word_embeddings=True)
    model = transformers.Qwen3MoeForCausalLM(config).float().eval()
    tensors = {}
    for key, w in model.state_dict().items():
        before = key[: key.rindex(".") + 1]
        if key.endswith("experts.gate_up_proj"):
            for e, pair in enumerate(w):
                tensors |= {f"{before}{e}.{n}_proj.weight": half for n, half in zip(("gate", "up"), pair.chunk(2))}
        elif key.endswith("experts.down_proj"):
            tensors |= {f"{before}{e}.down_proj.weight": matrix for e, matrix in enumerate(w)}
        else:
            tensors[key] = w
    save_file(save_model("mixture", config, model, tensors), OUT / "mixture.safetensors")


OUT.mkdir(parents=True, exist_ok=True)
make_matrices()
make_qwen()
make_mixture()
