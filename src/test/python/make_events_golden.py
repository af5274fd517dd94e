"""An event file as PyTorch's SummaryWriter writes it, with curves under the names of kohya's scripts: what the
board and the doctor must be able to read of other tools.

    peers/bin/python src/test/python/make_events_golden.py
"""

import pathlib
import shutil
import tempfile

import numpy as np
from torch.utils.tensorboard import SummaryWriter

OUT = pathlib.Path(__file__).parents[1] / "resources/events/torch.tfevents"


def main():
    OUT.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for step in range(40):
                writer.add_scalar("loss/current", 0.1 + 0.05 / (step + 1), step)
                writer.add_scalar("lr/unet", 1e-4, step)
            writer.add_scalar("loss/current", float("nan"), 40)
            writer.add_text("prompt", "a **red** star", 3)
            writer.add_image("sample", np.arange(48, dtype=np.uint8).reshape(4, 4, 3), 7,
                             dataformats="HWC")
        file, = pathlib.Path(folder).iterdir()
        shutil.copy(file, OUT)
        with SummaryWriter(folder + "/h") as writer:
            writer.add_hparams({"lr": 1e-4, "network_dim": 8, "flip": True, "name": "x"},
                               {"loss": 0.5}, run_name=".")
        files = sorted(pathlib.Path(folder + "/h").iterdir(), key=lambda f: f.stat().st_mtime)
        shutil.copy(files[-1], OUT.with_name("torch-hparams.tfevents"))


if __name__ == "__main__":
    main()
