"""The PTX wrappers held against conformance.txt (see there), by the kernels of conformance.cu."""
import numpy as np


def launches(table):
    found = []
    for line in table.read_text().splitlines():
        what, *rest = line.split() or ["#"]
        if what in ("kernel", "warpgroup"):
            buffers = [np.zeros(int(n), np.uint32) for n in rest[2:]]
            found.append((rest[0], int(rest[1]), buffers, {}, [], 32 if what == "kernel" else 128))
        elif what == "zeros":
            found[-1][4].append(int(rest[0]))
        elif what in ("set", "expect"):
            buffer, at = int(rest[0]), int(rest[1])
            for i, word in enumerate(int(w, 16) for w in rest[2:]):
                if what == "set":
                    found[-1][2][buffer][at + i] = word
                else:
                    found[-1][3][buffer, at + i] = word
    return found


def run(card, table, kernel):
    """One kernel's line."""
    passed, wrong = 0, []
    for name, shared, buffers, expected, zeros, threads in launches(table):
        if name != kernel:
            continue
        if threads == 128 and card.capability != "90":
            return {"ok": True, "skipped": "only Hopper has warpgroups' products"}
        addresses = [card.put(b) for b in buffers]
        card.launch(name, (1,), threads, shared, *addresses)
        after = [card.get(p, b.shape, b.dtype) for p, b in zip(addresses, buffers)]
        for buffer in zeros:
            for i in range(len(after[buffer])):
                expected.setdefault((buffer, i), 0)
        for (buffer, i), word in expected.items():
            if after[buffer][i] == word:
                passed += 1
            else:
                wrong.append(f"buffer {buffer} word {i}: {after[buffer][i]:08x}, not {word:08x}")
    return {"ok": not wrong and passed > 0, "checks": passed, "wrong": wrong[:20]}


def kernels(table):
    return list(dict.fromkeys(name for name, *_ in launches(table)))
