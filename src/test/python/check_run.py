"""Checks the results of a run with other people's readers: TensorBoard's and PEFT's.

    peers/bin/python src/test/python/check_run.py RUN_DIR GGUF

Reads RUN_DIR/logs with TensorBoard's EventAccumulator (tags, steps, texts, hparams, against
metrics.jsonl), loads RUN_DIR/adapter with PEFT on the Hugging Face model, and compares its greedy
answers with those of `lora-native generate`.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
from peft import PeftModel
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoModelForCausalLM, AutoTokenizer

run, base = Path(sys.argv[1]), Path(sys.argv[2])

events = EventAccumulator(str(run / "logs"), size_guidance=dict(scalars=0, tensors=0))
events.Reload()
tags = events.Tags()
metrics = [json.loads(line) for line in (run / "logs" / "metrics.jsonl").read_text().splitlines()]
for tag in ("Loss/train", "lr", "grad_norm", "perf/tokens_per_s", "perf/step_ms", "memory/bytes"):
    assert tag in tags["scalars"], tag
losses = events.Scalars("Loss/train")
assert [e.step for e in losses] == [m["step"] for m in metrics]
assert all(abs(e.value - m["loss"]) < 1e-6 for e, m in zip(losses, metrics))
assert "config/text_summary" in tags["tensors"]
assert events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].startswith(b"| key")
plugins = events.summary_metadata
assert plugins["_hparams_/experiment"].plugin_data.plugin_name == "hparams"
from tensorboard.plugins.hparams import plugin_data_pb2

data = plugin_data_pb2.HParamsPluginData.FromString(
    plugins["_hparams_/session_start_info"].plugin_data.content)
assert data.session_start_info.hparams["lora_rank"].number_value >= 1
print("TensorBoard reads", len(losses), "steps and", sorted(tags["scalars"]))

tokenizer = AutoTokenizer.from_pretrained(base.parent, gguf_file=base.name)
model = AutoModelForCausalLM.from_pretrained(base.parent, gguf_file=base.name, dtype=torch.float32)
model = PeftModel.from_pretrained(model, run / "adapter").eval()
for prompt in ["Which emoji is \"rocket\"?", "What does ✋ show?", "Tell me about the sea."]:
    ids = tokenizer.apply_chat_template([dict(role="user", content=prompt)], return_tensors="pt",
                                        add_generation_prompt=True, return_dict=True)
    out = model.generate(**ids, max_new_tokens=24, do_sample=False)
    theirs = tokenizer.decode(out[0, ids["input_ids"].shape[1]:], skip_special_tokens=True)
    ours = subprocess.run(
        ["java", "-jar", "target/lora-native.jar", "generate", "--base", str(base), "--adapter",
         str(run / "adapter"), "--prompt", prompt, "--max-tokens", "24"],
        capture_output=True, text=True, check=True).stdout.rstrip("\n")
    assert ours == theirs.rstrip("\n"), (ours, theirs)
    print("PEFT and lora-native agree:", repr(ours))
