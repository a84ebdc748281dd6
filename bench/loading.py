"""Images per second of the data path alone.

    python -m bench.loading [DATA] [--rounds N] [--images N] [--processes N ...]

First on one core: the published script's Dataset, which decodes files and varies them by its nine
augmentations, beside the engine's squares of 256 px, which are read from the prepared set and varied by a
preset. Then, on one core too, crops of 512 px out of images of twice the size, beside crops as they were
until they came to be varied in one warp (`bench/sides/wide_crops.py`). Last, such crops by one loader
process and by two. Sides take turns; ratios are of neighbours.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import cv2
from torch.utils.data import DataLoader

from bench.data.camvid import DATA, image_files, pack, prepare
from bench.measures.turns import Side, Turn, exit_on_sigterm, interleave, print_target, ratios, speeds, spread
from bench.sides.engine import same_job
from bench.sides.example import CamVid, augmentation
from bench.sides.wide_crops import doubled, wide_crops
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import PreparedDataset
from workers.training.data.sampler import EpochSampler
from workers.training.tasks.segmentation.data.batches import SegmentationData

WANTED = {"light": 5.0, "medium": 2.0}
"""How many times the script's images per second each preset is to give."""
CROPS_WANTED = {"light": 1.8, "medium": 1.8, "strong": 1.8}
"""How many times as fast as they were crops with each preset are to be."""
LARGE = 512
"""Height and width of a crop, in pixels."""
BATCH = 8


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


class Loader:
    """A side that has loader processes make every image of a data set once in each turn."""

    def __init__(self, data: SegmentationData) -> None:
        self._images = len(data.train)
        self._loader: DataLoader[dict[str, object]] = data.train_dataloader()
        self._turns = 0

    def turn(self) -> Turn:
        assert isinstance(self._loader.sampler, EpochSampler)
        self._turns += 1
        self._loader.sampler.set_epoch(self._turns)
        start = time.perf_counter()
        for _ in self._loader:
            pass
        return {"images_per_second": self._images / (time.perf_counter() - start)}


def script(data: Path, images: int, size: int) -> Reading:
    """The script's Dataset."""
    dataset = CamVid(image_files(data, "train")[:images], augmentation(size))
    return Reading(images, lambda turn, place: dataset[place])


def engine(prepared: PreparedDataset, images: int, spec: TrainingSpec) -> Reading:
    """The engine's squares, as a spec has them."""
    squares = SegmentationData(prepared, spec).train
    return Reading(images, lambda turn, place: squares[turn, place])


def spec_of(preset: str, fit: str = "stretch", size: int = 256, processes: int = 0) -> TrainingSpec:
    """The job of the other benchmarks with a preset and so many loader processes."""
    data = {"fit": fit, "image_size": size, "batch_size": BATCH, "loader_workers": processes}
    over = {"data": data, "augmentation": {"preset": preset}}
    return Experiments(REPOSITORY / "configs").compose(same_job(BATCH, **over))


def show(sides: Mapping[str, Side], rounds: int) -> dict[str, list[float]]:
    """Let the sides take turns; print and return the images per second of each."""
    found = {name: speeds(turns) for name, turns in interleave(sides, rounds).items()}
    for name, values in found.items():
        print(f"{name}: {spread(values)} images/s", flush=True)
    return found


def compare_squares(data: Path, prepared: PreparedDataset, images: int, rounds: int) -> None:
    """The engine beside the script."""
    sides = {preset: engine(prepared, images, spec_of(preset)) for preset in WANTED}
    found = show({"script": script(data, images, 256), **sides}, rounds)
    for preset, wanted in WANTED.items():
        print_target(f"{preset} / script", ratios(found[preset], found["script"]), at_least=wanted)


def compare_crops(prepared: PreparedDataset, images: int, rounds: int) -> None:
    """Crops beside what they were, by preset."""
    for preset, wanted in CROPS_WANTED.items():
        spec = spec_of(preset, "crop", LARGE)
        name = f"crops of {LARGE} px, {preset}"
        sides: dict[str, Side] = {
            f"{name}, as they were": Reading(images, wide_crops(prepared, spec)),
            name: engine(prepared, images, spec),
        }
        before, now = show(sides, rounds).values()
        print_target(f"{name}, now / as they were", ratios(now, before), at_least=wanted)


def compare_processes(prepared: PreparedDataset, counts: Iterable[int], rounds: int) -> None:
    """Crops by loader processes, on all cores."""
    data = {count: SegmentationData(prepared, spec_of("light", "crop", LARGE, count)) for count in counts}
    found = show({f"loader processes: {count}": Loader(made) for count, made in data.items()}, rounds)
    first, *others = found.items()
    for name, values in others:
        print(f"{name} / {first[0]}: {spread(ratios(values, first[1]))}", flush=True)


def main() -> None:
    """Make all three comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="of loaders, to compare")
    asked = parser.parse_args()
    exit_on_sigterm()
    cores = os.sched_getaffinity(0)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as work:
        archive = pack(asked.data, Path(work) / "camvid.zip", {"train": asked.images, "val": 2})
        prepared = PreparedDataset(prepare(archive, Path(work) / "set"))
        large = doubled(prepared, Path(work) / "large")
        os.sched_setaffinity(0, {min(cores)})
        compare_squares(asked.data, prepared, asked.images, asked.rounds)
        compare_crops(large, asked.images, asked.rounds)
        os.sched_setaffinity(0, cores)
        compare_processes(large, asked.processes, asked.rounds)


if __name__ == "__main__":
    main()
