"""Golden files of tiny random models in the shapes of FLUX.1.

    python src/test/python/make_flux_golden.py src/test/resources/golden

For each: a base in diffusers' layout (f16), and what diffusers, transformers and peft compute from it
in f32, as make_diffusion_golden.py: text states, VAE moments and images, the transformer's prediction,
every adapter gradient, ten AdamW steps; and the gradients of adapters on CLIP, which hooks add to each
layer's output. "flux-dev" is told a guidance, "flux-schnell" is not.
"""

import pathlib
import sys

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

from diffusion_training import adamw, encoder_layers, hooked, nhwc, rounded
from flow_golden import images, lesson, save_base, t5_texts, tiny_vae
from make_diffusion_golden import BATCH, TOKENS, text_config
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
    vae = tiny_vae(0.3611, 0.1159)
    clip = rounded(CLIPTextModel(text_config(24, "quick_gelu", 24)))
    t5 = t5_model()
    save_base(base, "FluxPipeline",
              {"transformer": transformer, "vae": vae, "text_encoder": clip, "text_encoder_2": t5}, **case["scheduler"])

    ids = torch.randint(0, 58, (BATCH, TOKENS))
    ids[:, 0] = 58
    ids[0, 7:] = 59
    ids[1, 4:] = 59
    golden["ids"] = ids.int()
    long_ids, tensors = t5_texts(T5_TOKENS, 400)
    golden |= tensors

    def pool():
        return clip(ids).pooler_output

    with torch.no_grad():
        text, pooled = t5(long_ids)[0], pool()
        context = text[:, :FEW_TOKENS].contiguous()
        golden |= {"text": text, "pooled": pooled, "context": context,
                   "guidance": torch.full((BATCH,), GUIDANCE)}
    golden |= images(vae)

    latents, target, weights, timesteps, tensors = lesson()
    golden |= tensors

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
