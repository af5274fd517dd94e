"""A tiny FLUX.1 in the files that people have, and what diffusers computes from it.

    python src/test/python/make_flux_single_golden.py src/test/resources/golden/single-flux

transformer.safetensors has Black Forest Labs' names alone, as flux1-dev.safetensors; clip_l, t5 and ae
stand beside it, as ComfyUI's users keep them. fp8.safetensors is all in one, matrices of the transformer
in float8_e4m3fn with a scale each, under ComfyUI's names. transformer.gguf is as city96's converter
writes it, t5.gguf has llama.cpp's names; both are Q8_0. That the transformer's names are right is diffusers' word: its own converter must give the model's state back.
"""

import inspect
import pathlib
import sys

import gguf
import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from diffusers.loaders import single_file_utils
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from diffusion_training import nhwc, rounded
from make_flux_golden import predict
from single_files import exchanged, original_vae

JOINT, TOKENS, FEW_TOKENS, LAYERS, SINGLES, WIDTH = 64, 12, 11, 2, 2, 64


def original_transformer(s):
    """The inverse of diffusers' conversion, of FLUX.1 and of relatives without some of its layers."""
    o = {}
    outside = {"img_in": "x_embedder", "txt_in": "context_embedder", "final_layer.linear": "proj_out"}
    for new, old in (("time_in", "timestep_embedder"), ("guidance_in", "guidance_embedder"),
                     ("vector_in", "text_embedder")):
        outside[new + ".in_layer"] = f"time_text_embed.{old}.linear_1"
        outside[new + ".out_layer"] = f"time_text_embed.{old}.linear_2"
    double = {"img_attn.proj": "attn.to_out.0", "txt_attn.proj": "attn.to_add_out",
              "img_mlp.0": "ff.net.0.proj", "img_mlp.2": "ff.net.2", "txt_mlp.0": "ff_context.net.0.proj",
              "txt_mlp.2": "ff_context.net.2", "img_mod.lin": "norm1.linear",
              "txt_mod.lin": "norm1_context.linear"}
    for kind in (".weight", ".bias"):
        for new, old in outside.items():
            if old + kind in s:
                o[new + kind] = s[old + kind]
        if "norm_out.linear" + kind in s:
            o["final_layer.adaLN_modulation.1" + kind] = exchanged(s["norm_out.linear" + kind])
        for i in range(LAYERS):
            b, d = f"transformer_blocks.{i}.", f"double_blocks.{i}."
            for new, old in double.items():
                if b + old + kind in s:
                    o[d + new + kind] = s[b + old + kind]
            o[d + "img_attn.qkv" + kind] = torch.cat([s[f"{b}attn.to_{p}{kind}"] for p in "qkv"])
            o[d + "txt_attn.qkv" + kind] = torch.cat(
                [s[f"{b}attn.add_{p}_proj{kind}"] for p in "qkv"])
        for i in range(SINGLES):
            b, d = f"single_transformer_blocks.{i}.", f"single_blocks.{i}."
            o[d + "linear1" + kind] = torch.cat(
                [s[f"{b}attn.to_{p}{kind}"] for p in "qkv"] + [s[f"{b}proj_mlp{kind}"]])
            o[d + "linear2" + kind] = s[b + "proj_out" + kind]
            if b + "norm.linear" + kind in s:
                o[d + "modulation.lin" + kind] = s[b + "norm.linear" + kind]
    for p, name in (("q", "query"), ("k", "key")):
        for i in range(LAYERS):
            b, d = f"transformer_blocks.{i}.attn.", f"double_blocks.{i}."
            o[f"{d}img_attn.norm.{name}_norm.scale"] = s[f"{b}norm_{p}.weight"]
            o[f"{d}txt_attn.norm.{name}_norm.scale"] = s[f"{b}norm_added_{p}.weight"]
        for i in range(SINGLES):
            o[f"single_blocks.{i}.norm.{name}_norm.scale"] = s[
                f"single_transformer_blocks.{i}.attn.norm_{p}.weight"]
    return o


def converter(family):
    """diffusers' own, in which FLUX.1's width is a number of the code."""
    name = f"convert_{family}_transformer_checkpoint_to_diffusers"
    source = inspect.getsource(getattr(single_file_utils, name))
    assert source.count("inner_dim = 3072") == 1
    space = dict(vars(single_file_utils))
    exec(source.replace("inner_dim = 3072", f"inner_dim = {WIDTH}"), space)
    return space[name]


def float8(state):
    """Matrices as ComfyUI scales them, and the numbers that they then stand for."""
    file, numbers = {"scaled_fp8": torch.zeros(2, dtype=torch.float8_e4m3fn)}, {}
    for name, x in state.items():
        if x.ndim == 2 and name.endswith(".weight"):
            scale = x.abs().max() / 448
            file[name] = (x / scale).to(torch.float8_e4m3fn)
            file[name.removesuffix("weight") + "scale_weight"] = scale.reshape(())
            numbers[name] = file[name].float() * scale
        else:
            file[name] = numbers[name] = x
    return file, numbers


