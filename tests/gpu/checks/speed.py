"""Checks 13 and 14: images a second beside an expert's loop and a published script, and who loads them."""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from lightning import Trainer
from torch.utils.data import DataLoader
from torch.utils.data.dataloader import _BaseDataLoaderIter

from bench.data.camvid import image_files
from bench.measures.shares import Shares
from bench.measures.turns import Turn, interleave, ratios, speeds
from bench.sides.engine import Rows
from bench.sides.example import CLASSES, CamVid, Clock, Example, augmentation, build_network
from bench.sides.expert import Loop
from tests.chaos import disk
from tests.gpu.check import Finding, Setting, equal, holds, measured, not_shown
from tests.gpu.checks.augmentation import STRONG
from tests.gpu.driver import watched
from tests.gpu.engine import EngineRun
from tests.gpu.sets import like_camvid, prepared_set
from trainyard.settings import REPOSITORY
from workers.prepared.version import PreparedDataset
from workers.training.tasks.segmentation.data.batches import SegmentationData

OVER_EXPERT = 0.97
OVER_SCRIPT = 1.0
WAIT = 0.10
BUSY = 0.85
NEAR_BEST = 0.95
RESIDENT, LIGHT, CROPS, EXPERT, SCRIPT = "resident", "light", "strong crops", "expert", "script"
VARIED_THERE = "strong crops varied on the device"
LIGHTLY = {"preset": "light"}


class Work:
    """What all sides train: Unet-resnet34 with Dice and Adam, in bf16."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.encoder = setting.size("resnet34", "resnet18")
        self.size = setting.size(512, 64)
        self.batch = setting.size(16, 4)
        self.steps = setting.size(24, 4)
        train = self.batch * self.steps
        self.prepared = prepared_set(
            setting.folder / "set",
            train,
            self.batch,
            self.size,
            classes=CLASSES,
            seed=setting.seed,
            width=self.size * 5 // 4,
        )

    def spec(
        self, augmentation: dict[str, Any] = LIGHTLY, fit: str = "stretch", **data: Any
    ) -> dict[str, Any]:
        return {
            "epochs": 2,
            "precision": "bf16-mixed",
            "model": {"architecture": "Unet", "encoder": self.encoder},
            "data": {"image_size": self.size, "batch_size": self.batch, "fit": fit, **data},
            "augmentation": augmentation,
            "optimization": {
                "losses": [{"name": "dice", "weight": 1.0, "params": {}}],
                "optimizer": "adam",
                "gradient_clip": 0,
                "weight_decay": 0,
            },
        }

    def batches(self, count: int) -> list[dict[str, Any]]:
        """Batches as the engine's loader makes them, on the device."""
        job = EngineRun(self.setting, "batches", self.prepared).job(self.spec())
        loader = SegmentationData(PreparedDataset(self.prepared), job.spec).train_dataloader()
        return [
            {**batch, **{name: batch[name].to(self.setting.device) for name in ("image", "mask")}}
            for batch in islice(loader, count)
        ]


