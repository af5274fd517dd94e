"""Stage: whole training steps at real sizes, rank 16, beside torch: throughput, and the card's
memory at its peak against what was planned."""
import shutil
import subprocess
import sys
import threading

import models
import training

# Model, what quantizes it, how many tokens or images of which size.
CASES = {
    "qwen3-0.6b bf16": ("qwen3-0.6b", "none", 2048),
    "qwen3-1.7b bf16": ("qwen3-1.7b", "none", 2048),
    "sd15 bf16": ("sd15", "none", 4),
    "sdxl bf16": ("sdxl", "none", 1),
    "qwen3-8b bf16": ("qwen3-8b", "none", 2048),
    "qwen3-8b nf4": ("qwen3-8b", "nf4", 2048),
    "qwen3-0.6b nf4": ("qwen3-0.6b", "nf4", 2048),
    "qwen3-1.7b nf4": ("qwen3-1.7b", "nf4", 2048),
}
TOY = {"qwen3-toy bf16": ("qwen3-toy", "none", 64), "sd-toy bf16": ("sd-toy", "none", 1)}
SIDES = {"sd15": 512, "sdxl": 1024, "sd-toy": 32}
LIMIT = 150
CONTEXT_MB = 700  # of a process on the card, beside what is planned


def run(check):
    check.home.unpack()
    cases = TOY if check.toy else CASES
    for name, case in cases.items():
        check.each("steps", [f"ours {name}"], lambda full: ours(check, full, *case), 1)
        lacks = check.lacks(*modules(*case))
        if lacks:
            check.skip("steps", f"torch {name}", f"no steps of torch: {lacks}")
        else:
            check.each("steps", [f"torch {name}"], lambda full: torch(check, full, *case), 1)
    for model in {c[0] for c in cases.values()}:
        if all(check.record.find("steps", f"ours {n}") for n, c in cases.items() if c[0] == model):
            models.remove(check, model, "numbers")


def ours(check, case, model, quantize, units):
    numbers = () if check.toy else ("numbers",)
    settings = models.settings(model, models.make(check, model, *numbers))
    settings |= {"device": "cuda-emu", "compute_dtype": "bf16", "lora_rank": 16, "save_steps": 0,
                 "max_steps": 3 if check.toy else 14}
    if models.is_diffusion(model):
        settings |= {"batch_size": units, "resolution": SIDES[model]}
    else:
        settings |= {"batch_size": 1, "max_length": units, "quantize": quantize}
    limit = check.limit(LIMIT)
    if not limit:
        check.record.unfinished.add(("steps", case))
        return
    with CardMemory(check) as memory:
        ran = training.train(check, case.replace(" ", "-"), limit, settings)
    line = {"ok": ran.outcome.ok and bool(ran.losses), "per_s": round(ran.per_second(), 2),
            "planned": ran.planned, "peak_mb": memory.peak(), "losses": ran.losses[:4],
            "seconds": round(ran.outcome.seconds, 1)}
    if not check.emulated and not memory.tool:
        line["skipped"] = "no peak of memory: nvidia-smi is not installed"
    words = ran.planned.split()
    if line["ok"] and memory.peak() and len(words) == 2 and words[1] in ("MB", "GB"):
        planned = float(words[0].replace(",", "")) * (1000 if words[1] == "GB" else 1)
        line["beyond_plan_mb"] = round(memory.peak() - planned)
        if line["beyond_plan_mb"] > CONTEXT_MB:
            line.update(ok=False, why="takes more memory than was planned")
    if not ran.outcome.ok:
        line.update(why=ran.why, output=ran.outcome.output[-800:])
    check.record.add("steps", case, **line)


def modules(model, quantize, _units):
    """What torch's side of a case imports."""
    return ["torch", *([] if models.is_diffusion(model) else ["transformers"]),
            *(["triton"] if quantize == "nf4" else [])]


def torch(check, case, model, quantize, units):
    found, outcome = check.marked([sys.executable, check.home.python / "peers.py", "step", model,
                                   quantize, units], check.limit(LIMIT))
    line = {"ok": bool(found), "seconds": round(outcome.seconds, 1), **(found or {})}
    if not found:
        line.update(why=outcome.why, output=outcome.output[-800:])
    check.record.add("steps", case, **line)


class CardMemory:
    """The most memory that the card's processes took, beyond what they had at first, by
    nvidia-smi ten times a second; nothing where that is missing."""

    def __init__(self, check):
        self.tool = None if check.emulated else shutil.which("nvidia-smi")
        self.seen = []

    def __enter__(self):
        if self.tool:
            self.process = subprocess.Popen(
                [self.tool, "--id=0", "--query-gpu=memory.used", "--format=csv,noheader,nounits",
                 "--loop-ms=100"], stdout=subprocess.PIPE, text=True)
            threading.Thread(target=self.read, daemon=True).start()
        return self

    def read(self):
        for line in self.process.stdout:
            if line.strip().isdigit():
                self.seen.append(int(line) * 1.048576)

    def __exit__(self, *_):
        if self.tool:
            self.process.kill()

    def peak(self):
        return round(max(self.seen) - self.seen[0]) if self.seen else 0
