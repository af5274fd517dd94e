"""Golden files of src/test/resources/golden: tiny random models, run by transformers and peft.

    python -m venv peers && peers/bin/pip install -r src/test/python/requirements.txt
    peers/bin/python src/test/python/make_golden.py [NAME...]

For each architecture: the model as a Hugging Face folder, an adapter with random A and B as a PEFT
folder, and golden.safetensors with what the peer computes in f32 for two documents: logits, loss,
the gradient of every A and B, and the losses and final A and B of ten AdamW steps with clipping.
"""

import json
import math
import shutil
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
import peft.utils.transformers_weight_conversion
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

OUT = Path(__file__).parents[1] / "resources" / "golden"
VOCAB, HIDDEN, LAYERS, FFN = 67, 48, 2, 40
DOCUMENTS = [7, 13]  # lengths; odd on purpose
STEPS, RATE, CLIP = 10, 1e-2, 0.5
GREEDY = 12  # tokens answered to the first document

COMMON = dict(
    vocab_size=VOCAB,
    hidden_size=HIDDEN,
    num_hidden_layers=LAYERS,
    intermediate_size=FFN,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    attn_implementation="eager",
)

# Layers of the gated delta rule, two value heads to a key head.
HYBRID = dict(
    num_hidden_layers=4, head_dim=16, linear_num_key_heads=2, linear_num_value_heads=4,
    linear_key_head_dim=16, linear_value_head_dim=12, linear_conv_kernel_dim=4,
    rms_norm_eps=0.05,  # or answers near 0, which are normed, make ten steps chaotic
)

# As GGUF files have them, see make_llama_cpp_gguf.py: four value heads to a key head, as wide as it.
IN_TURNS = dict(
    HYBRID, hidden_size=32, intermediate_size=32, num_hidden_layers=3, linear_num_value_heads=8,
    linear_key_head_dim=32, linear_value_head_dim=32,
    layer_types=["linear_attention", "full_attention", "linear_attention"],
    rope_parameters=dict(rope_type="default", rope_theta=1000.0, partial_rotary_factor=0.25,
                         mrope_section=[1, 1, 0]),
)

GPT_OSS = dict(
    hidden_size=64, intermediate_size=32, head_dim=16, num_local_experts=5, num_experts_per_tok=2,
    sliding_window=5, rms_norm_eps=1e-5,
    rope_parameters=dict(
        rope_type="yarn", rope_theta=1000.0, factor=4.0, beta_fast=4.0, beta_slow=1.0,
        truncate=False, original_max_position_embeddings=16),
)

# With frequencies that tell positions of a few tokens apart.
GEMMA4 = dict(
    head_dim=16, global_head_dim=32, sliding_window=5, rms_norm_eps=0.05, final_logit_softcapping=2.0,
    vocab_size_per_layer_input=VOCAB,
    rope_parameters=dict(
        sliding_attention=dict(rope_type="default", rope_theta=100.0),
        full_attention=dict(rope_type="proportional", partial_rotary_factor=0.25, rope_theta=1000.0)),
)


def layer_types(letters):
    """s slides, f attends in full."""
    return [{"s": "sliding_attention", "f": "full_attention"}[c] for c in letters]


