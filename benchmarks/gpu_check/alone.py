"""A case of the smoke test in its own process: alone.py DRIVER HOME_OPTIONS... see stages."""
import json
import sys
from argparse import Namespace

import conformance
import smoke
from card import Card
from check import Home
from child import MARK


def main(driver, kind, name):
    home = Home(Namespace(java="", class_path=""))
    card = Card(driver, home.images())
    if kind == "card":
        line = {"ok": True, "card": card.name(), "capability": card.capability}
    elif kind == "conformance":
        line = conformance.run(card, home.conformance, name)
    else:
        line = smoke.run(card, home.launches, name, kind == "full")
    print(MARK + json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
