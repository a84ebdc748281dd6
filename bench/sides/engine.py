"""The training engine alone, as a worker's child runs it, without any service.

    python -m bench.sides.engine PREPARED --batch-size N --threads N

A turn is a run of two epochs, of which the second counts. The set is as large as an epoch is to be long.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data.dataloader import _BaseDataLoaderIter

from bench.measures.shares import Shares
from bench.measures.turns import Turn, take_turns
from trainyard.runs.events import EpochEnd, Event, Progress
from trainyard.runs.signals import Signals
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments
from workers.training.epochs.module import TrainingModule
from workers.training.fit import fit
from workers.training.job import TrainingJob
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.losses.weighted_sum import WeightedLosses

EPOCHS = 2


def same_job(batch_size: int, **over: Any) -> dict[str, Any]:
    """The example's job as a spec: Unet-resnet18 from scratch, 256 px, Dice, Adam, `light` variations."""
    return {
        "epochs": EPOCHS,
        "model": {"architecture": "Unet", "encoder": "resnet18", "encoder_weights": "none"},
        "data": {"image_size": 256, "batch_size": batch_size},
        "augmentation": {"preset": "light"},
        "optimization": {
            "losses": [{"name": "dice", "weight": 1.0, "params": {}}],
            "optimizer": "adam",
            "gradient_clip": 0,
            "weight_decay": 0,
        },
        "export": {"onnx": False},
        **over,
    }


def job(spec: dict[str, Any], prepared: Path, folder: Path, threads: int) -> TrainingJob:
    """The job that a supervisor would hand over."""
    whole = Experiments(REPOSITORY / "configs").compose(spec)
    return TrainingJob(
        run_id="run-000000000000",
        spec=whole,
        epochs=whole.epochs,
        folder=folder,
        prepared=prepared,
        weights_file=None,
        threads=threads,
    )


class Rows:
    """Keeps the last epoch's speed, and the shares of its training part: validation is no part of it."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._stage = ""
        self._parts: Turn = {}
        self.last: Turn = {}

    def take(self, event: Event) -> None:
        """What the engine reports."""
        if isinstance(event, EpochEnd):
            self.last = {**self._parts, "images_per_second": event.metrics["images_per_second"]}
        elif isinstance(event, Progress) and event.stage != self._stage:
            if event.stage == "train":
                self._shares.restart()
            elif self._stage == "train":
                self._parts = self._shares.reading(0)
            self._stage = event.stage


def main() -> None:
    """Train for a turn whenever told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    shares = Shares()
    watch(shares)

    def turn() -> Turn:
        rows = Rows(shares)
        with tempfile.TemporaryDirectory() as folder:
            whole = job(same_job(asked.batch_size), asked.prepared, Path(folder), asked.threads)
            fit(whole, rows.take, Signals)
        return rows.last

    take_turns(turn)


def watch(shares: Shares) -> None:
    """Tell the parts of a training epoch apart; its validation is no part of it."""
    shares.watch(_BaseDataLoaderIter, "__next__", "data")
    shares.watch(TrainingModule, "forward", "forward")
    shares.watch(WeightedLosses, "forward", "loss")
    shares.watch(Tensor, "backward", "backward")
    shares.watch(EpochScores, "update", "metrics")
    shares.watch(torch.optim.Adam, "step", "optimizer")


if __name__ == "__main__":
    main()
