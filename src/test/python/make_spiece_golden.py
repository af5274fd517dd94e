"""A small SentencePiece model as T5's, and what sentencepiece makes of some texts.

    python src/test/python/make_spiece_golden.py src/test/resources/golden/spiece

Unigram, trained on this project's README with T5's special tokens and its rule nmt_nfkc.
"""

import json
import pathlib
import sys

import sentencepiece

TEXTS = ["a grinning face", "  Two   spaces  and a tab\there ", "Ein süßer Hund, ﬁne ligature ①", "",
         "日本語 and 🐙", "UPPER lower 12345 -- ...", "train LoRA adapters for Stable Diffusion"]

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
sentencepiece.SentencePieceTrainer.train(
    input="README.md", model_prefix=str(out / "spiece"), vocab_size=300, model_type="unigram",
    pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc",
    hard_vocab_limit=False, minloglevel=2)
(out / "spiece.vocab").unlink()
tokens = sentencepiece.SentencePieceProcessor(str(out / "spiece.model"))
rows = [{"text": t, "ids": tokens.encode(t)} for t in TEXTS]
(out / "ids.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
