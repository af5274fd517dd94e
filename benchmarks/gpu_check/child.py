"""A process of its own for each case: a fault on the card ends it and nothing else."""
import os
import signal
import subprocess
import threading
import time

MARK = "@gpu-check "
STILL_RUNNING = "still running"  # why a child was ended at its limit
SHOWN = 3000


class Outcome:
    """How a child ended, and the end of what it printed."""

    def __init__(self, code, seconds, output, why):
        self.code, self.seconds, self.output, self.why = code, seconds, output, why
        self.killed = False
        self.ok = code == 0


def run(command, limit, environment=None, on_line=lambda text: None, until=None, cwd=None):
    """Runs a command for at most `limit` seconds. Lines that begin with MARK are handed to
    `on_line` as they come; the child is killed once `until()` is true. A child that even SIGKILL does not end, since a driver call hangs, is
    left behind."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", stdin=subprocess.DEVNULL, start_new_session=True, cwd=cwd,
                               env={**os.environ, **(environment or {})})
    kept = []

    def read():
        for line in process.stdout:
            if line.startswith(MARK):
                on_line(line[len(MARK):])
            else:
                kept.append(line)
                del kept[:-200]

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    why, killed, end = "", False, start + max(0.1, limit)
    while process.poll() is None and time.monotonic() < end and not killed:
        try:
            process.wait(min(0.05 if until else limit, max(0.05, end - time.monotonic())))
        except subprocess.TimeoutExpired:
            killed = bool(until and until())
    if process.poll() is None:
        why = "" if killed else f"{STILL_RUNNING} after {limit:.0f} s"
        try:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
        except (ProcessLookupError, PermissionError):
            pass
        except subprocess.TimeoutExpired:
            why += "; it cannot be ended and was left behind"
    reader.join(5)
    code = process.poll()
    output = "".join(kept)[-SHOWN:]
    if code and not why and not killed:
        last = [line.strip() for line in output.splitlines() if line.strip()]
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        why = f"{how}: {last[-1][:300] if last else 'no output'}"
    outcome = Outcome(-1 if code is None else code, time.monotonic() - start, output, why)
    outcome.killed = killed
    return outcome
