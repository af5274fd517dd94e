"""A run of `lora-native train` in a process of its own."""
import json
import re
import shutil
import statistics

WARM_UP = 3  # steps that allocate and capture


class Run:
    def __init__(self, outcome, folder):
        self.outcome = outcome
        metrics = folder / "logs/metrics.jsonl"
        steps = metrics.read_text().splitlines() if metrics.exists() else []
        self.steps = [json.loads(line) for line in steps]
        self.losses = [s["loss"] for s in self.steps]
        log = folder / "logs/train.log"
        planned = re.search(r"memory: (.*) planned", log.read_text() if log.exists() else "")
        self.planned = planned[1] if planned else ""
        self.why = outcome.why

    def per_second(self):
        """The median step's tokens or images."""
        speeds = [s.get("images_per_s", s.get("tokens_per_s", 0)) for s in self.steps]
        return statistics.median(speeds[min(WARM_UP, len(speeds) - 1):]) if speeds else 0


def train(check, name, limit, settings, fresh=True, until=None, **more):
    """Goes on with the run of that name unless `fresh`; is killed when `until()` says so."""
    folder = check.work / "runs" / name
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    arguments = ["train", f"--set=output_dir={folder}", *([] if fresh else ["--resume"])]
    arguments += [f"--set={k}={v}" for k, v in {**settings, **more}.items()]
    outcome = check.child(check.java_command("org.loranative.cli.Main", *arguments), limit,
                          until=until)
    return Run(outcome, folder)


def adapters(check, name):
    """The bytes of the adapters that a run left, by file."""
    folder = check.work / "runs" / name
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*.safetensors"))
            if "checkpoint-" not in str(f)}
