"""Logits that llama.cpp gives for a text, as `lora-native verify --against OUT.safetensors` reads them.

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
    verbose=False,
)
with open(text, encoding="utf-8") as file:
    ids = llama.tokenize(file.read().encode(), add_bos=False, special=True)
llama.eval(ids)
save_file(
    {
        "ids": np.array(ids, np.int32),
        "logits": np.array(llama.scores[: len(ids)], np.float32),
    },
    out,
)