MODELS = {
    "llama": (
        transformers.LlamaConfig,
        dict(
            tie_word_embeddings=True,
            rope_parameters=dict(
                rope_type="llama3",
                rope_theta=1000.0,
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_max_position_embeddings=16,
            ),
        ),
    ),
    "llama-linear": (
        transformers.LlamaConfig,
        dict(rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.5)),
    ),
    "mistral": (transformers.MistralConfig, dict(sliding_window=5, head_dim=16)),
    "qwen2": (
        transformers.Qwen2Config,
        dict(
            rope_parameters=dict(
                rope_type="yarn",
                rope_theta=1000.0,
                factor=4.0,
                original_max_position_embeddings=16,
            )
        ),
    ),
    "qwen3": (transformers.Qwen3Config, dict(head_dim=16, tie_word_embeddings=True)),
    "gemma2": (
        transformers.Gemma2Config,
        dict(head_dim=16, sliding_window=5, query_pre_attn_scalar=12, attn_logit_softcapping=3.0,
             final_logit_softcapping=2.0),
    ),
    "gemma3": (
        transformers.Gemma3TextConfig,
        dict(num_hidden_layers=6, head_dim=16, sliding_window=5, query_pre_attn_scalar=12,
             vocab_size=VOCAB),
    ),
    # Every third layer attends in full, in wider heads whose values are their keys; the last three layers read
    # the keys and values of others. Layers have embeddings of their own and are multiplied by a number.
    "gemma4": (
        transformers.Gemma4TextConfig,
        dict(GEMMA4, num_hidden_layers=8, num_kv_shared_layers=3, use_double_wide_mlp=True,
             hidden_size_per_layer_input=12, attention_k_eq_v=True, num_global_key_value_heads=1,
             layer_types=layer_types("sssffssf")),
    ),
    # Without embeddings of layers and with no keys shared, as in the largest.
    "gemma4-large": (
        transformers.Gemma4TextConfig,
        dict(GEMMA4, num_hidden_layers=4, attention_k_eq_v=True, num_global_key_value_heads=4,
             hidden_size_per_layer_input=0, layer_types=layer_types("ssff")),
    ),
    # A mixture beside each layer's MLP; adapters on its experts too, see EXPERTS.
    "gemma4-moe": (
        transformers.Gemma4TextConfig,
        dict(GEMMA4, num_hidden_layers=3, hidden_size_per_layer_input=0, attention_k_eq_v=True,
             num_global_key_value_heads=1, enable_moe_block=True, num_experts=7, top_k_experts=3,
             moe_intermediate_size=20, layer_types=layer_types("sff")),
    ),
    "smollm3": (        transformers.SmolLM3Config,
        dict(num_hidden_layers=4, head_dim=16, pad_token_id=0, bos_token_id=1, eos_token_id=2,
             tie_word_embeddings=True),
    ),
    "phi3": (
        transformers.Phi3Config,
        dict(pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False),
    ),
    # Saved as published checkpoints are, a tensor for each expert; see make_fused and write_gguf.
    "qwen3-moe": (
        transformers.Qwen3MoeConfig,
        dict(head_dim=16, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=24,
             norm_topk_prob=True),
    ),
    # The middle layer is dense, and weights are not divided by their sum.
    "qwen3-moe-mixed": (
        transformers.Qwen3MoeConfig,
        dict(num_hidden_layers=3, head_dim=16, num_experts=7, num_experts_per_tok=3,
             moe_intermediate_size=24, norm_topk_prob=False, mlp_only_layers=[1],
             tie_word_embeddings=True),
    ),
    # Adapters on the experts too, see EXPERTS.
    "qwen3-moe-experts": (
        transformers.Qwen3MoeConfig,
        dict(head_dim=16, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=20,
             norm_topk_prob=True),
    ),
    "mixtral": (
        transformers.MixtralConfig,
        dict(num_local_experts=5, num_experts_per_tok=2),
    ),
    "olmoe": (
        transformers.OlmoeConfig,
        dict(num_experts=7, num_experts_per_tok=3, norm_topk_prob=False, pad_token_id=0,
             eos_token_id=2),
    ),
    # A dense layer first; groups of experts, and one that all see.
    "glm4-moe": (
        transformers.Glm4MoeConfig,
        dict(num_hidden_layers=3, head_dim=16, n_routed_experts=8, num_experts_per_tok=3, n_group=4,
             topk_group=2, n_shared_experts=1, first_k_dense_replace=1, moe_intermediate_size=20,
             routed_scaling_factor=1.7, norm_topk_prob=True, use_qk_norm=True, attention_bias=True,
             num_nextn_predict_layers=0, pad_token_id=0, eos_token_id=2,
             rope_parameters=dict(rope_type="default", rope_theta=1000.0,
                                  partial_rotary_factor=0.5)),
    ),
    # Sinks, a sliding layer and a full one, experts with biases whose gate and up are bounded; see
    # make_packed. Numbers of experts are such as 4 bits hold.
    "gpt-oss": (transformers.GptOssConfig, GPT_OSS),
    # Adapters on the experts too, and bounds that many numbers are beyond.
    "gpt-oss-experts": (transformers.GptOssConfig, dict(
        GPT_OSS, num_local_experts=6, num_experts_per_tok=3, swiglu_alpha=1.3, swiglu_limit=2.5,
        tie_word_embeddings=True)),
    # Two recurrent layers, one that attends, and another recurrent one.
    "qwen3-5": (
        transformers.Qwen3_5TextConfig,
        dict(HYBRID, tie_word_embeddings=True,
             layer_types=["linear_attention", "linear_attention", "full_attention",
                          "linear_attention"],
             rope_parameters=dict(rope_type="default", rope_theta=1000.0,
                                  partial_rotary_factor=0.25, mrope_section=[1, 1, 0])),
    ),
    # Without experts, so every layer's feed-forward is dense.
    "qwen3-next": (
        transformers.Qwen3NextConfig,
        dict(HYBRID, num_experts=0, attention_bias=True,
             rope_parameters=dict(rope_type="default", rope_theta=1000.0,
                                  partial_rotary_factor=0.5)),
    ),
    # Each with an expert that all see, weighed by a gate.
    "qwen3-5-moe": (
        transformers.Qwen3_5MoeTextConfig,
        dict(HYBRID, num_hidden_layers=2, layer_types=["linear_attention", "full_attention"],
             num_experts=6, num_experts_per_tok=2, moe_intermediate_size=20,
             shared_expert_intermediate_size=24, tie_word_embeddings=True,
             rope_parameters=dict(rope_type="default", rope_theta=1000.0,
                                  partial_rotary_factor=0.25, mrope_section=[1, 1, 0])),
    ),
    "qwen3-next-moe": (
        transformers.Qwen3NextConfig,
        dict(HYBRID, num_experts=7, num_experts_per_tok=3, moe_intermediate_size=20,
             shared_expert_intermediate_size=24, norm_topk_prob=True, mlp_only_layers=[1],
             rope_parameters=dict(rope_type="default", rope_theta=1000.0,
                                  partial_rotary_factor=0.5)),
    ),
    "qwen3-5-turns": (
        transformers.Qwen3_5TextConfig, dict(IN_TURNS, tie_word_embeddings=True)),
    "qwen3-5-moe-turns": (
        transformers.Qwen3_5MoeTextConfig,
        dict(IN_TURNS, num_hidden_layers=2, layer_types=IN_TURNS["layer_types"][:2], num_experts=5,
             num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=32)),
    "qwen3-next-turns": (
        transformers.Qwen3NextConfig,
        dict(IN_TURNS, num_hidden_layers=2, layer_types=IN_TURNS["layer_types"][:2], num_experts=5,
             num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=32,
             norm_topk_prob=True,
             rope_parameters=dict(rope_type="default", rope_theta=1000.0,
                                  partial_rotary_factor=0.25))),
    "qwen2-moe": (
        transformers.Qwen2MoeConfig,
        dict(num_experts=5, num_experts_per_tok=2, moe_intermediate_size=20,
             shared_expert_intermediate_size=24, norm_topk_prob=False),
    ),
    "phi3-long": (
        transformers.Phi3Config,
        dict(pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=False,
             max_position_embeddings=256, original_max_position_embeddings=32,
             rope_parameters=dict(
                 rope_type="longrope", rope_theta=1000.0,
                 short_factor=[1.0, 1.1, 1.3, 1.5, 2.0, 2.2],
                 long_factor=[1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
                 original_max_position_embeddings=32)),
    ),
    "phi4-mini": (
        transformers.Phi3Config,
        dict(pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=True,
             hidden_size=64, max_position_embeddings=256, original_max_position_embeddings=32,
             rope_parameters=dict(
                 rope_type="longrope", rope_theta=1000.0, partial_rotary_factor=0.75,
                 short_factor=[1.0, 1.1, 1.3, 1.5, 2.0, 2.2],
                 long_factor=[1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
                 original_max_position_embeddings=32)),
    ),
    "granite": (
        transformers.GraniteConfig,
        dict(embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.4,
             logits_scaling=1.7, rms_norm_eps=0.05, tie_word_embeddings=True),
    ),
    "olmo2": (
        transformers.Olmo2Config,
        dict(rope_parameters=dict(
            rope_type="yarn", rope_theta=1000.0, factor=4.0,
            original_max_position_embeddings=16)),
    ),
    "olmo3": (
        transformers.Olmo3Config,
        dict(num_hidden_layers=4, sliding_window=5, pad_token_id=0, eos_token_id=2,
             rope_parameters=dict(
                 sliding_attention=dict(rope_type="default", rope_theta=1000.0),
                 full_attention=dict(
                     rope_type="yarn", rope_theta=1000.0, factor=4.0,
                     original_max_position_embeddings=16))),
    ),
    "glm": (
        transformers.GlmConfig,
        dict(head_dim=16, pad_token_id=0, eos_token_id=2,
             rope_parameters=dict(
                 rope_type="default", rope_theta=1000.0, partial_rotary_factor=0.5)),
    ),
    "glm4": (
        transformers.Glm4Config,
        dict(head_dim=16, pad_token_id=0, eos_token_id=2,
             rope_parameters=dict(
                 rope_type="default", rope_theta=1000.0, partial_rotary_factor=0.5)),
    ),
    "ministral3": (
        transformers.Ministral3Config,
        dict(head_dim=16, pad_token_id=0, max_position_embeddings=256,
             rope_parameters=dict(
                 rope_type="yarn", rope_theta=1000.0, factor=4.0, beta_fast=0.8, beta_slow=0.02,
                 mscale=1.0, mscale_all_dim=0.8, llama_4_scaling_beta=0.3,
                 original_max_position_embeddings=6)),
    ),
}


VISION = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)

