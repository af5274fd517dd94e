"""Small SentencePiece models in folders without a tokenizer.json, and what becomes of some texts.

    peers/bin/python src/test/python/make_spbpe_golden.py

ids.json: "plain" is what sentencepiece itself gives, "special" what transformers gives (its TokenizersBackend), where
special and added tokens stand in the text and around it.
"""

import json
import os
import pathlib
import shutil
import tempfile

import sentencepiece
from transformers import TokenizersBackend

OUT = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "spbpe"
ROOT = pathlib.Path(__file__).parents[3]
TEXTS = ["a grinning face", "  Two   spaces  and a tab\there ", "Ein süßer Hund, ﬁne ligature ①", "", " ", "x", " x", "   ",
         "日本語 and 🐙", "UPPER lower 12345 -- ...", "train LoRA adapters\nfor language models\n\n\nof today",
         "▁ a piece's own mark", "\u200b zero width, \r\n line ends", "a<b>bold\n\nand (x|y). more", "c'''d ''' '''''' ''",
         "runs of spaces:" + " " * 7 + "seven,  two,    four", " <b> ", "\n\n\n\n x\n\n"]
SPECIAL = ["<s>a</s> b<s> c", " <s> x </s> y", "[INST] do it [/INST] done</s>", "a<new>b <new> c", "<far> away", "<s>[INST]  two", "x<far>  y [INST]z", "a b\n[INST]\n[/INST]"]
COMMON = dict(
    input=str(ROOT / "CHANGELOG.md"), vocab_size=520, byte_fallback=True, split_digits=True, max_sentence_length=100000,
    hard_vocab_limit=False, character_coverage=0.99, minloglevel=2)
KEEPS = dict(normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True)
LLAMA = dict(model_type="bpe", add_dummy_prefix=True, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, **KEEPS)
ADDED = {"3": "<pad>", "520": "[INST]", "521": "[/INST]", "522": "<far>"}
MODELS = {
    # Byte fallback, a space before each text, runs of spaces kept, as Llama 2's and Mistral's.
    "llama": (LLAMA, {}),
    # No such space, user-defined pieces (runs of spaces, too), other ids of the control tokens.
    "gemma": (dict(model_type="bpe", add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, **KEEPS,
                   user_defined_symbols=["<mask>", "\n\n", "\n\n\n", "<b>", "▁▁", "▁▁▁▁"], control_symbols=["<turn>"]), {}),
    # User-defined pieces behind a space of the model's own.
    "defined": (dict(LLAMA, user_defined_symbols=["'''", "<b>", "(x|y)."]), {}),
    # A table of characters, spaces removed, Unigram.
    "unigram": (dict(model_type="unigram", normalization_rule_name="nmt_nfkc", unk_id=0, bos_id=1, eos_id=2, pad_id=-1), {}),
    # BPE without extra spaces, which says "unknown" instead of bytes.
    "unknown": (dict(LLAMA, remove_extra_whitespaces=True, byte_fallback=False), {}),
    # Tokens of tokenizer_config.json: one that renames a piece, some behind the vocabulary.
    "added": (LLAMA, dict(
        bos_token="<s>", eos_token="</s>", add_bos_token=True, add_eos_token=True, legacy=False,
        added_tokens_decoder={i: dict(content=t, special=i != "521", lstrip=False, rstrip=i == "522", normalized=False,
                                      single_word=False) for i, t in ADDED.items()})),
    "legacy": (LLAMA, dict(bos_token="<s>", eos_token="</s>", add_bos_token=False, legacy=True,
                           additional_special_tokens=["<new>"])),
}

for name, (own, config) in MODELS.items():
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sentencepiece.SentencePieceTrainer.train(model_prefix=str(folder / "tokenizer"), **{**COMMON, **own})
    (folder / "tokenizer.vocab").unlink()
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
    peer = TokenizersBackend.from_pretrained(folder)
    texts = [] if config.get("legacy") is False else TEXTS
    # Here a second <s> at the start would be dropped.
    special = [t for t in SPECIAL if config and not (config["add_bos_token"] and t.startswith("<s>"))]
    rows = dict(
        plain=[{"text": t, "ids": pieces.encode(t), "decoded": pieces.decode(pieces.encode(t))} for t in texts],
        special=[{"text": t, "ids": peer(t).input_ids} for t in special])
    for row in rows["plain"]:
        if peer(row["text"], add_special_tokens=False).input_ids != row["ids"]:
            print(name, "transformers differs:", repr(row["text"]), row["ids"], peer(row["text"], add_special_tokens=False).input_ids)
    (folder / "ids.json").write_text(json.dumps(rows, ensure_ascii=False) + "\n")
