"""smollm2_greedy.json: what transformers answers greedily with the real SmolLM2 in f32.

    peers/bin/python src/test/python/make_smollm2_golden.py

Prompts are written as token ids, so that only the model is compared; texts are given to the test as
well, whose tokenizer must make the same ids of them (texts without digits behind spaces, which the
tokenizer that transformers rebuilds from a GGUF splits differently from llama.cpp).
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = Path(__file__).parents[3]
GGUF = ROOT / "models" / "cache" / "SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPTS = [
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "Which emoji is \"red heart\"?",
    "Explain in a few words why the sky is blue — briefly, s'il vous plaît.",
]

tokenizer = AutoTokenizer.from_pretrained(GGUF.parent, gguf_file=GGUF.name)
model = AutoModelForCausalLM.from_pretrained(GGUF.parent, gguf_file=GGUF.name, dtype=torch.float32)
results = []
for prompt in PROMPTS:
    text = tokenizer.apply_chat_template(
        [dict(role="user", content=prompt)], tokenize=False, add_generation_prompt=True)
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)
    answer = out[0, ids.shape[1]:].tolist()
    results.append(dict(prompt=prompt, ids=ids[0].tolist(),
                        answer=[t for t in answer if t != 2], text=tokenizer.decode(
                            answer, skip_special_tokens=True)))
path = ROOT / "src" / "test" / "resources" / "golden" / "smollm2_greedy.json"
path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
for r in results:
    print(r["prompt"], "->", r["text"])
