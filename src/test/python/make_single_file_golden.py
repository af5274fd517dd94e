"""Checkpoints of one file in the original layout, tiny, and what diffusers makes of them.

    python src/test/python/make_single_file_golden.py src/test/resources/golden

Random models of SD 1.x, 2.x and XL kind are written under the original names; diffusers' own
converters must give the models back exactly, else this fails. Images are written NHWC.
"""

import pathlib
import re
import sys

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders import single_file_utils as converters
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

TOKENS = 8
UNETS = {
    "sd1": dict(attention_head_dim=8, cross_attention_dim=24),
    "sd2": dict(attention_head_dim=1, cross_attention_dim=24, use_linear_projection=True),
    "xl": dict(attention_head_dim=1, cross_attention_dim=44, use_linear_projection=True,
               transformer_layers_per_block=(1, 2), addition_embed_type="text_time",
               addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 6 * 8),
}
RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
          "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
OUTSIDE = {"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0",
           "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
           "add_embedding.linear_2": "label_emb.0.2", "conv_norm_out": "out.0", "conv_out": "out.2"}


def text_config(hidden, act, layers):
    return CLIPTextConfig(vocab_size=60, hidden_size=hidden, intermediate_size=2 * hidden,
                          num_hidden_layers=layers, num_attention_heads=1, hidden_act=act,
                          max_position_embeddings=TOKENS, projection_dim=hidden,
                          bos_token_id=58, eos_token_id=59, pad_token_id=59)


def random(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 1:
                p.copy_(torch.randn_like(p) * 0.1 + ("norm" in name and "weight" in name))
    return model.half().float().eval()


def unet_name(name, xl):
    for ours, theirs in OUTSIDE.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    m = re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions)\.(\d)\.(.*)", name)
    if m:
        n = int(m[2]) * 3 + int(m[4])
        place = f"input_blocks.{n + 1}" if m[1] == "down" else f"output_blocks.{n}"
        return place + (".0." + resnet(m[5]) if m[3] == "resnets" else ".1." + m[5])
    m = re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name)
    if m:
        return ("middle_block.1." + m[3] if m[1] == "attentions"
                else f"middle_block.{2 * int(m[2])}." + resnet(m[3]))
    m = re.match(r"down_blocks\.(\d)\.downsamplers\.0\.conv(.*)", name)
    if m:
        return f"input_blocks.{3 * int(m[1]) + 3}.0.op{m[2]}"
    m = re.match(r"up_blocks\.(\d)\.upsamplers\.0\.conv(.*)", name)
    # XL's innermost level attends here, that of the others does not.
    return f"output_blocks.{3 * int(m[1]) + 2}.{2 if xl else 1}.conv{m[2]}"


def resnet(rest):
    part = rest.split(".")[0]
    return RESNET[part] + rest[len(part):]


