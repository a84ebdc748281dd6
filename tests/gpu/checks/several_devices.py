"""Check 19: two devices train what one does, and whatever happens to one of them is told at once.

With fewer than two GPUs the same is done by two processes on the CPU over gloo, where norms have no form that
is synchronised: what NCCL and SyncBatchNorm add is then not shown.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from tests.gpu.check import Finding, Setting, equal, none_of, not_shown
from tests.gpu.driver import ask, descendants, falls_to, used_bytes
from tests.gpu.engine import EngineRun, largest_difference
from tests.gpu.sets import prepared_set
from tests.training import failing_rank
from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.errors import TrainyardError
from trainyard.runs.events import BatchSizeChanged
from trainyard.runs.signals import Signals
from trainyard.settings import REPOSITORY
from trainyard.storage.files import RunFolder
from workers.prepared.version import PreparedDataset
from workers.training.engine import ddp as ranks_module
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.prediction.predictor import load_predictor

SAME_SCORE = 0.01
SAME_LOSS = 1e-3
TOLD_S = 30.0
GONE_S = 5.0
SLACK = 256 * 2**20
BATCH = 2
STEPS = 4
PAUSE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Pair:
    """How two devices are had here: two GPUs, or two processes on the CPU."""

    setting: Setting
    prepared: Path
    size: int
    device_class: str

    @property
    def on_gpus(self) -> bool:
        return self.device_class == "gpu"

    def run(self, name: str) -> EngineRun:
        return EngineRun(self.setting, name, self.prepared)

    def spec(self, devices: int = 2, **over: Any) -> dict[str, Any]:
        """Batches that are together as large as one device's."""
        return {
            "epochs": 2,
            "precision": "32",
            "model": {"architecture": "Unet", "encoder": "tu-test_resnet"},
            "data": {"image_size": self.size, "batch_size": 2 * BATCH // devices},
            "compute": {"devices": devices, "deterministic": True},
            **over,
        }


def several_devices(setting: Setting) -> Iterator[Finding]:
    """All of it on what there is."""
    has_two = setting.on_gpu and torch.cuda.device_count() > 1
    size = setting.size(128, 64)
    prepared = prepared_set(setting.folder / "set", 2 * BATCH * STEPS, 8, size, seed=setting.seed)
    pair = Pair(setting=setting, prepared=prepared, size=size, device_class="gpu" if has_two else "cpu")
    if not has_two:
        yield not_shown("NCCL and synchronised norms (below: gloo on the CPU)", "needs two GPUs")
    yield from _same_as_one(pair)
    yield from _failures(pair)
    yield from _left_and_resumed(pair)
    yield from _killed(pair)
    if has_two:
        yield _paused(pair)


def _same_as_one(pair: Pair) -> Iterator[Finding]:
    """Of the packaged encoder, whose norms have activations inside."""
    model = {"architecture": "Unet", "encoder": PACKAGED_ENCODER}
    two = pair.run("two")
    two.fit(pair.spec(model=model), device_class=pair.device_class)
    yield equal("epochs told once", [row["epoch"] for row in two.rows], [1, 2])
    best = max(row["val_miou"] for row in two.rows)
    alone = _score_of(RunFolder(two.folder).best_checkpoint, pair.prepared)
    yield pair.setting.at_most("mIoU that two tell, beside best.ckpt's alone", abs(best - alone), SAME_SCORE)
    if pair.on_gpus:
        one = pair.run("one")
        one.fit(pair.spec(1, model=model), device_class="gpu")
        difference = largest_difference(two.rows, one.rows, "val_miou")
        yield pair.setting.at_most("mIoU beside one GPU's at the same batch", difference, SAME_SCORE)


def _score_of(checkpoint: Path, prepared: Path) -> float:
    """Of the validation images, by the checkpoint alone on the CPU."""
    predictor, dataset = load_predictor(checkpoint), PreparedDataset(prepared)
    scores = EpochScores(len(dataset.classes))
    for sample in (sample for sample in dataset.samples if sample.split == "val"):
        chances = torch.from_numpy(predictor.probabilities(dataset.image(sample))[None])
        truth = torch.from_numpy(dataset.mask(sample)[None].copy()).long()
        scores.update(chances, truth, torch.zeros(()))
    return scores.compute().miou or 0.0


@contextmanager
def _other_ranks_do(join: Callable[..., None]) -> Iterator[None]:
    real = ranks_module._join
    ranks_module._join = join
    try:
        yield
    finally:
        ranks_module._join = real


def _failures(pair: Pair) -> Iterator[Finding]:
    """The other rank is killed, and the other rank alone has no memory."""
    with _other_ranks_do(failing_rank.dies):
        code, began = "none: it trained", time.monotonic()
        try:
            pair.run("killed").fit(pair.spec(), device_class=pair.device_class)
        except TrainyardError as error:
            code = error.code
    yield equal("the other rank is killed", code, "child_died")
    # The second process takes as long to start as imports take, which a crowded CPU is not judged by.
    yield pair.setting.at_most("seconds until it is told", time.monotonic() - began, 2 * TOLD_S, speed=True)
    with _other_ranks_do(failing_rank.runs_out_of_memory):
        run = pair.run("without-memory")
        result = run.fit(pair.spec(epochs=1), device_class=pair.device_class)
    halved = [event.batch_size for event in run.events if isinstance(event, BatchSizeChanged)]
    yield equal("the other rank alone has no memory", (result.status, halved), ("completed", [BATCH // 2]))


def _left_and_resumed(pair: Pair) -> Iterator[Finding]:
    """Left at the last batch of an epoch, and stopped at the first batch after that."""
    whole, run = pair.run("unbroken"), pair.run("left")
    whole.fit(pair.spec(), device_class=pair.device_class)
    readings = [0]

    def at_the_end() -> Signals:
        # The check before training reads twice at most; validation of the first epoch comes after its steps.
        readings[0] += 1
        return Signals(drain=bool(run.rows) or readings[0] > STEPS + 2)

    result = run.fit(pair.spec(), signals=at_the_end, device_class=pair.device_class)
    yield equal("left when an epoch's batches are done", (result.status, result.step), ("drained", STEPS))
    stop = Signals(stop="now", stop_version=1)
    first = pair.run("left")
    result = first.fit(
        pair.spec(), signals=_at_first_batch(stop), resume=True, device_class=pair.device_class
    )
    yield equal("stopped at the first batch after it", result.status, "stopped")
    rest = pair.run("left")
    rest.fit(pair.spec(), resume=True, device_class=pair.device_class)
    rows = {row["epoch"]: row for row in first.rows + rest.rows}
    yield pair.setting.at_most(
        "loss beside the unbroken run's",
        largest_difference([rows[epoch] for epoch in sorted(rows)], whole.rows, "train_loss"),
        SAME_LOSS,
    )


def _at_first_batch(signals: Signals) -> Callable[[], Signals]:
    """Wish for it once the check before training is over."""
    readings = [0]

    def read() -> Signals:
        readings[0] += 1
        return signals if readings[0] > 2 else Signals()

    return read


@contextmanager
def _alone(pair: Pair, name: str, epochs: int) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, once it has done an epoch."""
    spec = pair.setting.folder / f"{name}.yaml"
    spec.write_text(
        f"epochs: {epochs}\nmodel: {{architecture: Unet, encoder: tu-test_resnet}}\n"
        f"data: {{image_size: {pair.size}, batch_size: {BATCH}}}\n"
        "compute: {devices: 2}\nexport: {onnx: false}\n"
    )
    command = [sys.executable, "-m", "workers.training", str(spec), "--prepared", str(pair.prepared)]
    command += ["--out", str(pair.setting.folder / name), "--threads", "2", "--device", pair.device_class]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as first:
        try:
            assert first.stdout is not None
            while "val mIoU" not in (line := first.stdout.readline()):
                if not line:
                    raise RuntimeError(f"The run ended with exit code {first.wait()}.")
            yield first
        finally:
            with suppress(ProcessLookupError):
                os.killpg(first.pid, signal.SIGKILL)


def _killed(pair: Pair) -> Iterator[Finding]:
    """The first rank is killed: the others fall with it, and let go of their GPUs."""
    baselines = {row[0]: used_bytes(row[0]) for row in ask("index")} if pair.on_gpus else {}
    with _alone(pair, "first-killed", 100000) as first:
        others = descendants(first.pid)[1:]
        first.kill()
        end = time.monotonic() + GONE_S
        while (left := [str(pid) for pid in others if descendants(pid)]) and time.monotonic() < end:
            time.sleep(0.1)
    yield none_of(f"the first rank is killed: none of {len(others)} is left", left)
    for gpu, baseline in baselines.items():
        back = falls_to(baseline + SLACK, 2 * GONE_S, gpu)
        yield pair.setting.at_most(f"seconds until GPU {gpu}'s memory is back", back, GONE_S)


def _paused(pair: Pair) -> Finding:
    """All ranks halted for a minute, as by the guard of a lease: the run goes on."""
    with _alone(pair, "paused", 30) as first:
        family = [psutil.Process(first.pid), *psutil.Process(first.pid).children(recursive=True)]
        for process in family:
            process.suspend()
        time.sleep(PAUSE_S)
        for process in family:
            process.resume()
        assert first.stdout is not None
        first.stdout.read()
        code = first.wait()
    return equal(f"exit code after a pause of {PAUSE_S:.0f} s", code, 0)