# Models that also see: the language model inside is trained, the tower left alone.
WRAPPERS = {
    "gemma3-vision": lambda: transformers.Gemma3Config(
        text_config=dict(COMMON, head_dim=16, sliding_window=5, query_pre_attn_scalar=12),
        vision_config=dict(VISION, image_size=28, patch_size=14),
        mm_tokens_per_image=4,
        attn_implementation="eager",
    ),
    "gemma4-vision": lambda: transformers.Gemma4Config(
        text_config=dict(
            {**COMMON, **GEMMA4}, num_hidden_layers=4, num_kv_shared_layers=1,
            hidden_size_per_layer_input=8, layer_types=layer_types("sfsf")),
        vision_config=dict(VISION, head_dim=8, num_key_value_heads=2, patch_size=4,
                           position_embedding_size=16),
        audio_config=None,
        attn_implementation="eager",
    ),
    "qwen2-vision": lambda: transformers.Qwen2_5_VLConfig(
        text_config=dict(
            COMMON, rope_parameters=dict(
                rope_type="default", rope_theta=10000.0, mrope_section=[2, 2, 2])),
        vision_config=dict(
            depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=HIDDEN),
        attn_implementation="eager",
    ),
    "ministral3-vision": lambda: transformers.Mistral3Config(
        text_config=dict(
            {k: v for k, v in COMMON.items() if k != "attn_implementation"},
            model_type="ministral3", head_dim=16, pad_token_id=0,
            rope_parameters=dict(
                rope_type="yarn", rope_theta=1000.0, factor=4.0, beta_fast=4.0, beta_slow=1.0,
                mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1,
                original_max_position_embeddings=32)),
        vision_config=dict(VISION, model_type="pixtral", image_size=28, patch_size=14, head_dim=8),
        image_token_index=5,
        attn_implementation="eager",
    ),
    "qwen3-vision": lambda: transformers.Qwen3VLConfig(
        text_config=dict(
            COMMON, head_dim=16,
            rope_parameters=dict(
                rope_type="default", rope_theta=10000.0, mrope_section=[4, 2, 2],
                mrope_interleaved=True)),
        vision_config=dict(
            depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=HIDDEN,
            deepstack_visual_indexes=[0]),
        attn_implementation="eager",
    ),
    "qwen3-5-vision": lambda: transformers.Qwen3_5Config(
        text_config=dict(
            {**COMMON, **HYBRID}, rope_parameters=dict(
                rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.25,
                mrope_section=[1, 1, 0])),
        vision_config=dict(
            depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=HIDDEN),
        attn_implementation="eager",
    ),
}


