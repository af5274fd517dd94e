"""Everything that only a machine with an NVIDIA card can show, stage by stage.

    python3 gpu_check [OPTION]... STAGE...

Stages, in the order in which they help:

    smoke     the PTX wrappers, then each hot kernel alone, against numpy
    times     each hot kernel alone at a real size, checked in part and timed
    tests     the tests of ops and models, a class a process
    training  training steps beside the CPU's losses, killed and resumed, twice to the bit
    kernels   kernels by shape, beside torch
    steps     whole training steps, beside torch
    profile   Nsight Compute on the slowest kernels
    all       all of them

Each case is a process of its own and leaves one JSON line in OUT/gpu-check.jsonl as soon as it
ends. Cases that have a line there, or in a file named by --resume, are not run again."""
import argparse
import importlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from check import Check  # noqa: E402
from record import Record  # noqa: E402
import table  # noqa: E402

STAGES = "smoke", "times", "tests", "training", "kernels", "steps", "profile"


def options():
    p = argparse.ArgumentParser(prog="gpu_check", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("stages", nargs="+", choices=[*STAGES, "all", "table"], metavar="STAGE")
    p.add_argument("--out", default=os.environ.get("OUT", "."), help="folder of the results")
    p.add_argument("--resume", action="append", default=[], metavar="FILE",
                   help="earlier results, whose cases are not run again")
    p.add_argument("--again", action="store_true", help="run cases again that failed")
    p.add_argument("--case", default="", metavar="REGEX", help="only cases whose name matches")
    p.add_argument("--seconds", type=float, default=540, help="begin and run nothing after that")
    p.add_argument("--jobs", type=int, default=max(1, min(8, (os.cpu_count() or 2) - 1)),
                   help="processes side by side, where nothing is timed")
    p.add_argument("--driver", default="libcuda.so.1", help="the driver's library, or the emulator's")
    p.add_argument("--size", choices=("full", "toy"), default="full")
    p.add_argument("--work", default="/tmp/gpu-check", help="folder of models that are made")
    p.add_argument("--java", default="java", help=argparse.SUPPRESS)
    p.add_argument("--class-path", default="", help=argparse.SUPPRESS)
    return p.parse_args()


def main():
    chosen = options()
    out = Path(chosen.out)
    out.mkdir(parents=True, exist_ok=True)
    record = Record([out / "gpu-check.jsonl"], [Path(f) for f in chosen.resume])
    check = Check(chosen, record)
    check.work.mkdir(parents=True, exist_ok=True)
    stages = STAGES if "all" in chosen.stages else [s for s in STAGES if s in chosen.stages]
    for stage in stages:
        importlib.import_module(f"{stage}_stage").run(check)
    ok = table.show(record)
    sys.stdout.flush()
    os._exit(0 if ok else 1)  # waits for no reader of a child that was left behind


if __name__ == "__main__":
    main()
