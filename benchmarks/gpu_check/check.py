"""What all stages share: where things lie, what is left of the time, and how a case is run."""
import json
import re
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import child

LEAST_SECONDS = 5  # with less no case is begun
SPARE_SECONDS = 3
SLOWER_EMULATED = 5


class Home:
    """Folders of the archive, or of a checkout in which everything is built."""

    def __init__(self, options):
        here = Path(__file__).resolve().parent
        self.python = here
        self.payloads = sorted(here.parent.glob("*.tar.xz"))
        self.packed = bool(self.payloads)
        self.root = here.parent if self.packed else here.parent.parent
        if self.packed:
            self.java = str(self.root / "java/bin/java")
            # The root for models/, which the program lists: this Java cannot list a jar's folder.
            self.class_path = ":".join(
                f"{self.root}/{part}" for part in ("tests", "main", ".", "main.jar", "lib/*"))
            self.kernels = self.root / "main/org/loranative/device/kernels"
            self.launches = self.root / "launches.json"
            self.conformance = self.root / "conformance.txt"
        else:
            self.java, self.class_path = options.java, options.class_path
            self.kernels = self.root / "target/classes/org/loranative/device/kernels"
            self.launches = self.root / "target/native/launches.json"
            self.conformance = self.root / "src/test/native/emulator/conformance.txt"

    def unpack(self):
        """Java and all that it runs; done when a stage first needs it."""
        done = self.root / "unpacked"
        if self.packed and not done.exists():
            for file in self.payloads:
                with tarfile.open(file) as payload:
                    payload.extractall(self.root)
            done.touch()

    def images(self):
        """Cubins of the kernels, and of the conformance kernels."""
        return sorted(self.kernels.glob("*.cubin")) + sorted(self.root.glob("conformance.*.cubin"))


class Check:
    def __init__(self, options, record):
        self.options, self.record = options, record
        self.home = Home(options)
        self.toy = options.size == "toy"
        self.driver = options.driver
        self.emulated = "_emu" in self.driver
        self.deadline = time.monotonic() + options.seconds
        self.work = Path(options.work)
        record.over = lambda: self.left() < LEAST_SECONDS

    def left(self):
        return self.deadline - time.monotonic() - SPARE_SECONDS

    def limit(self, most):
        """The limit of a case that may take `most` seconds; 0 if there is no time for it."""
        most *= SLOWER_EMULATED if self.emulated else 1
        return 0 if self.record.over() else min(most, self.left())

    def wanted(self, stage, case):
        """Whether a case is asked for and has no result yet."""
        if not re.search(self.options.case, case) or (stage, case) in self.record.new:
            return False
        line = self.record.find(stage, case)
        return line is None or self.options.again and not line.get("ok")

    def skip(self, stage, case, why):
        """A line for what cannot be shown on this machine, which is no failure."""
        self.each(stage, [case], lambda name: self.record.add(stage, name, ok=True, skipped=why), 1)

    def lacks(self, *modules):
        """Why a program beside which ours is shown cannot run here; empty if it can."""
        if self.emulated:
            return "an emulated card runs our kernels alone"
        return next((f"{m} is not installed" for m in modules if not find_spec(m)), "")

    def environment(self):
        return {"LORA_NATIVE_EMULATOR": str(self.driver)}

    def java_command(self, main, *arguments, flags=()):
        return [self.home.java, "-ea", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
                *flags, "-cp", self.home.class_path, main, *map(str, arguments)]

    def child(self, command, limit, on_line=lambda text: None, until=None, cwd=None):
        return child.run([str(c) for c in command], limit, self.environment(), on_line, until,
                         cwd or self.home.root)

    def marked(self, command, limit):
        """Runs a child that prints one result; returns that and how it ended."""
        found = []
        outcome = self.child(command, limit, lambda text: found.append(json.loads(text)))
        return (found[-1] if found else None), outcome

    def each(self, stage, cases, one, jobs):
        """Runs one(case) for all cases that are wanted, `jobs` side by side."""
        def guarded(case):
            if self.record.over():
                self.record.unfinished.add((stage, case))
                return
            try:
                one(case)
            except Exception as e:  # a mistake of this program's must not end the others
                self.record.add(stage, case, ok=False, why=f"{type(e).__name__}: {e}")
        todo = [c for c in cases if self.wanted(stage, c)]
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            list(pool.map(guarded, todo))
