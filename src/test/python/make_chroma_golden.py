"""Golden files of a tiny random model in the shape of Chroma.

    python src/test/python/make_chroma_golden.py src/test/resources/golden

A base in diffusers' layout (f16), and what diffusers, transformers and peft compute from it in f32, as
make_flux_golden.py. No token of T5 sees padding; the transformer sees its first token alone. The mask is
given as booleans: ChromaPipeline of diffusers 0.42.1 hands numbers on, which torch adds to the scores
(issues 12116 and 13619 of diffusers), so that nothing is hidden.
"""

import pathlib
import sys

import torch
from diffusers import ChromaTransformer2DModel, FluxPipeline
from safetensors.torch import save_file

from diffusion_training import adamw, nhwc, rounded
from flow_golden import images, lesson, save_base, t5_texts, tiny_vae
from make_flux_golden import FEW_TOKENS, T5_TOKENS, TARGETS, packed, unpacked
from make_sd3_golden import JOINT, t5_model

FEW_LENGTHS = [4, 8]  # of the texts that the transformer alone is shown, ends included
ADAPTED = [t for t in TARGETS if t not in ("norm1.linear", "norm1_context.linear", "norm.linear",
                                           "norm_out.linear", "text_embedder.linear_1")]
ADAPTED += ["in_proj", "linear_2", "out_proj"]


def chroma(**numbers):
    """With weights that f16 holds; the table of modulations' numbers, which no file holds, is not rounded."""
    model = ChromaTransformer2DModel(**numbers)
    model.load_state_dict(rounded(ChromaTransformer2DModel(**numbers)).state_dict())
    return model


def shown(lengths, tokens):
    """A text and its first token of padding."""
    return torch.arange(tokens)[None] <= torch.tensor(lengths)[:, None]


def predict(transformer, latents, timesteps, text, mask):
    batch, _, height, width = latents.shape
    image = height // 2 * (width // 2)
    tokens = transformer(
        hidden_states=packed(latents), encoder_hidden_states=text, timestep=timesteps / 1000,
        attention_mask=torch.cat([mask, torch.ones(batch, image, dtype=torch.bool)], 1),
        img_ids=FluxPipeline._prepare_latent_image_ids(batch, height // 2, width // 2, "cpu",
                                                       torch.float32),
        txt_ids=torch.zeros(text.shape[1], 3), return_dict=False)[0]
    return unpacked(tokens, height, width)


def make(out):
    torch.manual_seed(44)
    base = out / "chroma" / "base"
    transformer = chroma(
        in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=JOINT, axes_dims_rope=(4, 6, 6),
        approximator_num_channels=32, approximator_hidden_dim=40, approximator_layers=2)
    vae = tiny_vae(0.3611, 0.1159)
    t5 = t5_model()
    save_base(base, "ChromaPipeline",
              {"transformer": transformer, "vae": vae, "text_encoder": t5}, shift=3.0, use_dynamic_shifting=True)

    ids, golden = t5_texts(T5_TOKENS, 400)
    lengths = [9, 401]
    golden |= {
              "t5_padding": torch.tensor([T5_TOKENS - n for n in lengths]).int(),
              "padding": (~shown(FEW_LENGTHS, FEW_TOKENS)).sum(1).int()}
    mask = shown(FEW_LENGTHS, FEW_TOKENS)
    with torch.no_grad():
        text = t5(ids, attention_mask=(torch.arange(T5_TOKENS)[None] < torch.tensor(lengths)[:, None])
                  .long())[0]
        context = text[:, :FEW_TOKENS].contiguous()
        golden |= {"text": text, "context": context}
    golden |= images(vae)

    latents, target, weights, timesteps, tensors = lesson()
    golden |= tensors

    def answer():
        return predict(transformer, latents, timesteps, context, mask)

    with torch.no_grad():
        golden["prediction"] = nhwc(answer())
        other = context.clone()
        other[~mask] += 1
        again = nhwc(predict(transformer, latents, timesteps, other, mask))
        assert torch.equal(golden["prediction"], again), "padding shows"
    golden |= adamw(transformer, "transformer.", ADAPTED, answer, target, weights)
    save_file({k: v.contiguous() for k, v in golden.items()}, out / "chroma" / "golden.safetensors")
    print("chroma parameters", sum(p.numel() for p in transformer.parameters()), "losses",
          golden["losses"][0], golden["losses"][-1])


if __name__ == "__main__":
    torch.set_num_threads(2)
    make(pathlib.Path(sys.argv[1]))
