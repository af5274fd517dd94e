"""What adapters of each method add to a weight, by numpy, from whole matrices.

    python3 src/test/python/make_change_golden.py
"""

import json
import pathlib

import numpy

OUT, IN, RANK, ALPHA = 12, 10, 4, 6.0
FILE = pathlib.Path(__file__).parents[1] / "resources/changes.json"


def directions(values):
    held = numpy.cumsum(values**2) / numpy.sum(values**2)
    return int(numpy.searchsorted(held, 0.99) + 1)


def case(parts, delta, *products):
    spectra = [numpy.linalg.svd(p, compute_uv=False)[:RANK] for p in products]
    return {"parts": {k: v.ravel().tolist() for k, v in parts.items()},
            "norm": float(numpy.linalg.norm(delta)),
            "spectra": [s.tolist() for s in spectra],
            "directions": max([directions(s) for s in spectra], default=0)}


def main():
    random = numpy.random.default_rng(0)

    def draw(*shape):
        return random.standard_normal(shape).astype(numpy.float32)

    scale = ALPHA / RANK
    a, b = draw(RANK, IN), draw(OUT, RANK)
    b[:, 2:] *= numpy.float32(0.01)  # two directions matter
    delta = scale * b.astype(float) @ a.astype(float)
    cases = {"lora": case({"lora_A": a, "lora_B": b}, delta, delta),
             "dora": case({"lora_A": a, "lora_B": b, "lora_magnitude_vector": draw(OUT)}, delta, delta)}
    a1, b1, a2, b2 = draw(OUT, RANK), draw(RANK, IN), draw(OUT, RANK), draw(RANK, IN)
    one, two = (x.astype(float) @ y.astype(float) for x, y in ((a1, b1), (a2, b2)))
    cases["loha"] = case({"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2},
                         scale * one * two, one, two)
    w1, w2 = draw(3, 2), draw(4, 5)  # a rank of 4 makes the second factor whole
    cases["lokr"] = case({"lokr_w1": w1, "lokr_w2": w2}, scale * numpy.kron(w1, w2))
    FILE.write_text(json.dumps({"out": OUT, "in": IN, "rank": RANK, "alpha": ALPHA, "methods": cases}) + "\n")


if __name__ == "__main__":
    main()
