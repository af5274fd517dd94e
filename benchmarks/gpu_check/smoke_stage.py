"""Stage: the PTX wrappers and each hot kernel alone, from Python."""
import shutil
import sys

import conformance
import smoke

LIMIT, SANITIZER_LIMIT = 60, 120
SIDE_BY_SIDE = 6


def run(check):
    names = [f"conformance {k}" for k in conformance.kernels(check.home.conformance)]
    names += list(smoke.cases())
    check.each("smoke", names, lambda name: one(check, name), min(check.options.jobs, SIDE_BY_SIDE))


def command(check, kind, name):
    return [sys.executable, check.home.python / "alone.py", check.driver, kind, name]


def one(check, name):
    kind, case = ("conformance", name.split()[1]) if " " in name else ("small", name)
    line, outcome = check.marked(command(check, kind, case), check.limit(LIMIT))
    line = line or {"ok": False, "why": outcome.why}
    if not line["ok"]:
        line.update(sanitized(check, command(check, kind, case)))
    check.record.add("smoke", name, seconds=round(outcome.seconds, 2), **line)


def sanitized(check, failing):
    """What compute-sanitizer says of a case that failed."""
    tool, limit = shutil.which("compute-sanitizer"), check.limit(SANITIZER_LIMIT)
    if check.emulated or not limit:
        return {}
    if not tool:
        return {"sanitizer": "compute-sanitizer is not installed"}
    outcome = check.child([tool, "--tool", "memcheck", "--print-limit", "3", *failing], limit)
    return {"sanitizer": outcome.output[-1500:]}