# Parameters of experts that have adapters, by name of the model.
EXPERTS = {name: ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
           for name in ("qwen3-moe-experts", "glm4-moe", "qwen3-5-moe", "gpt-oss-experts")}


EXPERTS["gemma4-moe"] = ["experts.gate_up_proj", "experts.down_proj"]


def randomize(model, generator):
    """Weights large enough that every term of the network matters."""
    for name, p in model.named_parameters():
        scale = 0.8 if "conv1d" in name else 0.2 if p.dim() > 1 else 0.3
        if model.config.model_type == "gpt_oss":
            scale = {"sinks": 1.5, "gate_up_proj": 0.35}.get(name.split(".")[-1], scale)
        with torch.no_grad():
            noise = torch.randn(p.shape, generator=generator) * scale
            kind = model.config.model_type
            from_one = kind.startswith(("gemma", "qwen3_5", "qwen3_next")) and "gemma4" not in kind
            if p.dim() == 1 and "norm" in name and (not from_one or "linear_attn.norm" in name):
                noise += 1.0
            if model.config.model_type == "gpt_oss" and name.endswith(
                    ("experts.gate_up_proj", "experts.down_proj")):
                noise = from_groups(*in_4_bits(noise.mT)).mT
            if "gemma4" in kind and ("q_norm" in name or "k_norm" in name):
                noise *= 0.4  # their products are divided by nothing: each query would see one key alone
            if name.endswith(("router.scale", "router.per_expert_scale")):
                noise += 1.0
            if name.endswith("router.proj.weight"):
                noise *= 5  # what it reads is divided by the root of the width
            p.copy_(noise)
    for name, b in model.named_buffers():
        if name.endswith("layer_scalar"):
            b.copy_(0.5 + torch.rand(b.shape, generator=generator))
        if name.endswith("e_score_correction_bias"):  # decides what sigmoids alone would not
            b.copy_(torch.randn(b.shape, generator=generator) * 0.3)


