#!/usr/bin/env bash
# Kills a training run with SIGKILL at random moments, resumes it each time, and compares losses and
# adapter bytes with a run left alone. Needs target/lora-native.jar and models/cache.
set -euo pipefail
cd "$(dirname "$0")/../../.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# To be called in a subshell, which becomes the JVM: its number is the one to kill.
run() {
  exec java -jar target/lora-native.jar train --set base_model=models/cache/SmolLM2-135M-Instruct.Q4_1.gguf \
    --set metadata_path=models/demo/emoji-chat/train.jsonl --set batch_size=4 --set max_steps=24 \
    --set save_steps=3 --set learning_rate=1e-3 --set lora_dropout=0.05 --set "output_dir=$1" "${@:2}" \
    >>"$work/log" 2>&1
}
(run "$work/whole")
resume=()
for _ in 1 2 3 4; do
  run "$work/killed" "${resume[@]}" &
  sleep "$((RANDOM % 5 + 2)).$((RANDOM % 10))"
  kill -KILL $! 2>/dev/null || true
  wait $! 2>/dev/null || true
  resume=(--resume)
done
(run "$work/killed" --resume)
losses() { grep -o '"step":[0-9]*,"loss":[0-9.eE-]*' "$1/logs/metrics.jsonl"; }
diff <(losses "$work/whole") <(losses "$work/killed")
cmp "$work/whole/adapter/adapter_model.safetensors" "$work/killed/adapter/adapter_model.safetensors"
echo "killed four times, resumed: the same losses and the same adapter bytes"
