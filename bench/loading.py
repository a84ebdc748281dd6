"""Images per second of the data path alone, on one core, beside the published script's Dataset.

    python -m bench.loading [DATA] [--rounds N] [--images N]

The script decodes files and varies them by its nine augmentations. The engine reads the prepared set and
varies by its presets. They take turns; ratios are of neighbours.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from bench.camvid_data import DATA, image_files, pack, prepare
from bench.engine import same_job
from bench.example import CamVid, augmentation
from bench.turns import Turn, exit_on_sigterm, interleave, print_target, ratios, speeds, spread
from trainyard.experiments import Experiments
from trainyard.settings import REPOSITORY
from workers.prepared import PreparedDataset
from workers.training.data import SegmentationData

WANTED = {"light": 5.0, "medium": 2.0}
"""How many times the script's images per second each preset is to give."""


class Reading:
    """A side that makes every image of a data set once in each turn."""

    def __init__(self, images: int, make: Callable[[int, int], object]) -> None:
        """`make` is given the turn, so that it varies anew, and the place of an image."""
        self._images = images
        self._make = make
        self._turns = 0

    def turn(self) -> Turn:
        self._turns += 1
        start = time.perf_counter()
        for place in range(self._images):
            self._make(self._turns, place)
        return {"images_per_second": self._images / (time.perf_counter() - start)}


def script(data: Path, images: int, size: int) -> Reading:
    """The script's Dataset."""
    dataset = CamVid(image_files(data, "train")[:images], augmentation(size))
    return Reading(images, lambda turn, place: dataset[place])


def engine(prepared: PreparedDataset, images: int, preset: str) -> Reading:
    """The engine's squares with a preset."""
    spec = Experiments(REPOSITORY / "configs").compose(same_job(8, augmentation={"preset": preset}))
    squares = SegmentationData(prepared, spec).train
    return Reading(images, lambda turn, place: squares[turn, place])


def main() -> None:
    """Compare each preset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=100)
    asked = parser.parse_args()
    exit_on_sigterm()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as work:
        archive = pack(asked.data, Path(work) / "camvid.zip", {"train": asked.images, "val": 2})
        prepared = PreparedDataset(prepare(archive, Path(work) / "set"))
        presets = {preset: engine(prepared, asked.images, preset) for preset in WANTED}
        turns = interleave({"script": script(asked.data, asked.images, 256), **presets}, asked.rounds)
    for name, taken in turns.items():
        print(f"{name}: {spread(speeds(taken))} images/s")
    for preset, wanted in WANTED.items():
        faster = ratios(speeds(turns[preset]), speeds(turns["script"]))
        print_target(f"{preset} / script", faster, at_least=wanted)


if __name__ == "__main__":
    main()
