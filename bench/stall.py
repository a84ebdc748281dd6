"""How long a checkpoint keeps the training thread, beside a plain `torch.save` of the same.

    python -m bench.stall [DATA] [--rounds N] [--threads N]

Unet-resnet34 with Adam. After each epoch the engine's callback saves, which keeps the thread until the copy
is made, and again when the file is whole, to tell of it. Once nothing is written any more, `torch.save`
writes weights and optimizer; ratios are of neighbours. An epoch shorter than the writing would wait for it.
"""

import argparse
import functools
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer

from bench.data.camvid import DATA, pack, prepare
from bench.measures.turns import exit_on_sigterm, print_limit, ratios, spread
from bench.sides.engine import job, same_job
from trainyard.runs.events import Event
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.checkpoint_writer import BackgroundWriter
from workers.training.checkpoints.files import Checkpoints
from workers.training.checkpoints.local_checkpoints import LocalCheckpoints
from workers.training.fit import fit

SHARE = 0.5
"""The most that the thread may stall, as a share of the plain save."""
NETWORK = {"architecture": "Unet", "encoder": "resnet34", "encoder_weights": "none"}
IMAGES = 64
POLL_S = 0.01


class Stalls:
    """Times the engine's callback at the end of each epoch, and a plain save once its file is whole."""

    def __init__(self, plain: Path, checkpoints: LocalCheckpoints) -> None:
        self._plain = plain
        self._checkpoints = checkpoints
        self._told: list[Event] = []
        self._save = Checkpoints.on_train_epoch_end
        self.engine: list[float] = []
        self.script: list[float] = []

    def watch(self) -> None:
        """Time every call from now on."""

        @functools.wraps(self._save)
        def timed(callback: Checkpoints, trainer: Trainer, pl_module: LightningModule) -> None:
            saving = seconds(lambda: self._save(callback, trainer, pl_module))
            writer = trainer.strategy.checkpoint_io
            assert isinstance(writer, BackgroundWriter)
            while writer.is_writing:
                time.sleep(POLL_S)
            self.engine.append(saving + seconds(callback.settle))
            self.script.append(seconds(lambda: self._save_plainly(trainer, pl_module)))
            self._commit()

        Checkpoints.on_train_epoch_end = timed  # type: ignore[method-assign]

    def take(self, event: Event) -> None:
        """Keep what the engine reports: what a supervisor does about it costs the thread nothing."""
        self._told.append(event)

    def _commit(self) -> None:
        for event in self._told:
            self._checkpoints.take(event)
        self._told.clear()

    def _save_plainly(self, trainer: Trainer, module: LightningModule) -> None:
        content = {"model": module.state_dict(), "optimizer": trainer.optimizers[0].state_dict()}
        torch.save(content, self._plain)


def seconds(work: Any) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Train small epochs of a large network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    exit_on_sigterm()
    spec = same_job(8, model=NETWORK, data={"image_size": 128, "batch_size": 8}, epochs=asked.rounds + 1)
    with tempfile.TemporaryDirectory() as work:
        archive = pack(asked.data, Path(work) / "camvid.zip", {"train": IMAGES, "val": 8})
        prepared = prepare(archive, Path(work) / "set")
        whole = job(spec, prepared, Path(work) / "run", asked.threads)
        keep_last = whole.spec.checkpoints.keep_last
        checkpoints = LocalCheckpoints(RunFolder(whole.folder), keep_last, resume=False)
        stalls = Stalls(Path(work) / "plain.pt", checkpoints)
        stalls.watch()
        fit(whole, stalls.take, Signals)
    # The first of each makes room in memory and is left out.
    engine, script = stalls.engine[1:], stalls.script[1:]
    print(f"engine: {spread(engine)} s, torch.save: {spread(script)} s")
    print_limit("stall / torch.save", ratios(engine, script), at_most=SHARE)


if __name__ == "__main__":
    main()