def t5_gguf(t5, path):
    writer = gguf.GGUFWriter(path, "t5encoder")
    names = {"SelfAttention.q": "attn_q", "SelfAttention.k": "attn_k", "SelfAttention.v": "attn_v",
             "SelfAttention.o": "attn_o", "SelfAttention.relative_attention_bias": "attn_rel_b",
             "DenseReluDense.wi_0": "ffn_gate", "DenseReluDense.wi_1": "ffn_up",
             "DenseReluDense.wo": "ffn_down"}
    for name, x in t5.state_dict().items():
        if name == "encoder.embed_tokens.weight":
            continue
        if name == "shared.weight":
            new = "token_embd.weight"
        elif name == "encoder.final_layer_norm.weight":
            new = "enc.output_norm.weight"
        else:
            _, _, block, _, part, inner = name.removesuffix(".weight").split(".", 5)
            short = names.get(inner) or ("attn_norm" if part == "0" else "ffn_norm")
            new = f"enc.blk.{block}.{short}.weight"
        x = x.float().numpy()
        if x.ndim == 2 and x.shape[1] % 32 == 0:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(new, gguf.quants.quantize(x, kind), raw_dtype=kind)
        else:
            writer.add_tensor(new, x)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def transformer_gguf(state, path):
    """As city96's converter writes it, and the numbers that its blocks stand for."""
    writer, numbers = gguf.GGUFWriter(path, "flux"), {}
    for name, x in state.items():
        x = x.float().numpy()
        if x.ndim == 2 and x.shape[1] % 32 == 0:
            kind = gguf.GGMLQuantizationType.Q8_0
            blocks = gguf.quants.quantize(x, kind)
            writer.add_tensor(name, blocks, raw_dtype=kind)
            numbers[name] = torch.from_numpy(gguf.quants.dequantize(blocks, kind))
        else:
            writer.add_tensor(name, x)
            numbers[name] = torch.from_numpy(x)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return numbers


def save(out, name, state):
    save_file({n: x.contiguous().clone() for n, x in state.items()}, out / name)


def main(out):
    torch.manual_seed(36)
    out.mkdir(parents=True, exist_ok=True)
    transformer = rounded(FluxTransformer2DModel(
        in_channels=16, num_layers=LAYERS, num_single_layers=SINGLES, attention_head_dim=32,
        num_attention_heads=2, joint_attention_dim=JOINT, pooled_projection_dim=64,
        guidance_embeds=True, axes_dims_rope=(4, 14, 14)))
    vae = rounded(AutoencoderKL(
        latent_channels=4, block_out_channels=(32, 32), layers_per_block=1, norm_num_groups=32,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        sample_size=32, use_quant_conv=False, use_post_quant_conv=False))
    clip = rounded(CLIPTextModel(CLIPTextConfig(
        vocab_size=60, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=1, hidden_act="quick_gelu", max_position_embeddings=TOKENS,
        bos_token_id=58, eos_token_id=59, pad_token_id=59)))
    t5 = rounded(T5EncoderModel(T5Config(
        vocab_size=60, d_model=JOINT, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu")))
    original = original_transformer({n: x.clone() for n, x in transformer.state_dict().items()})
    convert = converter("flux")
    back = convert(dict(original))
    assert back.keys() == transformer.state_dict().keys()
    assert all(torch.equal(back[n], x) for n, x in transformer.state_dict().items())

    ids = torch.randint(0, 58, (2, TOKENS))
    ids[:, 0] = 58
    ids[0, 7:] = 59
    ids[1, 4:] = 59
    text = torch.randn(2, FEW_TOKENS, JOINT)
    latents = torch.randn(2, 4, 6, 10)
    timesteps = torch.tensor([17.5, 803.25])
    long_ids = torch.zeros(1, 512, dtype=torch.long)
    long_ids[0, :5] = torch.tensor([5, 17, 3, 40, 1])
    golden = {"ids": ids.int(), "context": text, "latents": nhwc(latents), "timesteps": timesteps,
              "t5_ids": long_ids.int()}
    file8, numbers8 = float8(original)
    with torch.no_grad():
        pooled = clip(ids).pooler_output
        golden |= {"pooled": pooled, "t5": t5(long_ids)[0]}
        z = torch.randn(1, 4, 5, 7)
        golden |= {"z": nhwc(z), "decoded": nhwc(vae.decode(z).sample)}

        def answer():
            return nhwc(predict(transformer, latents, timesteps, text, pooled, True))

        golden["prediction"] = answer()
        transformer.load_state_dict(convert(dict(numbers8)))
        golden["prediction.fp8"] = answer()
        numbers = transformer_gguf(original, out / "transformer.gguf")
        transformer.load_state_dict(convert(dict(numbers)))
        golden["prediction.gguf"] = answer()
    clip_file = {"text_model." + n.removeprefix("text_model."): x for n, x in clip.state_dict().items()
                 if not n.endswith("position_ids")}
    t5_file = {n: x for n, x in t5.state_dict().items() if n != "encoder.embed_tokens.weight"}
    vae_file = original_vae(vae.state_dict())
    half = torch.float16
    save(out, "transformer.safetensors", {n: x.to(half) for n, x in original.items()})
    save(out, "clip_l.safetensors", {n: x.to(half) for n, x in clip_file.items()})
    save(out, "t5.safetensors", {n: x.to(half) for n, x in t5_file.items()})
    save(out, "ae.safetensors", {n: x.to(half) for n, x in vae_file.items()})
    whole = {"model.diffusion_model." + n: x if x.dtype != torch.float32 or n.endswith("scale_weight")
             else x.to(half) for n, x in file8.items()}
    whole |= {"text_encoders.clip_l.transformer." + n: x.to(half) for n, x in clip_file.items()}
    whole |= {"text_encoders.t5xxl.transformer." + n: x.to(half) for n, x in t5_file.items()}
    whole |= {"vae." + n: x.to(half) for n, x in vae_file.items()}
    save(out, "fp8.safetensors", whole)
    t5_gguf(t5, out / "t5.gguf")
    vae.half().save_pretrained(out / "vae")
    save_file({k: v.contiguous() for k, v in golden.items()}, out / "golden.safetensors")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