E2M1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def in_4_bits(w):
    """MXFP4: w [..., in] as indices of E2M1 (8 more if negative) and exponents of 2 for each 32."""
    groups = w.reshape(*w.shape[:-1], -1, 32)
    exponents = torch.floor(torch.log2(groups.abs().amax(-1))) - 2
    scaled = groups / torch.exp2(exponents)[..., None]
    numbers = (scaled.abs()[..., None] - E2M1).abs().argmin(-1)
    return numbers + 8 * (scaled < 0), exponents


def from_groups(numbers, exponents):
    values = E2M1[numbers % 8] * torch.where(numbers >= 8, -1.0, 1.0)
    return (values * torch.exp2(exponents)[..., None]).flatten(-2)


def batch(generator):
    """Two documents, right-padded; a part of the tokens carries a label."""
    longest = max(DOCUMENTS)
    ids = torch.zeros(len(DOCUMENTS), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for row, n in enumerate(DOCUMENTS):
        ids[row, :n] = torch.randint(0, VOCAB, (n,), generator=generator)
        mask[row, :n] = 1
        learn = torch.rand(n, generator=generator) < 0.7
        learn[-1] = True
        labels[row, :n] = torch.where(learn, ids[row, :n], -100)
    return ids, mask, labels


def loss_of(logits, labels):
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]).float(),
        labels[:, 1:].reshape(-1),
        ignore_index=-100,
    )


def documents(x):
    """[2, longest, ...] to the documents one behind the other, without padding."""
    return torch.cat([x[row, :n] for row, n in enumerate(DOCUMENTS)])


def adapter_tensors(model):
    return {
        n.replace(".default", ""): p for n, p in model.named_parameters() if "lora_" in n
    }


def make_wrapper(name):
    config = WRAPPERS[name]()
    base = transformers.AutoModelForImageTextToText.from_config(config)
    inside = "|".join(sorted({n.split(".")[-1] for n, m in base.named_modules()
                              if isinstance(m, torch.nn.Linear) and ".language_model." in n}))
    return train(name, base, rf".*\.language_model\..*\.({inside})")


def make(name, config_class, options):
    config = config_class(**{**COMMON, **options})
    base = transformers.AutoModelForCausalLM.from_config(config)
    layers = [n for n, m in base.named_modules()
              if isinstance(m, torch.nn.Linear) and n != "lm_head" and "router" not in n]
    targets = sorted({n.split(".")[-1] for n in layers})
    if any(name.startswith("num_experts") for name in options):  # peft takes every gate_proj for the experts', dense ones too
        peft.utils.transformers_weight_conversion._convert_peft_config_moe = lambda *_: None
    return train(name, base, targets)


def train(name, base, targets):
    base.float().eval()
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    randomize(base, generator)
    base.save_pretrained(folder / "base")
    (folder / "base" / "generation_config.json").unlink(missing_ok=True)

    lora = LoraConfig(r=3, lora_alpha=5, target_modules=targets, lora_dropout=0.0,
                      target_parameters=EXPERTS.get(name))
    model = get_peft_model(base, lora).eval()
    for p in adapter_tensors(model).values():
        with torch.no_grad():
            p.copy_(torch.randn(p.shape, generator=generator) * 0.15)
    model.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)

    ids, mask, labels = batch(generator)
    golden = {
        "ids": documents(ids).int(),
        "labels": documents(torch.cat([labels[:, 1:], torch.full((2, 1), -100)], 1)).int(),
    }
    logits = model(input_ids=ids, attention_mask=mask).logits
    golden["logits"] = documents(logits).detach().float()
    prompt = ids[:1, :DOCUMENTS[0]]
    answer = prompt
    for _ in range(GREEDY):
        best = model(input_ids=answer).logits[:, -1:].argmax(-1)
        answer = torch.cat([answer, best], 1)
    golden["greedy"] = answer[0, DOCUMENTS[0]:].int()
    loss = loss_of(logits, labels)
    golden["loss"] = loss.detach().reshape(1)
    loss.backward()
    for n, p in adapter_tensors(model).items():
        golden["grad." + n] = p.grad.clone()

    parameters = list(adapter_tensors(model).values())
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model(input_ids=ids, attention_mask=mask).logits, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        losses.append(loss.item())
    golden["losses"] = torch.tensor(losses)
    for n, p in adapter_tensors(model).items():
        golden["final." + n] = p.detach().clone()
    save_file({k: v.contiguous() for k, v in golden.items()}, folder / "golden.safetensors")
    print(name, "loss", losses[0], "->", losses[-1])
    return base


