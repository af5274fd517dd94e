"""A small tekken.json, and what mistral-common makes of some texts and conversations.

    python src/test/python/make_tekken_golden.py    # in an environment with mistral-common

It is the beginning of the one in mistral-common's package: the first ranks, and fewer special tokens. "plain" are texts,
"chats" what its instruct tokenizer makes of conversations, with the text that stands for it.
"""

import json
import pathlib

import mistral_common
from mistral_common.protocol.instruct.messages import AssistantMessage, SystemMessage, ToolMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.tool_calls import Function, FunctionCall, Tool, ToolCall
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

OUT = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "tekken"
OUT.mkdir(parents=True, exist_ok=True)
TEXTS = ["a grinning face", "  Two   spaces  and a tab\there ", "Ein süßer Hund, ﬁne ligature ①", "", " ", "x", "don't WON'T HeLLo",
         "日本語 and 🐙", "UPPER lower 12345 -- ...", "train LoRA adapters\nfor language models\n\n\nof today",
         "\u200b zero width, \r\n line ends", "a/b //c\n /d\n", "the theory thereof, and another", "\x00\x7f\xad\xa0"]

whole = json.loads((pathlib.Path(mistral_common.__file__).parent / "data" / "tekken_240911.json").read_text())
special = [dict(rank=t["rank"], token_str=str(t["token_str"].value), is_control=True) for t in Tekkenizer.DEPRECATED_SPECIAL_TOKENS]
small = dict(
    config=dict(whole["config"], num_vocab_tokens=760, default_vocab_size=724, default_num_special_tokens=24, version="v7"),
    vocab=whole["vocab"][:760], special_tokens=special)
file = OUT / "tekken.json"
file.write_text(json.dumps(small, ensure_ascii=False) + "\n")

tokens = Tekkenizer.from_file(file)
call = ToolCall(id="abcdefghi", function=FunctionCall(name="weather", arguments='{"city": "Köln"}'))
tool = Tool(function=Function(name="weather", description="Of a city.", parameters={"type": "object", "properties": {"city": {"type": "string"}}}))
CHATS = [
    ChatCompletionRequest(messages=[UserMessage(content="What is red?")]),
    ChatCompletionRequest(messages=[SystemMessage(content="Be brief."), UserMessage(content=" Hi "), AssistantMessage(content="Hello."),
                                    UserMessage(content="Bye\n")]),
    ChatCompletionRequest(tools=[tool], messages=[UserMessage(content="Rain?"), AssistantMessage(content=None, tool_calls=[call]),
                                                  ToolMessage(tool_call_id="abcdefghi", content="yes")]),
]
instruct = MistralTokenizer.from_file(str(file))
chats = []
for chat in CHATS:
    made = instruct.encode_chat_completion(chat)
    chats.append({"text": made.text, "ids": made.tokens})
(OUT / "ids.json").write_text(json.dumps(dict(
    plain=[{"text": t, "ids": tokens.encode(t, bos=False, eos=False)} for t in TEXTS], chats=chats), ensure_ascii=False) + "\n")
