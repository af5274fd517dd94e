"""Stage: each hot kernel alone at a real model's size, timed from Python."""
import smoke
from smoke_stage import command

LIMIT = 60


def run(check):
    check.each("times", list(smoke.cases()), lambda name: one(check, name), 1)


def one(check, name):
    line, outcome = check.marked(command(check, "full", name), check.limit(LIMIT))
    check.record.add("times", name, **(line or {"ok": False, "why": outcome.why}))
