"""Configs of the real Gemma 4 language models, and the names and shapes of their tensors.

    python src/test/python/make_gemma4_shapes.py src/test/resources/shapes

Names and shapes are transformers' own, of modules without numbers; sizes are those of the published
E4B, 31B and 26B-A4B, other settings transformers' defaults.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import Gemma4ForCausalLM, Gemma4TextConfig

OUT = Path(sys.argv[1])

LARGE = dict(attention_k_eq_v=True, hidden_size_per_layer_input=0, sliding_window=1024)
MODELS = {
    "gemma4-e4b": dict(
        hidden_size=2560, num_hidden_layers=42, intermediate_size=10240, num_attention_heads=8, num_key_value_heads=2,
        num_kv_shared_layers=18),
    "gemma4-31b": dict(
        LARGE, hidden_size=5376, num_hidden_layers=60, intermediate_size=21504, num_attention_heads=32,
        num_key_value_heads=16, num_global_key_value_heads=4),
    "gemma4-26b-a4b": dict(
        LARGE, hidden_size=2816, num_hidden_layers=30, intermediate_size=2112, num_attention_heads=16,
        num_key_value_heads=8, num_global_key_value_heads=2, enable_moe_block=True, num_experts=128, top_k_experts=8,
        moe_intermediate_size=704),
}

for name, sizes in MODELS.items():
    config = Gemma4TextConfig(**sizes, final_logit_softcapping=30.0)
    config.architectures = ["Gemma4ForCausalLM"]
    with torch.device("meta"):
        model = Gemma4ForCausalLM(config)
    model.tie_weights()
    tensors = {n: list(t.shape) for n, t in model.state_dict().items() if n != "lm_head.weight"}
    said = json.loads(config.to_json_string())
    (OUT / f"{name}.json").write_text(json.dumps({"config": said, "tensors": tensors}) + "\n")
    print(name, len(tensors))
