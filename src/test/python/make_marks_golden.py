"""Golden file of src/test/resources/turns/marks: which tokens of a conversation are learnt where the template marks them.

    peers/bin/python src/test/python/make_marks_golden.py

TRL's training templates mark the assistant's parts with {% generation %}. What transformers' apply_chat_template makes of
them with return_assistant_tokens_mask=True, with the tokenizer of our tests: token ids, and those of them that the mask
holds. The templates lie beside the golden file as TRL has them (Apache-2.0).
"""

import json
import shutil

from make_turns_golden import CONVERSATIONS, RESOURCES, TRL
from transformers import PreTrainedTokenizerFast

OUT = RESOURCES / "turns" / "marks"
TEMPLATES = ["cohere2", "deepseekv3", "gemma3", "glm4moe", "lfm2", "llama3", "phi3", "qwen2_5", "qwen3"]


def main():
    OUT.mkdir(exist_ok=True)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(RESOURCES / "tokenizers" / "smollm" / "tokenizer.json"),
        bos_token="<|im_start|>", eos_token="<|im_end|>")
    results = []
    for template in TEMPLATES:
        file = TRL / f"{template}_training.jinja"
        shutil.copy(file, OUT / f"{template}.jinja")
        for name, (messages, tools) in CONVERSATIONS.items():
            try:
                encoded = tokenizer.apply_chat_template(
                    messages, tools=tools or None, chat_template=file.read_text(), return_dict=True,
                    return_assistant_tokens_mask=True)
            except Exception as e:
                print(template, name, "refused:", e)
                continue
            text = tokenizer.decode(encoded["input_ids"])
            if any("tool_calls" in m for m in messages) and text.count("temperature") <= ("tools" in file.read_text()):
                print(template, name, "leaves out the call")  # which is refused
                continue
            mask = encoded["assistant_masks"]
            results.append(dict(template=template, name=name, messages=messages, tools=tools, ids=encoded["input_ids"],
                                learnt=[i for i, m in enumerate(mask) if m]))
    lines = ",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in results)
    (OUT / "golden.json").write_text(f"[\n{lines}\n]\n")
    print(len(results), "conversations")


if __name__ == "__main__":
    main()