def permute(w, heads):
    """llama.cpp's order of q and k rows."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(w.shape)


def write_gguf(name, arch, keys, permuted=False, factors=lambda c: {}):
    """A tiny model as GGUF, f32, by the names and keys of llama.cpp's converter.

    keys: writes what only such models say; permuted: q and k in llama.cpp's order; factors: tensors beside the model's.
    """
    base = transformers.AutoModelForCausalLM.from_pretrained(OUT / name / "base")
    c = base.config
    writer = gguf.GGUFWriter(OUT / name / "base.gguf", gguf.MODEL_ARCH_NAMES[arch])
    writer.add_context_length(c.max_position_embeddings)
    writer.add_embedding_length(c.hidden_size)
    writer.add_block_count(c.num_hidden_layers)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    if not name.startswith("gemma4"):  # whose layers differ, see gemma4_keys
        writer.add_head_count_kv(c.num_key_value_heads)
    writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    writer.add_rope_freq_base(rope_of(c)["rope_theta"])
    keys(writer, c)
    for n, w in factors(c).items():
        writer.add_tensor(n, w)
    names = gguf.get_tensor_name_map(arch, c.num_hidden_layers)
    for n, w in base.state_dict().items():
        w = w.numpy()
        if permuted and "q_proj" in n:
            w = permute(w, c.num_attention_heads)
        if permuted and "k_proj" in n:
            w = permute(w, c.num_key_value_heads)
        if n.endswith("router.scale"):
            writer.add_tensor("blk." + n.split(".")[2] + ".ffn_gate_inp.scale", w)
        elif n.endswith("router.per_expert_scale"):
            writer.add_tensor("blk." + n.split(".")[2] + ".ffn_down_exps.scale", w)
        elif n.endswith("experts.gate_up_proj") and arch == gguf.MODEL_ARCH.GEMMA4:
            writer.add_tensor("blk." + n.split(".")[2] + ".ffn_gate_up_exps.weight", w)
        elif arch == gguf.MODEL_ARCH.GPT_OSS and ".experts." in n:
            write_experts(writer, n, w)
        elif n.endswith(".sinks"):
            writer.add_tensor("blk." + n.split(".")[2] + ".attn_sinks.weight", w)
        elif n.endswith("experts.gate_up_proj"):
            gate, up = np.split(w, 2, axis=1)
            block = "blk." + n.split(".")[2]
            writer.add_tensor(block + ".ffn_gate_exps.weight", np.ascontiguousarray(gate))
            writer.add_tensor(block + ".ffn_up_exps.weight", np.ascontiguousarray(up))
        elif n.endswith("experts.down_proj"):
            writer.add_tensor("blk." + n.split(".")[2] + ".ffn_down_exps.weight", w)
        elif n != "lm_head.weight" or not c.tie_word_embeddings:
            n = n.replace("e_score_correction_bias", "e_score_correction.bias")
            n = n.replace("layer_scalar", "layer_scalar.weight")
            writer.add_tensor(names.get_name(n, try_suffixes=(".weight", ".bias")), w)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def in_blocks(w):
    """GGUF's blocks of 17 bytes, [..., in]."""
    numbers, exponents = in_4_bits(w)
    pairs = numbers[..., :16] | numbers[..., 16:] << 4
    blocks = torch.cat([exponents.add(127).long()[..., None], pairs], -1)
    return np.ascontiguousarray(blocks.flatten(-2).to(torch.uint8).numpy())


def write_experts(writer, n, w):
    """Experts' tensors of a model whose gate and up are in turn, by llama.cpp's names."""
    block, kind = "blk." + n.split(".")[2], ".bias" if n.endswith("_bias") else ".weight"
    w = torch.from_numpy(w)
    w = w if kind == ".bias" else w.mT
    parts = {"down": w} if "down_proj" in n else {"gate": w[:, ::2], "up": w[:, 1::2]}
    for part, x in parts.items():
        name = f"{block}.ffn_{part}_exps{kind}"
        if kind == ".bias":
            writer.add_tensor(name, np.ascontiguousarray(x.numpy()))
        else:
            writer.add_tensor(name, in_blocks(x), raw_dtype=gguf.GGMLQuantizationType.MXFP4)


def rope_of(c):
    return c.rope_parameters.get("full_attention", c.rope_parameters)


def head_keys(writer, c):
    if getattr(c, "head_dim", None):
        writer.add_key_length(c.head_dim)
        writer.add_value_length(c.head_dim)


def linear_keys(writer, c):
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(c.rope_parameters["factor"])


