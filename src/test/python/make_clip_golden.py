"""Token ids of CLIP's own vocabulary, and of one that pads with "!", as transformers gives them.

    python src/test/python/make_clip_golden.py src/main/resources/clip/bpe_simple_vocab_16e6.txt.gz \\
        models/emoji-sd/tokenizer src/test/resources/golden/clip_vocabulary.json

"own": the vocabulary that is built in. "bang": the demo model's, with the special_tokens_map.json of
Stable Diffusion 2, where "!" fills texts up and is never taken apart.
"""

import gzip
import json
import pathlib
import shutil
import sys
import tempfile

from transformers import CLIPTokenizer

MERGES = 49152 - 256 - 2
OWN = ["a diagram", "1girl, solo, long_hair, <3, (masterpiece:1.2)", "Ünïcode Straße 猫 😀 cat's",
       "   many\n\nspaces  ", "it's 2024, we'll see... #hash_tag!!", "łódź naïve ﬁne Ⅳ ½", ""]
BANG = ["wow! cat!", "cat !! face", "smile"]


def bytes_as_text():
    """CLIP's table, by its own rule: printable bytes as themselves, the others from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1),
                 *range(ord("®"), ord("ÿ") + 1)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]


def own(packed, folder):
    merges = gzip.open(packed, "rt", encoding="utf-8").read().split("\n")[1:MERGES + 1]
    single = bytes_as_text()
    tokens = single + [c + "</w>" for c in single] + [m.replace(" ", "") for m in merges] \
        + ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return CLIPTokenizer.from_pretrained(folder)


def bang(source, folder):
    for file in source.iterdir():
        shutil.copy(file, folder)
    names = json.loads((folder / "special_tokens_map.json").read_text())
    (folder / "special_tokens_map.json").write_text(json.dumps(names | {"pad_token": "!"}))
    return CLIPTokenizer.from_pretrained(folder)


def rows(tokenizer, texts):
    return [{"text": t, "ids": tokenizer(t, padding="max_length", max_length=77).input_ids}
            for t in texts]


def main(packed, source, out):
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        golden = {"own": rows(own(packed, pathlib.Path(a)), OWN),
                  "bang": rows(bang(pathlib.Path(source), pathlib.Path(b)), BANG)}
    pathlib.Path(out).write_text(json.dumps(golden, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
