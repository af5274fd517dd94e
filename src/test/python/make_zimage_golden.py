"""Golden files of a tiny random model in the shape of Z-Image.

    python src/test/python/make_zimage_golden.py src/test/resources/golden

A base in diffusers' layout (f16), and what diffusers, transformers and peft compute from it in f32, as
make_flux_golden.py. The two texts are filled up to 32 and 64 tokens, the image of 15 tokens to 32.
"""

import copy
import pathlib
import sys

import torch
from diffusers import ZImageTransformer2DModel
from diffusers.loaders.single_file_utils import convert_z_image_transformer_checkpoint_to_diffusers
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

from diffusion_training import adamw, nhwc, rounded
from flow_golden import images, lesson, save_base, tiny_vae
from make_diffusion_golden import BATCH

TOKENS, FEW_TOKENS, HIDDEN = 512, 64, 24
FEW_LENGTHS = [5, 37]  # of the texts that the transformer alone is shown
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "w1", "w2", "w3", "noise_refiner.0.adaLN_modulation.0",
           "layers.0.adaLN_modulation.0", "layers.1.adaLN_modulation.0", "adaLN_modulation.1", "all_x_embedder.2-1", "cap_embedder.1", "linear", "mlp.0"]


def predict(transformer, latents, timesteps, texts):
    """The velocity as the pipeline takes it."""
    ways = transformer(list(latents.unsqueeze(2)), (1000 - timesteps) / 1000, texts, return_dict=False)[0]
    return -torch.stack(ways).squeeze(2)


def text_model(**more):
    """With weights that f16 holds; the rotary frequencies, which no file holds, are not rounded."""
    config = Qwen3Config(**(dict(
        vocab_size=60, hidden_size=HIDDEN, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=1, head_dim=12, max_position_embeddings=1024, rope_theta=1000000.0,
        tie_word_embeddings=True) | more))
    model = Qwen3ForCausalLM(config).eval()
    model.load_state_dict(rounded(Qwen3ForCausalLM(config)).state_dict())
    return model


def transformer_model(**more):
    model = rounded(ZImageTransformer2DModel(**(dict(
        in_channels=4, dim=48, n_layers=2, n_refiner_layers=1, n_heads=2, n_kv_heads=2, cap_feat_dim=HIDDEN,
        axes_dims=[4, 10, 10], axes_lens=[1024, 64, 64]) | more)))
    with torch.no_grad():
        for name in ("x_pad_token", "cap_pad_token"):
            getattr(model, name).copy_(torch.randn_like(getattr(model, name)).half().float())
    return model


def original(s):
    """A state as the authors' files name it: by the inverse of diffusers' conversion, which is asked."""
    o = {}
    for name, x in s.items():
        if ".attention.to_q." in name:
            projections = [s[name.replace("to_q", "to_" + p)] for p in "qkv"]
            o[name.replace("to_q", "qkv")] = torch.cat(projections)
        elif ".attention.to_k." not in name and ".attention.to_v." not in name:
            for new, old in (("all_final_layer.2-1.", "final_layer."), ("all_x_embedder.2-1.", "x_embedder."),
                             ("attention.to_out.0.", "attention.out."), ("attention.norm_k.", "attention.k_norm."),
                             ("attention.norm_q.", "attention.q_norm.")):
                name = name.replace(new, old)
            o[name] = x
    back = convert_z_image_transformer_checkpoint_to_diffusers(dict(o))
    assert back.keys() == s.keys() and all(torch.equal(back[n], x) for n, x in s.items())
    return {n: x.contiguous() for n, x in o.items()}


def make(out):
    torch.manual_seed(47)
    base = out / "zimage" / "base"
    transformer = transformer_model()
    vae = tiny_vae(0.3611, 0.1159)
    text_encoder = text_model()
    save_base(base, "ZImagePipeline",
              {"transformer": transformer, "vae": vae, "text_encoder": text_encoder}, shift=3.0)

    ids = torch.randint(0, 60, (BATCH, TOKENS))
    place = torch.arange(FEW_TOKENS)[None]
    lengths = torch.tensor(FEW_LENGTHS)
    filled = (lengths + 31) // 32 * 32
    rows = torch.arange(BATCH * FEW_TOKENS).reshape(BATCH, FEW_TOKENS)
    rows = torch.where(place < lengths[:, None], rows, BATCH * FEW_TOKENS)
    (out / "single-zimage").mkdir(exist_ok=True)
    save_file(original(copy.deepcopy(transformer).half().state_dict()),
              out / "single-zimage" / "transformer.safetensors")
    golden = {"llm_ids": ids.int(), "rows": rows.int(), "lengths": filled.int(),
              "padding": (FEW_TOKENS - filled).int()}
    with torch.no_grad():
        # Causal, so that what stands behind a text changes nothing in it.
        text = text_encoder(ids, output_hidden_states=True).hidden_states[-2]
        context = text[:, :FEW_TOKENS].contiguous()
        golden |= {"text": text, "context": context}
    golden |= images(vae)

    latents, target, weights, timesteps, tensors = lesson()
    golden |= tensors

    def answer():
        return predict(transformer, latents, timesteps,
                       [context[i, :n] for i, n in enumerate(FEW_LENGTHS)])

    with torch.no_grad():
        golden["prediction"] = nhwc(answer())
    golden |= adamw(transformer, "transformer.", TARGETS, answer, target, weights)
    save_file({k: v.contiguous() for k, v in golden.items()}, out / "zimage" / "golden.safetensors")
    print("zimage parameters", sum(p.numel() for p in transformer.parameters()), "losses",
          golden["losses"][0], golden["losses"][-1])


if __name__ == "__main__":
    torch.set_num_threads(2)
    make(pathlib.Path(sys.argv[1]))
