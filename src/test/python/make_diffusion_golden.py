"""Golden files of tiny random diffusion models in the shapes of SD 1.5, 2.1 and SDXL.

    python src/test/python/make_diffusion_golden.py src/test/resources/golden

For each: a base in diffusers' layout (f16), and what diffusers, transformers and peft compute from it
in f32: text states, VAE moments and images, the UNet's prediction, every adapter gradient, ten AdamW
steps; and the gradients of adapters on convolutions and text encoders, which hooks add to each
layer's output. Images are written NHWC.
"""

import pathlib
import sys

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from diffusion_training import adamw, encoder_layers, hooked, nhwc, rounded

BATCH, HEIGHT, WIDTH, TOKENS = 2, 6, 10, 12


def text_config(hidden, act, projection):
    return CLIPTextConfig(vocab_size=60, hidden_size=hidden, intermediate_size=2 * hidden,
                          num_hidden_layers=3, num_attention_heads=4, hidden_act=act,
                          max_position_embeddings=TOKENS, projection_dim=projection,
                          bos_token_id=58, eos_token_id=59, pad_token_id=59)


CASES = {
    "sd15": dict(
        unet=dict(block_out_channels=(16, 32, 32), layers_per_block=1, attention_head_dim=4,
                  cross_attention_dim=24, norm_num_groups=8,
                  down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
                  up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")),
        text=[(CLIPTextModel, text_config(24, "quick_gelu", 24))], velocity=False),
    "sd21": dict(
        unet=dict(block_out_channels=(16, 32), layers_per_block=2, attention_head_dim=(2, 4),
                  cross_attention_dim=32, norm_num_groups=8, use_linear_projection=True,
                  down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                  up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")),
        text=[(CLIPTextModel, text_config(32, "gelu", 32))], velocity=True),
    "sdxl": dict(
        unet=dict(block_out_channels=(16, 32), layers_per_block=1, attention_head_dim=(2, 4),
                  cross_attention_dim=44, norm_num_groups=8, use_linear_projection=True,
                  transformer_layers_per_block=(1, 2), addition_embed_type="text_time",
                  addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 6 * 8,
                  down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                  up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")),
        text=[(CLIPTextModel, text_config(24, "quick_gelu", 24)),
              (CLIPTextModelWithProjection, text_config(20, "gelu", 20))], velocity=False),
}
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"]


def encode(texts, ids):
    """Text states and, of SDXL, the pooled ones."""
    if len(texts) == 1:
        return texts[0](ids).last_hidden_state, None
    states = [t(ids, output_hidden_states=True) for t in texts]
    return torch.cat([s.hidden_states[-2] for s in states], -1), states[1].text_embeds


def make(name, case, out):
    torch.manual_seed(sum(map(ord, name)))
    base = out / name / "base"
    golden = {}
    unet = rounded(UNet2DConditionModel(sample_size=8, in_channels=4, out_channels=4,
                                        **case["unet"]))
    vae = rounded(AutoencoderKL(block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
                                down_block_types=("DownEncoderBlock2D",) * 2,
                                up_block_types=("UpDecoderBlock2D",) * 2, sample_size=16))
    texts = [rounded(cls(config)) for cls, config in case["text"]]
    unet.half().save_pretrained(base / "unet")
    vae.half().save_pretrained(base / "vae")
    unet.float(), vae.float()
    for i, text in enumerate(texts):
        text.half().save_pretrained(base / ("text_encoder" if i == 0 else "text_encoder_2"))
        text.float()
    prediction = "v_prediction" if case["velocity"] else "epsilon"
    (base / "scheduler").mkdir(parents=True, exist_ok=True)
    (base / "scheduler" / "scheduler_config.json").write_text(
        '{"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,\n'
        ' "beta_schedule": "scaled_linear", "prediction_type": "%s", "steps_offset": 1,\n'
        ' "set_alpha_to_one": false}\n' % prediction)
    (base / "model_index.json").write_text("{}\n")

    ids = torch.randint(0, 58, (BATCH, TOKENS))
    ids[:, 0] = 58
    ids[0, 7:] = 59
    ids[1, 4:] = 59
    golden["ids"] = ids.int()
    with torch.no_grad():
        if len(texts) == 1:
            context = texts[0](ids).last_hidden_state
            golden["text.skip1"] = texts[0].text_model.final_layer_norm(
                texts[0](ids, output_hidden_states=True).hidden_states[-2]) \
                if hasattr(texts[0], "text_model") else texts[0].final_layer_norm(
                texts[0](ids, output_hidden_states=True).hidden_states[-2])
            pooled = None
        else:
            states = [t(ids, output_hidden_states=True) for t in texts]
            context = torch.cat([s.hidden_states[-2] for s in states], -1)
            pooled = states[1].text_embeds
            golden["pooled"] = pooled
        golden["text"] = context
        image = torch.rand(1, 3, 20, 28) * 2 - 1
        golden["image"] = nhwc(image)
        golden["moments"] = nhwc(vae.encode(image).latent_dist.parameters)
        z = torch.randn(1, 4, 5, 7)
        golden["z"] = nhwc(z)
        golden["decoded"] = nhwc(vae.decode(z).sample)

    latents = torch.randn(BATCH, 4, HEIGHT, WIDTH)
    target = torch.randn(BATCH, 4, HEIGHT, WIDTH)
    weights = torch.tensor([1.0, 0.5])
    timesteps = torch.tensor([17.0, 803.0])
    sizes = torch.tensor([[64.0, 80, 0, 8, 48, 80], [48.0, 80, 4, 0, 48, 80]])
    added = {} if pooled is None else {
        "added_cond_kwargs": {"text_embeds": pooled, "time_ids": sizes}}
    golden |= {"latents": nhwc(latents), "target": nhwc(target), "weights": weights,
               "timesteps": timesteps, "sizes": sizes}

    def predict():
        return unet(latents, timesteps, context, **added).sample

    with torch.no_grad():
        golden["prediction"] = nhwc(predict())
    golden |= adamw(unet, "unet.", TARGETS, predict, target, weights)
    unet.disable_adapters()

    def encode_and_predict():
        context, pooled = encode(texts, ids)
        added = {} if pooled is None else {
            "added_cond_kwargs": {"text_embeds": pooled, "time_ids": sizes}}
        return unet(latents, timesteps, context, **added).sample

    layers = {"unet." + n: layer for n, layer in unet.named_modules()
              if n.endswith((".conv1", ".conv2", ".conv_shortcut", "samplers.0.conv"))}
    golden |= hooked(layers | encoder_layers(texts), encode_and_predict, target, weights)
    save_file({k: v.contiguous() for k, v in golden.items()}, out / name / "golden.safetensors")
    print(name, "parameters", sum(p.numel() for p in unet.parameters()), "losses",
          golden["losses"][0], golden["losses"][-1])


if __name__ == "__main__":
    torch.set_num_threads(2)
    for case_name, settings in CASES.items():
        make(case_name, settings, pathlib.Path(sys.argv[1]))
