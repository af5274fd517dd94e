"""Golden files of src/test/resources/{templates,tokenizers} and golden/schedules.json, by transformers and tokenizers.

    peers/bin/python src/test/python/make_text_golden.py

templates/*.jinja are chat templates of each kind (qwen3, gemma3 and llama3 as their authors publish
them, the others written after their authors'); rendered.json holds what transformers makes of them.
tokenizers/*: small tokenizers trained here, each as tokenizer.json and as a GGUF of metadata alone,
with the ids of some texts.
"""

import json
from pathlib import Path

import gguf
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import trainers
from transformers import get_scheduler
from transformers.utils.chat_template_utils import render_jinja_template

RESOURCES = Path(__file__).parents[1] / "resources"

CONVERSATIONS = [
    [("user", "Hello!")],
    [("user", "Hi"), ("assistant", "  Hello there. \n"), ("user", "How's it?"),
     ("assistant", "Fine — 👮‍♂️ \"quoted\".")],
    [("system", "Be brief."), ("user", "2+2?"), ("assistant", "4")],
    [("system", " Be\nkind. "), ("user", "a"), ("assistant", "b"), ("user", "c"),
     ("assistant", "<think>\nhm\n</think>\n\nd")],
]
TOKENS = {
    "smollm2": ("<|im_start|>", "<|im_end|>"),
    "llama3": ("<|begin_of_text|>", "<|eot_id|>"),
    "llama3-tools": ("<|begin_of_text|>", "<|eot_id|>"),
    "gemma3": ("<bos>", "<end_of_turn>"),
    "mistral": ("<s>", "</s>"),
    "phi3": ("<s>", "<|endoftext|>"),
}


def render_all():
    results = []
    for file in sorted((RESOURCES / "templates").glob("*.jinja")):
        template = file.read_text()
        bos, eos = TOKENS.get(file.stem, ("<s>", "<|im_end|>"))
        for turns in CONVERSATIONS:
            messages = [dict(role=r, content=c) for r, c in turns]
            for prompt in (False, True):
                entry = dict(template=file.stem, bos=bos, eos=eos, messages=messages,
                             add_generation_prompt=prompt)
                try:
                    rendered, _ = render_jinja_template(
                        conversations=[messages], chat_template=template,
                        add_generation_prompt=prompt, bos_token=bos, eos_token=eos)
                    entry["rendered"] = rendered[0]
                except Exception as e:
                    entry["error"] = str(e)
                results.append(entry)
    path = RESOURCES / "templates" / "rendered.json"
    path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    print(len(results), "renderings,", sum("error" in r for r in results), "refused")


TEXTS = [
    "Hello world, hello again!",
    "Prices: 12345.67 and    8 spaces   9",
    "don't WON'T it's I'LL",
    "Zürich — 東京 — naïve 👮‍♂️🎉",
    "tabs\tand\n\nnew lines\r\n  indented",
    "<|im_start|>user\nhi<|im_end|>\n",
    "",
]
CORPUS = [t * 3 for t in TEXTS] + [
    "the quick brown fox jumps over the lazy dog 0123456789",
    "don't stop, it's what we'll do; they've said I'd",
] * 5
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + REST
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + REST
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def split(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


BYTE_LEVEL = {
    "smollm": (None, pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])),
    "llama-bpe": (None, split(LLAMA3)),
    "qwen2": (normalizers.NFC(), split(QWEN2)),
    "gpt-2": (None, pre_tokenizers.ByteLevel(add_prefix_space=False)),
}


def write_gguf(path, kind, tokens, types, **keys):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(kind)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    for name, add in keys.items():
        getattr(writer, name)(add)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def expected(tokenizer):
    results = []
    for text in TEXTS:
        e = tokenizer.encode(text, add_special_tokens=False)
        results.append(dict(text=text, ids=e.ids, offsets=e.offsets,
                            decoded=tokenizer.decode(e.ids)))
    return results


def byte_level(name, normalizer, pre):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama-bpe"))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=380, special_tokens=SPECIALS, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    folder = RESOURCES / "tokenizers" / name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = [t for t, _ in sorted(model["vocab"].items(), key=lambda kv: kv[1])]
    types = [3 if t in SPECIALS else 1 for t in tokens]
    write_gguf(folder / "tokenizer.gguf", "gpt2", tokens, types, add_tokenizer_pre=name,
               add_token_merges=[" ".join(m) for m in model["merges"]], add_bos_token_id=1,
               add_eos_token_id=2, add_add_bos_token=False)
    (folder / "expected.json").write_text(
        json.dumps(expected(tokenizer), ensure_ascii=False, indent=1) + "\n")


def sentence_piece():
    """A SentencePiece-like BPE: merges in the order of falling scores, bytes as a fallback."""
    specials = ["<unk>", "<s>", "</s>"]
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.train_from_iterator([t for t in CORPUS if "東" not in t], trainers.BpeTrainer(
        vocab_size=200, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    pieces = [t for t, _ in sorted(model["vocab"].items(), key=lambda kv: kv[1])]
    tokens = specials + bytes_ + pieces
    vocab = {t: i for i, t in enumerate(tokens)}
    merges = [tuple(m) for m in model["merges"]]
    rank = {"".join(m): i for i, m in enumerate(merges)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>",
                                     fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(s, normalized=False) for s in specials])
    folder = RESOURCES / "tokenizers" / "sentencepiece"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    scores = [0.0] * len(specials + bytes_) + [float(-rank.get(p, 10000)) for p in pieces]
    types = [2, 3, 3] + [6] * 256 + [1] * len(pieces)
    write_gguf(folder / "tokenizer.gguf", "llama", tokens, types, add_token_scores=scores,
               add_bos_token_id=1, add_eos_token_id=2, add_unk_token_id=0)
    (folder / "expected.json").write_text(
        json.dumps(expected(tokenizer), ensure_ascii=False, indent=1) + "\n")


def schedules():
    """Learning rates of transformers' get_scheduler, base 1e-3."""
    results = []
    for name, cycles, power in [("constant", 1, 1), ("constant_with_warmup", 1, 1),
                                ("linear", 1, 1), ("cosine", 1, 1),
                                ("cosine_with_restarts", 3, 1), ("polynomial", 1, 2.0)]:
        for warmup in (0, 4):
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=1e-3)
            options = {"num_cycles": cycles} if "restarts" in name else (
                {"power": power} if name == "polynomial" else {})
            scheduler = get_scheduler(name, optimizer, warmup, 17, options)
            rates = []
            for _ in range(17):
                rates.append(scheduler.get_last_lr()[0])
                optimizer.step()
                scheduler.step()
            results.append(dict(name=name, warmup=warmup, total=17, cycles=cycles, power=power,
                                rates=rates))
    (RESOURCES / "golden" / "schedules.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    schedules()
    render_all()
    for n, (norm, pre_tokenizer) in BYTE_LEVEL.items():
        byte_level(n, norm, pre_tokenizer)
    sentence_piece()