def long_keys(writer, c):
    old = c.rope_parameters["original_max_position_embeddings"]
    writer.add_rope_scaling_orig_ctx_len(old)
    writer.add_rope_dimension_count(c.hidden_size // c.num_attention_heads)
    writer.add_rope_scaling_attn_factors(
        math.sqrt(1 + math.log(c.max_position_embeddings / old) / math.log(old)))


def long_factors(c):
    return {f"rope_factors_{which}.weight":
            np.array(c.rope_parameters[which + "_factor"], np.float32) for which in ("short", "long")}


def expert_keys(writer, c):
    writer.add_expert_count(getattr(c, "n_routed_experts", 0) or c.num_experts)
    writer.add_expert_used_count(c.num_experts_per_tok)
    if hasattr(c, "moe_intermediate_size"):
        writer.add_expert_feed_forward_length(c.moe_intermediate_size)
    head_keys(writer, c)


def glm_expert_keys(writer, c):
    expert_keys(writer, c)
    writer.add_expert_shared_count(c.n_shared_experts)
    writer.add_leading_dense_block_count(c.first_k_dense_replace)
    writer.add_expert_weights_scale(c.routed_scaling_factor)
    writer.add_expert_weights_norm(c.norm_topk_prob)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    writer.add_expert_group_count(c.n_group)
    writer.add_expert_group_used_count(c.topk_group)
    writer.add_rope_dimension_count(c.head_dim // 2)


def gpt_oss_keys(writer, c):
    expert_keys(writer, c)
    writer.add_expert_feed_forward_length(c.intermediate_size)
    writer.add_sliding_window(c.sliding_window)
    writer.add_rope_dimension_count(c.head_dim)
    rope = rope_of(c)
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(rope["factor"])
    writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
    writer.add_rope_scaling_yarn_beta_slow(rope["beta_slow"])


def rope_keys(writer, c):
    head_keys(writer, c)
    width = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    rope = rope_of(c)
    writer.add_rope_dimension_count(int(width * rope.get("partial_rotary_factor", 1)))
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])


def granite_keys(writer, c):
    rope_keys(writer, c)
    writer.add_attention_scale(c.attention_multiplier)
    writer.add_embedding_scale(c.embedding_multiplier)
    writer.add_residual_scale(c.residual_multiplier)
    writer.add_logit_scale(c.logits_scaling)


def ministral3_keys(writer, c):
    rope_keys(writer, c)
    rope = c.rope_parameters
    writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
    writer.add_rope_scaling_yarn_beta_slow(rope["beta_slow"])
    writer.add_rope_scaling_yarn_log_mul(rope["mscale_all_dim"])
    writer.add_attn_temperature_scale(rope["llama_4_scaling_beta"])


def olmo3_keys(writer, c):
    rope_keys(writer, c)
    writer.add_sliding_window(c.sliding_window)


def gemma4_keys(writer, c):
    """As Gemma4Model of llama.cpp's converter writes them."""
    said = c.to_dict()
    full = [t == "full_attention" for t in c.layer_types]
    heads = [c.per_layer_config[i].num_key_value_heads for i in range(c.num_hidden_layers)]
    sharing = c.num_kv_shared_layers
    writer.add_key_length(GEMMA4["global_head_dim"])
    writer.add_value_length(GEMMA4["global_head_dim"])
    writer.add_key_length_swa(GEMMA4["head_dim"])
    writer.add_value_length_swa(GEMMA4["head_dim"])
    writer.add_rope_dimension_count(GEMMA4["global_head_dim"])
    writer.add_rope_dimension_count_swa(GEMMA4["head_dim"])
    writer.add_rope_freq_base_swa(c.rope_parameters["sliding_attention"]["rope_theta"])
    writer.add_sliding_window(c.sliding_window)
    writer.add_sliding_window_pattern([not f for f in full])
    writer.add_shared_kv_layers(sharing)
    writer.add_embedding_length_per_layer_input(said["hidden_size_per_layer_input"])
    writer.add_final_logit_softcapping(c.final_logit_softcapping)
    writer.add_head_count_kv(heads if len(set(heads)) > 1 else heads[0])
    if c.enable_moe_block:
        writer.add_expert_count(c.num_experts)
        writer.add_expert_used_count(c.top_k_experts)
        writer.add_expert_feed_forward_length(c.moe_intermediate_size)
    if c.use_double_wide_mlp:
        own = c.num_hidden_layers - sharing
        writer.add_feed_forward_length(
            [c.intermediate_size * (1 if i < own else 2) for i in range(c.num_hidden_layers)])