class Engine:
    """A side whose turn is a run of two epochs, of which the second counts."""

    def __init__(self, work: Work, name: str, spec: dict[str, Any], shares: Shares) -> None:
        self._work, self._name, self._spec, self._shares = work, name, spec, shares
        self.busy: list[float] = []

    def turn(self) -> Turn:
        rows = Rows(self._shares)
        run = EngineRun(self._work.setting, self._name, self._work.prepared)
        run.listen(rows.take)
        with watched() as load:
            run.fit(self._spec)
        # The start and the end of a run have the card idle: the upper half of samples is of training.
        upper = sorted(load.percents)[len(load.percents) // 2 :]
        self.busy.append(statistics.mean(upper) / 100 if upper else 0.0)
        return rows.last


class Resident(Engine):
    """The same with batches that lie on the device already: the loop alone."""

    def __init__(
        self, work: Work, spec: dict[str, Any], shares: Shares, batches: list[dict[str, Any]]
    ) -> None:
        super().__init__(work, RESIDENT, spec, shares)
        self._batches = batches

    def turn(self) -> Turn:
        with _resident(self._batches, self._work.steps):
            return super().turn()


class Given:
    """A loader of these batches. A list would be taken for several loaders."""

    def __init__(self, batches: list[dict[str, Any]]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._batches)


@contextmanager
def _resident(batches: list[dict[str, Any]], steps: int) -> Iterator[None]:
    """Have the engine's loaders give these batches, `steps` an epoch."""
    loader, look = SegmentationData._loader, SegmentationData.on_before_batch_transfer

    def give(data: SegmentationData, squares: Any, *, shuffled: bool) -> Any:
        return Given([batches[place % len(batches)] for place in range(steps if shuffled else 1)])

    SegmentationData._loader = give  # type: ignore[method-assign]
    # The look at the masks is made on the CPU, before a batch goes to the device.
    SegmentationData.on_before_batch_transfer = lambda self, batch, index: batch  # type: ignore[method-assign]
    try:
        yield
    finally:
        SegmentationData._loader = loader  # type: ignore[method-assign]
        SegmentationData.on_before_batch_transfer = look  # type: ignore[method-assign]


class Expert:
    """The expert's loop on the same resident batches."""

    def __init__(self, work: Work, batches: list[dict[str, Any]]) -> None:
        self._shares = Shares()
        prepared = PreparedDataset(work.prepared)
        self._loop = Loop(
            prepared.mean, prepared.std, self._shares, device=work.setting.device, encoder=work.encoder
        )
        self._work, self._batches = work, batches

    def turn(self) -> Turn:
        self._shares.restart()
        for place in range(self._work.steps):
            batch = self._batches[place % len(self._batches)]
            self._loop.step(batch["image"], batch["mask"])
        if self._work.setting.on_gpu:
            torch.cuda.synchronize()
        return self._shares.reading(self._work.steps * self._work.batch)


class Script:
    """The published example, on image files."""

    def __init__(self, work: Work) -> None:
        setting, self._steps = work.setting, work.steps
        data = like_camvid(setting.folder / "files", work.batch * 6, work.size, work.size * 5 // 4, CLASSES)
        self._loader = DataLoader(
            CamVid(image_files(data, "train"), augmentation(work.size)),
            batch_size=work.batch,
            shuffle=True,
            drop_last=True,
        )
        self._module = Example(build_network(work.encoder), work.steps)
        self._folder = setting.folder
        self._device = "gpu" if setting.on_gpu else "cpu"

    def turn(self) -> Turn:
        clock = Clock(Shares())
        trainer = Trainer(
            accelerator=self._device,
            devices=1,
            max_epochs=1,
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            default_root_dir=self._folder,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(self._module, self._loader)
        return clock.turn


def speed(setting: Setting) -> Iterator[Finding]:
    """All sides in turns, so that a machine that grows slower does so for all."""
    work, shares = Work(setting), Shares()
    shares.watch(_BaseDataLoaderIter, "__next__", "data")
    batches = work.batches(4)
    light = Engine(work, LIGHT, work.spec(), shares)
    crops = Engine(work, CROPS, work.spec({"preset": "strong"}, "crop"), shares)
    there = {"preset": "custom", "transforms": STRONG, "device": "training"}
    varied_there = Engine(work, VARIED_THERE, work.spec(there, "crop"), shares)
    sides = {
        EXPERT: Expert(work, batches),
        RESIDENT: Resident(work, work.spec({"preset": "none"}), shares, batches),
        LIGHT: light,
        CROPS: crops,
        VARIED_THERE: varied_there,
        SCRIPT: Script(work),
    }
    turns = interleave(sides, setting.size(3, 1))

    def median(one: str, other: str) -> float:
        return statistics.median(ratios(speeds(turns[one]), speeds(turns[other])))

    said = ", ".join(f"{name} {statistics.median(speeds(taken)):.4g}" for name, taken in turns.items())
    yield measured("images a second", said)
    yield setting.at_least("resident / expert", median(RESIDENT, EXPERT), OVER_EXPERT, speed=True)
    yield setting.at_least("light / script", median(LIGHT, SCRIPT), OVER_SCRIPT, speed=True)
    for name, side in ((LIGHT, light), (CROPS, crops), (VARIED_THERE, varied_there)):
        waits = statistics.median(turn["shares"].get("data", 0.0) for turn in turns[name])
        yield setting.at_most(f"{name}: part of the time that waits for data", waits, WAIT, speed=True)
        yield setting.at_least(f"{name}: GPU busy", statistics.median(side.busy), BUSY, speed=True)


def loading(setting: Setting) -> Iterator[Finding]:
    """Loader processes by number, and with little shared memory."""
    work, shares = Work(setting), Shares()
    counts: list[int | str] = [*setting.size((0, 4, 8), (0, 2)), "auto"]
    sides = {
        str(count): Engine(work, f"loaders-{count}", work.spec(loader_workers=count), shares)
        for count in counts
    }
    turns = interleave(sides, setting.size(2, 1))
    medians = {name: statistics.median(speeds(taken)) for name, taken in turns.items()}
    yield measured("images a second by loader processes", _listed(medians))
    best = max(medians.values())
    yield setting.at_least("auto / best", medians["auto"] / best, NEAR_BEST, speed=True)
    yield from _small_shared_memory(setting, work)


def _listed(medians: dict[str, float]) -> str:
    return ", ".join(f"{name}: {value:.4g}" for name, value in medians.items())


def _small_shared_memory(setting: Setting, work: Work) -> Iterator[Finding]:
    """A run with loader processes where /dev/shm is small, mounted for its processes alone."""
    if (why := disk.missing()) is not None:
        yield not_shown("a small /dev/shm", why)
        return
    sizes = setting.size(("2g", "64m"), ("1m",))
    for room in sizes:
        done = _run_with(setting, work, room)
        said = (done.stderr.strip().splitlines() or ["no word"])[-1][:160] if done.returncode else "completed"
        yield holds(f"{room} of /dev/shm: the run completes", done.returncode == 0, said)
        if room == sizes[-1]:
            yield equal("fewer loader processes are told of", "loader processes" in done.stdout, True)


def _run_with(setting: Setting, work: Work, room: str) -> subprocess.CompletedProcess[str]:
    spec = setting.folder / f"shm-{room}.yaml"
    data = f"{{image_size: {work.size}, batch_size: {work.batch}, loader_workers: 8}}"
    spec.write_text(f"epochs: 1\ndata: {data}\nexport: {{onnx: false}}\n")
    mount = f'mount -t tmpfs -o size={room} tmpfs /dev/shm && exec "$@"'
    command: list[Any] = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable]
    command += ["-m", "workers.training", spec, "--prepared", work.prepared]
    command += ["--out", setting.folder / f"shm-{room}", "--device", setting.device_class]
    command += ["--threads", str(setting.threads)]
    return subprocess.run(
        list(map(os.fspath, command)), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
