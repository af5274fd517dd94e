"""Golden files of tiny random models in the shapes of Stable Diffusion 3 and 3.5.

    python src/test/python/make_sd3_golden.py src/test/resources/golden

For each: a base in diffusers' layout (f16), and what diffusers, transformers and peft compute from it
in f32, as make_diffusion_golden.py: text states, VAE moments and images, the transformer's prediction,
every adapter gradient, ten AdamW steps; and the gradients of adapters on the patches' convolution and
the CLIPs, which hooks add to each layer's output. "sd3" has neither T5 nor norms of queries and keys,
"sd35" has both and a second attention in its first block.
"""

import pathlib
import sys

import torch
from diffusers import SD3Transformer2DModel
from safetensors.torch import save_file
from transformers import CLIPTextModelWithProjection, T5Config, T5EncoderModel

from diffusion_training import adamw, encoder_layers, hooked, nhwc, rounded
from flow_golden import images, lesson, save_base, t5_texts, tiny_vae
from make_diffusion_golden import BATCH, TOKENS, text_config

T5_TOKENS, JOINT = 256, 48
FEW_TOKENS = 20  # of the text that the transformer alone is shown, so that emulators end
CASES = {
    "sd3": dict(t5=False, transformer={}),
    "sd35": dict(t5=True, transformer=dict(qk_norm="rms_norm", dual_attention_layers=(0,))),
}
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out",
           "ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2", "norm1.linear",
           "norm1_context.linear", "norm_out.linear", "context_embedder", "proj_out",
           "text_embedder.linear_1"]


def t5_model():
    return rounded(T5EncoderModel(T5Config(
        vocab_size=60, d_model=JOINT, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu")))


def make(name, case, out):
    torch.manual_seed(sum(map(ord, name)))
    base = out / name / "base"
    golden = {}
    transformer = rounded(SD3Transformer2DModel(
        sample_size=16, in_channels=4, out_channels=4, num_layers=2, attention_head_dim=8,
        num_attention_heads=4, joint_attention_dim=JOINT, caption_projection_dim=32,
        pooled_projection_dim=24 + 20, pos_embed_max_size=8, **case["transformer"]))
    vae = tiny_vae(1.5305, 0.0609)
    clips = [rounded(CLIPTextModelWithProjection(text_config(24, "quick_gelu", 24))),
             rounded(CLIPTextModelWithProjection(text_config(20, "gelu", 20)))]
    t5 = t5_model() if case["t5"] else None
    parts = {"transformer": transformer, "vae": vae, "text_encoder": clips[0],
             "text_encoder_2": clips[1]} | ({"text_encoder_3": t5} if t5 else {})
    save_base(base, "StableDiffusion3Pipeline", parts, shift=3.0)

    ids = torch.randint(0, 58, (BATCH, TOKENS))
    ids[:, 0] = 58
    ids[0, 7:] = 59
    ids[1, 4:] = 59
    golden["ids"] = ids.int()
    long_ids, tensors = t5_texts(T5_TOKENS, 200)
    golden |= tensors

    def encode():
        states = [c(ids, output_hidden_states=True) for c in clips]
        clip = torch.cat([s.hidden_states[-2] for s in states], -1)
        clip = torch.nn.functional.pad(clip, (0, JOINT - clip.shape[-1]))
        rest = t5(long_ids)[0] if t5 else torch.zeros(BATCH, T5_TOKENS, JOINT)
        return torch.cat([clip, rest], -2), torch.cat([s.text_embeds for s in states], -1)

    with torch.no_grad():
        text, pooled = encode()
        context = text[:, :FEW_TOKENS]
        golden |= {"text": text, "pooled": pooled, "context": context}
    golden |= images(vae)

    latents, target, weights, timesteps, tensors = lesson()
    golden |= tensors

    def predict(text, pooled):
        return transformer(latents, text, pooled, timesteps, return_dict=False)[0]

    with torch.no_grad():
        golden["prediction"] = nhwc(predict(context, pooled))
    golden |= adamw(transformer, "transformer.", TARGETS, lambda: predict(context, pooled), target,
                    weights)
    transformer.disable_adapters()
    layers = {"transformer.pos_embed.proj": transformer.pos_embed.proj}
    golden |= hooked(layers | encoder_layers(clips), lambda: predict(*encode()), target, weights)
    save_file({k: v.contiguous() for k, v in golden.items()}, out / name / "golden.safetensors")
    print(name, "parameters", sum(p.numel() for p in transformer.parameters()), "losses",
          golden["losses"][0], golden["losses"][-1])


if __name__ == "__main__":
    torch.set_num_threads(2)
    for case_name, settings in CASES.items():
        make(case_name, settings, pathlib.Path(sys.argv[1]))
