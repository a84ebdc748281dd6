"""Checks 16 and 17: what a checkpoint costs, and how long a run takes to finish once it is trained."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.measures.turns import ratios
from bench.stall import Stalls
from tests.gpu.check import Finding, Setting, measured, not_shown
from tests.gpu.driver import Load, used_bytes, watched
from tests.gpu.engine import EngineRun
from tests.gpu.sets import prepared_set, upload
from tests.gpu.stack import Stack, running_stack
from trainyard.runs.events import CheckpointSaved
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.runs.drain_time import DrainTime
from workers.training.checkpoints import checkpoint_writer as background
from workers.training.checkpoints.files import Checkpoints
from workers.training.checkpoints.local_checkpoints import LocalCheckpoints
from workers.training.fit import fit

STALL = 0.5
"""The most that a save keeps the training thread, as a part of a plain torch.save."""
STORAGE = 200e6
"""Bytes a second of the slow storage that a drain is tried with."""
FINISH = 0.3
"""From the last epoch's end to completed, as a part of the training."""
GIVEN_BACK = 2**30
"""Bytes that a finishing run may still have on the card."""
RUN_S = 500.0


def checkpoints(setting: Setting) -> Iterator[Finding]:
    """A small network, and on a GPU one of more than 4 GB with averaged weights."""
    size = setting.size(256, 64)
    prepared = prepared_set(setting.folder / "set", 32, 4, size, seed=setting.seed)
    networks = {"Unet-resnet34": _network("Unet", setting.size("resnet34", "resnet18"), None)}
    if setting.on_gpu:
        networks["DPT-vit_large with averaged weights"] = _network("DPT", "tu-vit_large_patch16_224", 0.99)
    else:
        yield not_shown("a checkpoint of more than 4 GB", "needs a GPU")
    for name, network in networks.items():
        spec = {"data": {"image_size": size, "batch_size": 4}, **network}
        yield setting.at_most(
            f"{name}: stall / torch.save", _stall(setting, name, prepared, spec), STALL, speed=True
        )
        yield _drained(setting, name, prepared, spec)


def _network(architecture: str, encoder: str, ema: float | None) -> dict[str, Any]:
    model = {"architecture": architecture, "encoder": encoder, "encoder_weights": "none"}
    return {"model": model, "optimization": {"ema_decay": ema}}


def _stall(setting: Setting, name: str, prepared: Path, spec: dict[str, Any]) -> float:
    """The median of the epochs after the first, which makes room in memory."""
    job = EngineRun(setting, f"stall-{name}", prepared).job({**spec, "epochs": setting.size(5, 3)})
    kept = LocalCheckpoints(RunFolder(job.folder), job.spec.checkpoints.keep_last, resume=False)
    real = Checkpoints.on_train_epoch_end
    stalls = Stalls(setting.folder / "plain.pt", kept)
    stalls.watch()
    try:
        fit(job, stalls.take, Signals)
    finally:
        Checkpoints.on_train_epoch_end = real  # type: ignore[method-assign]
    return statistics.median(ratios(stalls.engine[1:], stalls.script[1:]))


def _drained(setting: Setting, name: str, prepared: Path, spec: dict[str, Any]) -> Finding:
    """Told to leave in the second epoch, on slow storage: within the time that its worker would give it."""
    run = EngineRun(setting, f"drained-{name}", prepared)
    allowed, told = DrainTime(None), [0.0]

    def note(event: object) -> None:
        if isinstance(event, CheckpointSaved) and not told[0]:
            allowed.note(event)

    def signals() -> Signals:
        if len(run.rows) == 0 or told[0]:
            return Signals(drain=bool(told[0]))
        told[0] = time.monotonic()
        return Signals(drain=True)

    run.listen(note)
    real = background._write

    def slowly(content: Any, path: Path, *rest: Any) -> background.Written:
        written = real(content, path, *rest)
        time.sleep(written.bytes / STORAGE)
        return written

    background._write = slowly  # type: ignore[assignment]
    try:
        run.fit({**spec, "epochs": 9}, signals=signals)
    finally:
        background._write = real
    took = time.monotonic() - told[0]
    return setting.at_most(f"{name}: seconds to leave at 200 MB/s", took, allowed.seconds)


def finishing(setting: Setting) -> Iterator[Finding]:
    """Report and every export of a run of 11 classes, by the service."""
    size, train, val = setting.size((512, 500, 100), (64, 24, 8))
    archive = upload(setting.folder / "set.zip", train, val, size, classes=11, seed=setting.seed)
    export = {"onnx": True, "half": True, "int8": setting.on_gpu}
    with running_stack(setting, lease_s=30) as stack:
        dataset = stack.upload(archive)
        stack.worker()
        baseline = used_bytes()
        data = {"image_size": size, "batch_size": setting.size(16, 8)}
        run_id = stack.submit(dataset, epochs=setting.size(10, 2), data=data, export=export)
        trained, finished, load = _times(stack, run_id)
    yield measured("seconds of training, and from its end to completed", f"{trained:.0f}, {finished:.1f}")
    yield setting.at_most("finishing, as a part of training", finished / trained, FINISH, speed=True)
    if setting.on_gpu:
        held = statistics.median(load.bytes[len(load.bytes) // 2 :] or [0]) - baseline
        yield setting.at_most("GiB on the card in the later half of it", held / 2**30, GIVEN_BACK / 2**30)
    else:
        yield not_shown("the card is given back before CPU-only work", "needs a GPU")


def _times(stack: Stack, run_id: str) -> tuple[float, float, Load]:
    """Seconds of training and of finishing, and the card while it finished."""
    stack.stepped(run_id, 1, RUN_S)
    began = time.monotonic()
    stack.wait(run_id, lambda run: run["epoch"] >= run["epochs"], RUN_S)
    ended = time.monotonic()
    with watched() as load:
        stack.completed(run_id, RUN_S)
    return ended - began, time.monotonic() - ended, load
