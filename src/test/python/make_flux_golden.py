"""Golden files of tiny random models in the shapes of FLUX.1.

    python src/test/python/make_flux_golden.py src/test/resources/golden

For each: a base in diffusers' layout (f16), and what diffusers, transformers and peft compute from it
in f32, as make_diffusion_golden.py: text states, VAE moments and images, the transformer's prediction,
every adapter gradient, ten AdamW steps; and the gradients of adapters on CLIP, which hooks add to each
layer's output. "flux-dev" is told a guidance, "flux-schnell" is not.
"""

import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, FluxPipeline, FluxTransformer2DModel
from safetensors.torch import save_file
from transformers import CLIPTextModel
from transformers.models.t5.modeling_t5 import T5Attention

from diffusion_training import adamw, encoder_layers, hooked, nhwc, rounded
from make_diffusion_golden import BATCH, HEIGHT, TOKENS, WIDTH, text_config
from make_sd3_golden import JOINT, TARGETS as MMDIT_TARGETS, t5_model

T5_TOKENS = 512
FEW_TOKENS = 11  # of the text that the transformer alone is shown, so that emulators end
CASES = {
    "flux-dev": dict(guidance=True, scheduler=dict(shift=3.0, use_dynamic_shifting=True)),
    "flux-schnell": dict(guidance=False, scheduler=dict(shift=1.0)),
}
GUIDANCE = 2.5
TARGETS = MMDIT_TARGETS + ["norm.linear", "proj_mlp", "x_embedder"]


def packed(x):
    """Latents [B, C, h, w] as the pipeline makes them tokens."""
    return FluxPipeline._pack_latents(x, *x.shape)


def unpacked(tokens, height, width):
    return FluxPipeline._unpack_latents(tokens, height * 8, width * 8, 8)


def predict(transformer, latents, timesteps, text, pooled, guidance):
    batch, _, height, width = latents.shape
    tokens = transformer(
        hidden_states=packed(latents), encoder_hidden_states=text, pooled_projections=pooled,
        timestep=timesteps / 1000, guidance=torch.full((batch,), GUIDANCE) if guidance else None,
        img_ids=FluxPipeline._prepare_latent_image_ids(batch, height // 2, width // 2, "cpu",
                                                       torch.float32),
        txt_ids=torch.zeros(text.shape[1], 3), return_dict=False)[0]
    return unpacked(tokens, height, width)


def make(name, case, out):
    torch.manual_seed(sum(map(ord, name)))
    base = out / name / "base"
    golden = {}
    transformer = rounded(FluxTransformer2DModel(
        in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=JOINT, pooled_projection_dim=24,
        guidance_embeds=case["guidance"], axes_dims_rope=(4, 6, 6)))
    vae = rounded(AutoencoderKL(
        latent_channels=4, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        sample_size=32, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=0.3611,
        shift_factor=0.1159))
    clip = rounded(CLIPTextModel(text_config(24, "quick_gelu", 24)))
    t5 = t5_model()
    for part, model in {"transformer": transformer, "vae": vae, "text_encoder": clip,
                        "text_encoder_2": t5}.items():
        model.half().save_pretrained(base / part)
        model.float()
    (base / "scheduler").mkdir(parents=True, exist_ok=True)
    (base / "scheduler" / "scheduler_config.json").write_text(json.dumps(
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000}
        | case["scheduler"]) + "\n")
    (base / "model_index.json").write_text('{"_class_name": "FluxPipeline"}\n')

    ids = torch.randint(0, 58, (BATCH, TOKENS))
    ids[:, 0] = 58
    ids[0, 7:] = 59
    ids[1, 4:] = 59
    golden["ids"] = ids.int()
    long_ids = torch.zeros(BATCH, T5_TOKENS, dtype=torch.long)
    long_ids[0, :9] = torch.tensor([5, 17, 3, 40, 59, 8, 8, 21, 1])
    long_ids[1, :400] = torch.randint(2, 60, (400,))
    long_ids[1, 400] = 1
    distance = torch.arange(-(T5_TOKENS - 1), T5_TOKENS)
    golden["t5_ids"] = long_ids.int()
    golden["distances"] = T5Attention._relative_position_bucket(distance).int()

    def pool():
        return clip(ids).pooler_output

    with torch.no_grad():
        text, pooled = t5(long_ids)[0], pool()
        context = text[:, :FEW_TOKENS].contiguous()
        golden |= {"text": text, "pooled": pooled, "context": context,
                   "guidance": torch.full((BATCH,), GUIDANCE)}
        image = torch.rand(1, 3, 20, 28) * 2 - 1
        golden["image"] = nhwc(image)
        golden["moments"] = nhwc(vae.encode(image).latent_dist.parameters)
        z = torch.randn(1, 4, 5, 7)
        golden["z"] = nhwc(z)
        golden["decoded"] = nhwc(vae.decode(z).sample)

    latents = torch.randn(BATCH, 4, HEIGHT, WIDTH)
    target = torch.randn(BATCH, 4, HEIGHT, WIDTH)
    weights = torch.tensor([1.0, 0.5])
    timesteps = torch.tensor([17.5, 803.25])
    golden |= {"latents": nhwc(latents), "target": nhwc(target), "weights": weights,
               "timesteps": timesteps}

    def answer(text, pooled):
        return predict(transformer, latents, timesteps, text, pooled, case["guidance"])

    with torch.no_grad():
        golden["prediction"] = nhwc(answer(context, pooled))
    golden |= adamw(transformer, "transformer.", TARGETS, lambda: answer(context, pooled), target,
                    weights)
    transformer.disable_adapters()
    golden |= hooked(encoder_layers([clip]), lambda: answer(text, pool()), target, weights)
    save_file({k: v.contiguous() for k, v in golden.items()}, out / name / "golden.safetensors")
    print(name, "parameters", sum(p.numel() for p in transformer.parameters()), "losses",
          golden["losses"][0], golden["losses"][-1])


if __name__ == "__main__":
    torch.set_num_threads(2)
    for case_name, settings in CASES.items():
        make(case_name, settings, pathlib.Path(sys.argv[1]))
