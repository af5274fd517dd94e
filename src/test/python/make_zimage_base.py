"""A tiny random Z-Image with its tokenizer, as diffusers saves it, for DiffusersTest.

    python src/test/python/make_zimage_base.py OUT
"""

import pathlib
import sys

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from make_zimage_golden import text_model, transformer_model
from tiny_parts import VOCABULARY, vae

# What Qwen3's template writes of one message of the user and a model that may think.
TEMPLATE = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


def tokenizer():
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    pieces.train_from_iterator(
        pathlib.Path("README.md").read_text().split("\n"),
        trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    return PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="<|endoftext|>",
                                   eos_token="<|im_end|>", chat_template=TEMPLATE)


torch.manual_seed(7)
ZImagePipeline(
    transformer=transformer_model(), text_encoder=text_model(vocab_size=VOCABULARY), tokenizer=tokenizer(),
    scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0),
    vae=vae(0.3611, 0.1159)).save_pretrained(sys.argv[1])
