"""A tiny Stable Diffusion 3.5 of one file, and what diffusers computes from it.

    python src/test/python/make_sd3_single_golden.py src/test/resources/golden/single-sd3

The file has Stability AI's names for transformer and VAE and ComfyUI's for the text encoders. That the
names are right is diffusers' word: its own converters must give the models' state back.
"""

import pathlib
import sys

import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel
from diffusers.loaders.single_file_utils import (convert_ldm_vae_checkpoint,
                                                 convert_sd3_transformer_checkpoint_to_diffusers)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, T5Config, T5EncoderModel

from diffusion_training import nhwc, rounded
from single_files import exchanged, original_vae

JOINT, TOKENS, FEW_TOKENS, LAYERS = 192, 12, 20, 2


def original_transformer(s):
    """The inverse of diffusers' conversion."""
    o = {}
    outside = {"x_embedder.proj": "pos_embed.proj", "context_embedder": "context_embedder",
               "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
               "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
               "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
               "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
               "final_layer.linear": "proj_out"}
    o["pos_embed"] = s["pos_embed.pos_embed"]
    for kind in (".weight", ".bias"):
        for new, old in outside.items():
            o[new + kind] = s[old + kind]
        o["final_layer.adaLN_modulation.1" + kind] = exchanged(s["norm_out.linear" + kind])
        for i in range(LAYERS):
            b, j = f"transformer_blocks.{i}.", f"joint_blocks.{i}."
            last = i == LAYERS - 1
            o[j + "x_block.attn.qkv" + kind] = torch.cat([s[f"{b}attn.to_{p}{kind}"] for p in "qkv"])
            o[j + "context_block.attn.qkv" + kind] = torch.cat(
                [s[f"{b}attn.add_{p}_proj{kind}"] for p in "qkv"])
            o[j + "x_block.attn.proj" + kind] = s[b + "attn.to_out.0" + kind]
            if b + "attn2.to_q.weight" in s:
                o[j + "x_block.attn2.qkv" + kind] = torch.cat(
                    [s[f"{b}attn2.to_{p}{kind}"] for p in "qkv"])
                o[j + "x_block.attn2.proj" + kind] = s[b + "attn2.to_out.0" + kind]
            o[j + "x_block.mlp.fc1" + kind] = s[b + "ff.net.0.proj" + kind]
            o[j + "x_block.mlp.fc2" + kind] = s[b + "ff.net.2" + kind]
            o[j + "x_block.adaLN_modulation.1" + kind] = s[b + "norm1.linear" + kind]
            text = s[b + "norm1_context.linear" + kind]
            o[j + "context_block.adaLN_modulation.1" + kind] = exchanged(text) if last else text
            if not last:
                o[j + "context_block.attn.proj" + kind] = s[b + "attn.to_add_out" + kind]
                o[j + "context_block.mlp.fc1" + kind] = s[b + "ff_context.net.0.proj" + kind]
                o[j + "context_block.mlp.fc2" + kind] = s[b + "ff_context.net.2" + kind]
            if kind == ".weight":
                for p in "qk":
                    o[f"{j}x_block.attn.ln_{p}{kind}"] = s[f"{b}attn.norm_{p}{kind}"]
                    o[f"{j}context_block.attn.ln_{p}{kind}"] = s[f"{b}attn.norm_added_{p}{kind}"]
                    if b + "attn2.norm_q.weight" in s:
                        o[f"{j}x_block.attn2.ln_{p}{kind}"] = s[f"{b}attn2.norm_{p}{kind}"]
    return o


def clip(hidden, act):
    return rounded(CLIPTextModelWithProjection(CLIPTextConfig(
        vocab_size=60, hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=2,
        num_attention_heads=hidden // 64, hidden_act=act, projection_dim=hidden,
        max_position_embeddings=TOKENS, bos_token_id=58, eos_token_id=59, pad_token_id=59)))


torch.manual_seed(35)
out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
transformer = rounded(SD3Transformer2DModel(
    sample_size=128, in_channels=4, out_channels=4, num_layers=LAYERS, attention_head_dim=8,
    num_attention_heads=4, joint_attention_dim=JOINT, caption_projection_dim=32,
    pooled_projection_dim=192, pos_embed_max_size=8, qk_norm="rms_norm", dual_attention_layers=(0,)))
vae = rounded(AutoencoderKL(
    latent_channels=4, block_out_channels=(32, 32), layers_per_block=1, norm_num_groups=32,
    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    sample_size=32, use_quant_conv=False, use_post_quant_conv=False))
clips = [clip(64, "quick_gelu"), clip(128, "gelu")]
t5 = rounded(T5EncoderModel(T5Config(vocab_size=60, d_model=JOINT, d_kv=8, d_ff=64, num_layers=2,
                                     num_heads=4, feed_forward_proj="gated-gelu")))
file = {"model.diffusion_model." + n: x for n, x in original_transformer(transformer.state_dict()).items()}
back = convert_sd3_transformer_checkpoint_to_diffusers(dict(file))
assert back.keys() == transformer.state_dict().keys()
assert all(torch.equal(back[n], x) for n, x in transformer.state_dict().items())
vae_file = {"first_stage_model." + n: x for n, x in original_vae(vae.state_dict()).items()}
back = convert_ldm_vae_checkpoint(dict(vae_file), dict(vae.config))
assert back.keys() == vae.state_dict().keys()
assert all(torch.equal(back[n].reshape(x.shape), x) for n, x in vae.state_dict().items())
file |= vae_file
for part, model in (("clip_l", clips[0]), ("clip_g", clips[1]), ("t5xxl", t5)):
    for n, x in model.state_dict().items():
        if n == "encoder.embed_tokens.weight":
            continue
        if part != "t5xxl" and not n.startswith(("text_model.", "text_projection.")):
            n = "text_model." + n
        file[f"text_encoders.{part}.transformer.{n}"] = x
save_file({n: x.half().contiguous() for n, x in file.items()}, out / "model.safetensors")

ids = torch.randint(0, 58, (1, TOKENS))
ids[0, 0], ids[0, 7:] = 58, 59
long_ids = torch.zeros(1, 256, dtype=torch.long)
long_ids[0, :5] = torch.tensor([5, 17, 3, 40, 1])
latents = torch.randn(1, 4, 6, 10)
image = torch.rand(1, 3, 12, 20) * 2 - 1
golden = {"ids": ids.int(), "t5_ids": long_ids.int(), "latents": nhwc(latents), "image": nhwc(image),
          "timesteps": torch.tensor([803.25])}
with torch.no_grad():
    states = [c(ids, output_hidden_states=True) for c in clips]
    joined = torch.cat([s.hidden_states[-2] for s in states], -1)
    text = torch.cat([torch.nn.functional.pad(joined, (0, JOINT - joined.shape[-1])),
                      t5(long_ids)[0]], -2)
    pooled = torch.cat([s.text_embeds for s in states], -1)
    context = text[:, :FEW_TOKENS].clone()
    golden |= {"text": text, "pooled": pooled, "context": context,
               "moments": nhwc(vae.encode(image).latent_dist.parameters),
               "decoded": nhwc(vae.decode(latents).sample),
               "prediction": nhwc(transformer(latents, context, pooled, golden["timesteps"],
                                              return_dict=False)[0])}
save_file({k: v.contiguous() for k, v in golden.items()}, out / "golden.safetensors")
