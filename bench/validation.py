"""What validation, report and export of a run on crops cost, beside its training.

    python -m bench.validation [--side PX] [--size PX] [--train N] [--val N] [--epochs N] [--threads N]
                               [--spec JSON]

A drawn set of images of `side` pixels is trained on with `fit: crop` at `size` pixels; `--spec` is laid over
the run's spec, as `{"data": {"val_max_images": 4}}`. All is in one process: the ratios are of neighbours.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.sides.engine import job, same_job
from trainyard.runs.events import Event, Progress
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.prepared.version import PreparedClass, PreparedWriter
from workers.training.fit import fit

USUAL = {"side": 1024, "size": 256, "train": 24, "val": 6, "epochs": 2, "threads": 1}
CLASSES = 4
COLORS = ((90, 90, 90), (220, 60, 60), (60, 200, 60), (60, 60, 220))


def draw_set(folder: Path, side: int, train: int, val: int) -> Path:
    """Write a prepared set of discs in three colours on a noisy ground."""
    numbers, splits = np.random.default_rng(0), {}
    with PreparedWriter(folder) as writer:
        for place in range(train + val):
            image = numbers.integers(60, 120, (side, side, 3), dtype=np.uint8)
            mask = np.zeros((side, side), np.uint8)
            for _ in range(side * side // 20_000):
                index = int(numbers.integers(1, CLASSES))
                middle = tuple(int(at) for at in numbers.integers(0, side, 2))
                radius = int(numbers.integers(8, 60))
                cv2.circle(image, middle, radius, COLORS[index], cv2.FILLED)
                cv2.circle(mask, middle, radius, index, cv2.FILLED)
            splits[str(place)] = "train" if place < train else "val"
            writer.append(str(place), image, mask)
        classes = [
            PreparedClass(index=index, name=f"class {index}", value=index, color=COLORS[index])
            for index in range(CLASSES)
        ]
        writer.finish(splits, classes, (0.4, 0.4, 0.4), (0.2, 0.2, 0.2), "bench")
    return folder


class Stages:
    """Adds up the seconds that a run spends in each stage."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._stage = ""
        self._since = time.monotonic()

    def take(self, event: Event) -> None:
        """What the engine reports."""
        if isinstance(event, Progress) and event.stage != self._stage:
            self.change(event.stage)

    def change(self, stage: str) -> None:
        """Another stage begins."""
        now = time.monotonic()
        self.seconds[self._stage] += now - self._since
        self._stage, self._since = stage, now


def spec_of(size: int, epochs: int, over: dict[str, Any]) -> dict[str, Any]:
    """The engine's usual job on crops, with its ONNX file, and `over` laid over it."""
    spec = same_job(8, epochs=epochs, export={"onnx": True})
    spec["data"] |= {"image_size": size, "fit": "crop"}
    return {**spec, **{part: {**spec.get(part, {}), **fields} for part, fields in over.items()}}


def main() -> None:
    """Train once and print what each stage took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, usual in (
        ("side", 1024),
        ("size", 256),
        ("train", 24),
        ("val", 6),
        ("epochs", 2),
        ("threads", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--spec", type=json.loads, default={})
    asked = parser.parse_args()
    stages = Stages()
    with tempfile.TemporaryDirectory() as work:
        prepared = draw_set(Path(work) / "set", asked.side, asked.train, asked.val)
        folder = Path(work) / "run"
        spec = spec_of(asked.size, asked.epochs, asked.spec)
        fit(job(spec, prepared, folder, asked.threads), stages.take, Signals)
        stages.change("")
        report = read_json(RunFolder(folder).report_json)
    training = stages.seconds["train"]
    evaluation = report["splits"]["val"]["seconds"]
    parts = {
        "training": training,
        "validation": stages.seconds["val"],
        "evaluation": evaluation,
        "export and pictures": stages.seconds["export"] - evaluation,
    }
    for name, seconds in parts.items():
        print(f"{name}: {seconds:.1f} s, {seconds / training:.2f} of training", flush=True)


if __name__ == "__main__":
    main()
