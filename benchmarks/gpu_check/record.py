"""The results: one JSON line for each case, written as it ends, to every file that is named."""
import json
import threading

import child


class Record:
    def __init__(self, files, earlier=()):
        self.files = files
        self.lines, self.new = {}, set()
        self.unfinished = set()  # what this call had no time for
        self.over = lambda: False  # whether its time has run out
        self.lock = threading.Lock()
        for file in [*earlier, *files]:
            for line in self.read(file):
                self.lines[line["stage"], line["case"]] = line

    @staticmethod
    def read(file):
        """Whole lines; a line that a stopped run left half written is no result."""
        if not file.exists():
            return
        for text in file.read_text().splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if "stage" in line and "case" in line:
                yield line

    def add(self, stage, case, **values):
        """A case that this call's end cut short has no result: the next call runs it again."""
        if not values["ok"] and child.STILL_RUNNING in values.get("why", "") and self.over():
            self.unfinished.add((stage, case))
            return
        line = {"stage": stage, "case": case, **values}
        text = json.dumps(line) + "\n"
        with self.lock:
            self.lines[stage, case] = line
            self.new.add((stage, case))
            for file in self.files:
                with open(file, "a") as out:
                    out.write(text)
            shown = text if len(text) < 400 else text[:400] + " …\n"
            print(shown, end="", flush=True)

    def find(self, stage, case):
        return self.lines.get((stage, case))

    def of(self, stage):
        return [line for (s, _), line in self.lines.items() if s == stage]
