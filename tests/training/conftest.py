"""A small drawn data set, runs of it, and signals that arrive at a chosen batch."""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from trainyard.runs.events import Event, Notice
from trainyard.runs.signals import Signals
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import RunFolder
from workers.prepared.version import IGNORE_INDEX, PreparedClass, PreparedWriter
from workers.training.checkpoints.local_checkpoints import LocalCheckpoints
from workers.training.engine import attempt
from workers.training.fit import fit, fit_epochs
from workers.training.job import TrainingJob, TrainingResult
from workers.training.network.shapes import check_shapes

CLASSES = [
    PreparedClass(index=0, name="ground", value=0, color=(40, 40, 40)),
    PreparedClass(index=1, name="disc", value=1, color=(220, 40, 40)),
    PreparedClass(index=2, name="box", value=2, color=(40, 40, 220)),
]
CLASS_NAMES = [info.name for info in CLASSES]
TINY_ENCODER = "tu-test_resnet"
CONFIGS = Path(__file__).parents[2] / "configs"
Kind = TypeVar("Kind", bound=Event)


def draw_set(folder: Path, train: int, val: int, size: int = 40, content_hash: str = "drawn") -> Path:
    """Write a prepared set of discs and boxes on a noisy ground, each image with an ignored corner."""
    numbers = np.random.default_rng(7)
    splits = {}
    with PreparedWriter(folder) as writer:
        for place in range(train + val):
            image = numbers.integers(60, 110, (size, size + 8, 3), dtype=np.uint8)
            mask = np.zeros((size, size + 8), np.uint8)
            x, y = (int(v) for v in numbers.integers(12, size - 12, 2))
            cv2.circle(image, (x, y), 8, (220, 60, 60), cv2.FILLED)
            cv2.circle(mask, (x, y), 8, 1, cv2.FILLED)
            cv2.rectangle(image, (x - 10, 2), (x - 2, 12), (60, 60, 220), cv2.FILLED)
            cv2.rectangle(mask, (x - 10, 2), (x - 2, 12), 2, cv2.FILLED)
            mask[-4:, -4:] = IGNORE_INDEX
            name = f"drawn-{place:02d}"
            splits[name] = "train" if place < train else "val"
            writer.append(name, image, mask)
        writer.finish(splits, CLASSES, (0.33, 0.32, 0.34), (0.1, 0.1, 0.1), content_hash)
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 training images (three batches of four), 8 for validation (two batches)."""
    return draw_set(tmp_path_factory.mktemp("drawn"), train=12, val=8)


@pytest.fixture
def run_folder(tmp_path: Path) -> Iterator[Path]:
    """A run's folder, removed afterwards: checkpoints are large."""
    yield tmp_path / "run"
    shutil.rmtree(tmp_path / "run", ignore_errors=True)


def tiny_spec(**over: Any) -> dict[str, Any]:
    """A partial spec that trains in a fraction of a second, with more fields or others for its own."""
    tiny: dict[str, Any] = {
        "model": {"architecture": "Unet", "encoder": TINY_ENCODER},
        "data": {"image_size": 32, "batch_size": 4},
        "precision": "32",
        "export": {"onnx": False},
    }
    parts = {name: {**tiny[name], **part} for name, part in over.items() if isinstance(tiny.get(name), dict)}
    return {**tiny, **over, **parts}


@pytest.fixture(autouse=True)
def draws_are_the_same() -> None:
    """Weights and pictures of a test are those that it has alone, whatever was drawn before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def shapes_pass_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of shapes takes as long as an epoch here, and most tests train the same network."""

    def check(network: nn.Module, spec: TrainingSpec, batch: int) -> None:
        known = (json.dumps(spec.to_dict()["model"]), spec.data.image_size, batch)
        if known not in _PASSED:
            check_shapes(network, spec, batch)
            _PASSED.add(known)

    monkeypatch.setattr(attempt, "check_shapes", check)


_PASSED: set[tuple[str, int, int]] = set()


class Run:
    """Runs of one folder, with what they reported.

    `finishes`: whether a completed one writes its overlay and report, which takes as long as its training,
    also where it exports no ONNX file.
    """

    def __init__(self, folder: Path, prepared: Path, *, finishes: bool = False) -> None:
        self.folder = folder
        self.prepared = prepared
        self.finishes = finishes
        self.encoder_folder: Path | None = None
        self.events: list[Event] = []
        self.reads = 0

    def fit(
        self,
        *,
        epochs: int = 1,
        spec: Mapping[str, Any] | None = None,
        signals: Mapping[int, Signals] | None = None,
        resume: bool = False,
        weights_file: Path | None = None,
        init_checkpoint: Path | None = None,
    ) -> TrainingResult:
        """Train; `signals` maps the n-th reading (from 0) to what is wished for from then on.

        With the drawn set, readings 0 and 1 are the sanity check's; then each epoch has three for training,
        two for validation and one at its end.
        """
        job = self.job(
            epochs=epochs,
            spec=spec,
            resume=resume,
            weights_file=weights_file,
            init_checkpoint=init_checkpoint,
        )
        return self.fit_job(job, signals)

    def fit_job(self, job: TrainingJob, signals: Mapping[int, Signals] | None = None) -> TrainingResult:
        """Train a job of `job`."""
        self.events.clear()
        self.reads = 0
        train = fit if self.finishes or job.spec.export.onnx else fit_epochs
        return train(job, self._take, self._reader(signals or {}))

    def _take(self, event: Event) -> None:
        self.checkpoints.take(event)
        self.events.append(event)

    def job(
        self,
        *,
        epochs: int = 1,
        spec: Mapping[str, Any] | None = None,
        resume: bool = False,
        weights_file: Path | None = None,
        init_checkpoint: Path | None = None,
    ) -> TrainingJob:
        """The job that `fit` is given."""
        composed = Experiments(CONFIGS).compose(spec or tiny_spec())
        keep_last = composed.checkpoints.keep_last
        self.checkpoints = LocalCheckpoints(RunFolder(self.folder), keep_last, resume=resume)
        return TrainingJob(
            run_id="run-0123456789ab",
            spec=composed,
            epochs=epochs,
            folder=self.folder,
            prepared=self.prepared,
            weights_file=weights_file,
            encoder_folder=self.encoder_folder,
            threads=1,
            resume_from=self.checkpoints.resume_from,
            best=self.checkpoints.best,
            init_checkpoint=init_checkpoint,
        )

    def _reader(self, script: Mapping[int, Signals]) -> Callable[[], Signals]:
        def read() -> Signals:
            wishes = [wish for reading, wish in script.items() if reading <= self.reads]
            self.reads += 1
            return wishes[-1] if wishes else Signals()

        return read

    @property
    def notices(self) -> list[Notice]:
        """What was said, but for classes that so short a training does not find."""
        return [notice for notice in self.of(Notice) if not notice.message.startswith("Class ")]

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def run(run_folder: Path, prepared: Path) -> Run:
    return Run(run_folder, prepared)


@pytest.fixture
def whole_run(run_folder: Path, prepared: Path) -> Run:
    """With what a completed run writes besides its checkpoints."""
    return Run(run_folder, prepared, finishes=True)