def vae_name(name, levels=2):
    name = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.",
                  lambda m: f"up.{levels - 1 - int(m[1])}.block.", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0",
                  lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)
    for ours, theirs in (("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"),
                         ("mid_block.attentions.0", "mid.attn_1"), ("group_norm", "norm"),
                         ("to_out.0", "proj_out"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"),
                         ("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut")):
        name = name.replace(ours, theirs)
    return name


def without_model(model):
    return {k.removeprefix("text_model."): v for k, v in model.state_dict().items()
            if "position_ids" not in k}


def clip(prefix, model):
    return {f"{prefix}text_model.{k}": v for k, v in without_model(model).items()}


def open_clip(prefix, model, extra_layer):
    tensors, state = {}, without_model(model)
    tensors["token_embedding.weight"] = state["embeddings.token_embedding.weight"]
    tensors["positional_embedding"] = state["embeddings.position_embedding.weight"]
    hidden = state["final_layer_norm.weight"].shape[0]
    tensors["text_projection"] = state["text_projection.weight"].T \
        if "text_projection.weight" in state else torch.randn(hidden, hidden)
    layers = model.config.num_hidden_layers
    for i in range(layers + extra_layer):
        source = f"encoder.layers.{min(i, layers - 1)}."
        to = f"transformer.resblocks.{i}."
        for kind in ("weight", "bias"):
            def at(name):
                return state[source + name + "." + kind]
            tensors[to + "attn.in_proj_" + kind] = torch.cat(
                [at(f"self_attn.{p}_proj") for p in "qkv"])
            for ours, theirs in (("self_attn.out_proj", "attn.out_proj"), ("mlp.fc1", "mlp.c_fc"),
                                 ("mlp.fc2", "mlp.c_proj"), ("layer_norm1", "ln_1"),
                                 ("layer_norm2", "ln_2")):
                tensors[to + theirs + "." + kind] = at(ours)
    for kind in ("weight", "bias"):
        tensors["ln_final." + kind] = state["final_layer_norm." + kind]
    return {prefix + k: v for k, v in tensors.items()}


def same(converted, model, what):
    expected = {k: v for k, v in model.state_dict().items() if "position_ids" not in k}
    assert converted.keys() == expected.keys(), (what, converted.keys() ^ expected.keys())
    for k, v in expected.items():
        assert torch.equal(converted[k].reshape(v.shape).float(), v), (what, k)


def nhwc(x):
    return x.permute(0, 2, 3, 1).contiguous()


def make(kind, out):
    torch.manual_seed(sum(map(ord, kind)))
    xl = kind == "xl"
    cross, plain = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D"), ("DownBlock2D", "UpBlock2D")
    down, up = ((plain[0], cross[0]), (cross[1], plain[1])) if xl else \
        ((cross[0], plain[0]), (plain[1], cross[1]))
    unet = random(UNet2DConditionModel(sample_size=8, block_out_channels=(32, 32),
                                       layers_per_block=2, down_block_types=down,
                                       up_block_types=up, **UNETS[kind]))
    vae = random(AutoencoderKL(block_out_channels=(32, 32), layers_per_block=1,
                               down_block_types=("DownEncoderBlock2D",) * 2,
                               up_block_types=("UpDecoderBlock2D",) * 2))
    first = random(CLIPTextModel(text_config(24, "gelu" if kind == "sd2" else "quick_gelu", 2)))
    tensors = {"model.diffusion_model." + unet_name(k, xl): v for k, v in unet.state_dict().items()}
    for k, v in vae.state_dict().items():
        square = "attentions" in k and k.endswith("weight") and v.ndim == 2
        tensors["first_stage_model." + vae_name(k)] = v[:, :, None, None] if square else v
    texts = [first]
    if xl:
        texts.append(random(CLIPTextModelWithProjection(text_config(20, "gelu", 3))))
        tensors |= clip("conditioner.embedders.0.transformer.", first)
        tensors |= open_clip("conditioner.embedders.1.model.", texts[1], 0)
    elif kind == "sd2":
        tensors |= open_clip("cond_stage_model.model.", first, 1)
    else:
        tensors |= clip("cond_stage_model.transformer.", first)

    config = dict(unet.config) | {"class_embed_type": None, "num_class_embeds": None}
    same(converters.convert_ldm_unet_checkpoint(dict(tensors), config), unet, "unet")
    same(converters.convert_ldm_vae_checkpoint(dict(tensors), vae.config), vae, "vae")

    golden = {}
    ids = torch.randint(0, 58, (2, TOKENS))
    ids[:, 0], ids[0, 5:], ids[1, 3:] = 58, 59, 59
    golden["ids"] = ids.int()
    latents, timesteps = torch.randn(2, 4, 6, 4), torch.tensor([17.0, 803.0])
    sizes = torch.tensor([[64.0, 80, 0, 8, 48, 80], [48.0, 80, 4, 0, 48, 80]])
    image, z = torch.rand(1, 3, 8, 12) * 2 - 1, torch.randn(1, 4, 5, 3)
    with torch.no_grad():
        added = {}
        if xl:
            states = [t(ids, output_hidden_states=True) for t in texts]
            context = torch.cat([s.hidden_states[-2] for s in states], -1)
            golden["pooled"] = states[1].text_embeds
            added = {"added_cond_kwargs": {"text_embeds": golden["pooled"], "time_ids": sizes}}
        else:
            context = first(ids).last_hidden_state
        golden |= {"text": context, "latents": nhwc(latents), "timesteps": timesteps,
                   "sizes": sizes, "image": nhwc(image), "z": nhwc(z),
                   "prediction": nhwc(unet(latents, timesteps, context, **added).sample),
                   "moments": nhwc(vae.encode(image).latent_dist.parameters),
                   "decoded": nhwc(vae.decode(z).sample)}
    folder = out / ("single-" + kind)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().contiguous() for k, v in tensors.items()}, folder / "model.safetensors")
    save_file({k: v.contiguous() for k, v in golden.items()}, folder / "golden.safetensors")
    print(kind, len(tensors), "tensors", sum(v.numel() for v in tensors.values()), "numbers")


if __name__ == "__main__":
    torch.set_num_threads(2)
    for name in UNETS:
        make(name, pathlib.Path(sys.argv[1]))
