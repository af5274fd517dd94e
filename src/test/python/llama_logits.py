"""Logits that llama.cpp gives for a text, and the likeliest tokens that follow it, as `lora-native verify --against OUT.safetensors` reads them.

    pip install llama-cpp-python==0.3.36 numpy safetensors    (builds llama.cpp: minutes)
    python src/test/python/llama_logits.py MODEL.gguf TEXT_FILE OUT.safetensors [ADAPTER.gguf]
"""

import sys

import numpy as np
from llama_cpp import Llama
from safetensors.numpy import save_file

model, text, out, *adapter = sys.argv[1:]
llama = Llama(
    model_path=model,
    lora_path=adapter[0] if adapter else None,
    logits_all=True,
    n_ctx=1024,
    type_k=0,  # f32, since a rounded key may choose another expert
    type_v=0,
    verbose=False,
)
with open(text, encoding="utf-8") as file:
    ids = llama.tokenize(file.read().encode(), add_bos=False, special=True)
llama.eval(ids)
logits = np.array(llama.scores[: len(ids)], np.float32)
greedy = [int(np.argmax(logits[-1]))]
while len(greedy) < 24:
    llama.eval(greedy[-1:])
    greedy.append(int(np.argmax(llama.scores[llama.n_tokens - 1])))
save_file(
    {
        "ids": np.array(ids, np.int32),
        "logits": logits,
        "greedy": np.array(greedy, np.int32),
    },
    out,
)