def gemma4_factors(c):
    width = GEMMA4["global_head_dim"]
    turned = int(width * c.rope_parameters["full_attention"]["partial_rotary_factor"] / 2)
    return {"rope_freqs.weight": np.array([1.0] * turned + [1e30] * (width // 2 - turned), np.float32)}


def make_ggufs():
    arch = gguf.MODEL_ARCH
    write_gguf("llama-linear", arch.LLAMA, linear_keys, permuted=True)
    write_gguf("phi3-long", arch.PHI3, long_keys, factors=long_factors)
    write_gguf("granite", arch.GRANITE, granite_keys, permuted=True)
    write_gguf("olmo2", arch.OLMO2, rope_keys)
    write_gguf("olmo3", arch.OLMO2, olmo3_keys)
    write_gguf("glm", arch.CHATGLM, rope_keys)
    write_gguf("glm4", arch.GLM4, rope_keys)
    write_gguf("ministral3", arch.MISTRAL3, ministral3_keys, permuted=True)
    write_gguf("gemma4", arch.GEMMA4, gemma4_keys, factors=gemma4_factors)
    write_gguf("gemma4-large", arch.GEMMA4, gemma4_keys, factors=gemma4_factors)
    write_gguf("gemma4-moe", arch.GEMMA4, gemma4_keys, factors=gemma4_factors)
    write_gguf("qwen3-moe", arch.QWEN3MOE, expert_keys)
    write_gguf("qwen3-moe-experts", arch.QWEN3MOE, expert_keys)
    write_gguf("glm4-moe", arch.GLM4_MOE, glm_expert_keys)
    write_gguf("mixtral", arch.LLAMA, expert_keys, permuted=True)
    write_gguf("olmoe", arch.OLMOE, expert_keys)
    write_gguf("gpt-oss", arch.GPT_OSS, gpt_oss_keys)


def make_fused():
    """The same with all experts' matrices in one, as transformers 5 holds them in memory."""
    name = OUT / "qwen3-moe"
    base = transformers.AutoModelForCausalLM.from_pretrained(name / "base")
    (name / "fused").mkdir(exist_ok=True)
    shutil.copy(name / "base" / "config.json", name / "fused")
    save_file({k: v.contiguous() for k, v in base.state_dict().items()},
              name / "fused" / "model.safetensors")


def make_packed():
    """The same with experts' matrices packed in 4 bits, as openai/gpt-oss-20b has them."""
    name = OUT / "gpt-oss"
    base = transformers.AutoModelForCausalLM.from_pretrained(name / "base")
    tensors = {}
    for n, w in base.state_dict().items():
        if n.endswith(("experts.gate_up_proj", "experts.down_proj")):
            numbers, exponents = in_4_bits(w.mT)
            pairs = numbers[..., ::2] | numbers[..., 1::2] << 4
            tensors[n + "_blocks"] = pairs.to(torch.uint8)
            tensors[n + "_scales"] = (exponents + 127).to(torch.uint8)
        else:
            tensors[n] = w
    (name / "packed").mkdir(exist_ok=True)
    config = json.loads((name / "base" / "config.json").read_text())
    config["quantization_config"] = dict(quant_method="mxfp4", modules_to_not_convert=[
        "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"])
    (name / "packed" / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file({k: v.contiguous() for k, v in tensors.items()}, name / "packed" / "model.safetensors")


def make_blocks():
    """Random blocks of each quantized type and what gguf's own dequantization makes of them."""
    random = np.random.default_rng(7)
    tensors = {}
    kinds = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K", "MXFP4"]
    scales = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
              "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "MXFP4": []}
    for kind in kinds:
        type_ = gguf.GGMLQuantizationType[kind]
        elements, size = gguf.GGML_QUANT_SIZES[type_]
        blocks = random.integers(0, 256, (5, size), dtype=np.uint8)
        for at in scales[kind]:  # f16 scales must be sane numbers
            blocks[:, at:at + 2] = (
                random.normal(0, 0.1, (5, 1)).astype(np.float16).view(np.uint8))
        if kind == "MXFP4":  # an exponent of 2
            blocks[:, 0] = random.integers(120, 127, 5)
        values = gguf.quants.dequantize(blocks, type_)
        tensors[kind + ".blocks"] = torch.from_numpy(blocks)
        tensors[kind + ".values"] = torch.from_numpy(np.ascontiguousarray(values.reshape(-1)))
    save_file(tensors, OUT / "blocks.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(2)
    OUT.mkdir(parents=True, exist_ok=True)
    for model_name, (cls, opts) in MODELS.items():
        if not sys.argv[1:] or model_name in sys.argv[1:]:
            make(model_name, cls, opts)
    for model_name in WRAPPERS:
        if not sys.argv[1:] or model_name in sys.argv[1:]:
            make_wrapper(model_name)
    make_ggufs()
    make_fused()
    make_packed()
    make_blocks()
    versions = {m.__name__: m.__version__ for m in (torch, transformers)}
    (OUT / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")
