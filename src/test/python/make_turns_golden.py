"""Golden file of src/test/resources/turns: which parts of a conversation are learnt, by TRL and transformers.

    peers/bin/python src/test/python/make_turns_golden.py [all]

TRL keeps, beside models' own chat templates, copies that mark the assistant's parts with {% generation %}. Where
both write the same text, transformers' spans of the marked copy are what has to be found in the model's own template,
which marks nothing. "all" writes every pair of templates that TRL has, to look at; without it those of our resources.
"""

import json
import sys
from pathlib import Path

import trl
from transformers.utils.chat_template_utils import render_jinja_template

RESOURCES = Path(__file__).parents[1] / "resources"
TRL = Path(trl.__file__).parent / "chat_templates"
# Our templates that TRL has a marked copy of.
OURS = {"qwen3": "qwen3", "llama3": "llama3", "gemma3": "gemma3", "phi3": "phi3",
        "deepseek-r1-distill": "deepseek_r1_distill", "qwen2.5-tools": "qwen2_5"}

CALL = {"id": "1", "type": "function",
        "function": {"name": "temperature", "arguments": {"place": "Bergen"}}}
TOOLS = [{"type": "function", "function": {
    "name": "temperature", "description": "Now",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}}}}]


def turns(*pairs):
    return [dict(role="user" if i % 2 == 0 else "assistant", content=c) for i, c in enumerate(pairs)]


CONVERSATIONS = {
    "single": (turns("say blue", "blue"), []),
    "many": (turns("say blue", " blue \n", "say blue again", "blue", "a", "a"), []),
    "system": ([dict(role="system", content="Be brief.")] + turns("2+2?", "4"), []),
    "thinking": (turns("a or b?", "<think>\nhm\n</think>\n\na", "and now?", "<think>\noh\n</think>\n\nb"), []),
    "dense": (turns("Is 21 a prime?", "<think>3 times 7 is 21</think>No."), []),
    "reasoning": ([dict(role="user", content="Is 21 a prime?"),
                   dict(role="assistant", reasoning_content="3 times 7 is 21", content="No.")], []),
    "tools": ([dict(role="user", content="How warm is it in Bergen?"),
               dict(role="assistant", content="", tool_calls=[CALL]),
               dict(role="tool", tool_call_id="1", content="9"),
               dict(role="assistant", content="Nine degrees.")], TOOLS),
}


def render(template, messages, tools, **options):
    return render_jinja_template(conversations=[messages], chat_template=template, tools=tools or None,
                                 bos_token="<s>", eos_token="</s>", **options)


def main(everything):
    results = []
    pairs = OURS.items() if not everything else [
        (f.name.removesuffix(".jinja"),) * 2 for f in sorted(TRL.glob("*.jinja"))
        if "_training" not in f.name and f.with_name(f.stem + "_training.jinja").exists()]
    for ours, theirs in pairs:
        own = TRL / f"{theirs}.jinja" if everything else RESOURCES / "templates" / f"{ours}.jinja"
        for name, (messages, tools) in CONVERSATIONS.items():
            entry = dict(template=str(own) if everything else ours, name=name, messages=messages, tools=tools)
            try:
                text = render(own.read_text(), messages, tools)[0][0]
                marked, spans = render((TRL / f"{theirs}_training.jinja").read_text(), messages, tools,
                                       return_assistant_tokens_mask=True)
            except Exception as e:
                print(ours, name, "refused:", e)
                continue
            if marked[0] != text and not everything:
                print(ours, name, "is written otherwise by TRL")
                continue
            calls = [c for m in messages for c in m.get("tool_calls", [])]
            if calls and text.count("temperature") <= ("tools" in own.read_text()):
                print(ours, name, "leaves out the call")
                continue
            # Of the end of text behind the whole conversation, and a header that generation is given, we learn nothing.
            learnt = [marked[0][a:b].strip().removeprefix("<｜Assistant｜>") for a, b in spans[0]]
            entry.update(text=text, same=marked[0] == text, learnt=[s for s in learnt if s != "</s>"])
            results.append(entry)
    path = Path("/tmp/turns-all.json") if everything else RESOURCES / "turns" / "learnt.json"
    path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    print(len(results), "conversations")


if __name__ == "__main__":
    main("all" in sys.argv)
