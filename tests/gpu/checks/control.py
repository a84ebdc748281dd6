"""Check 7: a run that is stopped, moved or left behind goes on as if nothing had been."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.gpu.check import Finding, Setting, equal, not_shown
from tests.gpu.engine import EngineRun, largest_difference
from tests.gpu.sets import prepared_set
from trainyard.runs.signals import Signals

STOP_S = 2.0
"""How long a stop may take beyond the batch under way."""
SAME = 1e-3
EPOCHS = 3
BATCH = 4
BATCHES = 6


def control(setting: Setting) -> Iterator[Finding]:
    """Stop, move the target, drain and resume on one device, and from one device to another."""
    size = setting.size(256, 64)
    prepared = prepared_set(setting.folder / "set", BATCH * BATCHES, BATCH * 2, size, seed=setting.seed)
    spec = _spec(size)
    unbroken = EngineRun(setting, "unbroken", prepared)
    unbroken.fit(spec)
    yield from _stop(setting, prepared, spec)
    yield from _target(setting, prepared, spec)
    yield from _resume(setting, prepared, spec, unbroken.rows)


def _spec(size: int) -> dict[str, Any]:
    return {
        "epochs": EPOCHS,
        "precision": "32",
        "data": {"image_size": size, "batch_size": BATCH},
        "compute": {"deterministic": True},
    }


class After:
    """Signals that are given from a certain reading on; `given_at` is when they were read first."""

    def __init__(self, reading: int, signals: Signals) -> None:
        self._left = reading
        self._signals = signals
        self.given_at = 0.0

    def __call__(self) -> Signals:
        self._left -= 1
        if self._left >= 0:
            return Signals()
        self.given_at = self.given_at or time.monotonic()
        return self._signals


def _stop(setting: Setting, prepared: Path, spec: dict[str, Any]) -> Iterator[Finding]:
    asked = After(BATCHES, Signals(stop="now", stop_version=1))
    result = EngineRun(setting, "stopped", prepared).fit(spec, signals=asked)
    took = time.monotonic() - asked.given_at
    yield equal("a stop in mid-epoch", result.status, "stopped")
    yield setting.at_most("seconds from the stop to the saved end", took, STOP_S, speed=True)


def _target(setting: Setting, prepared: Path, spec: dict[str, Any]) -> Iterator[Finding]:
    for target in (EPOCHS - 1, EPOCHS + 1):
        moved = After(BATCHES, Signals(epochs=target, epochs_version=1))
        result = EngineRun(setting, f"target-{target}", prepared).fit(spec, signals=moved)
        yield equal(f"epochs moved from {EPOCHS} to {target}", result.epoch, target)


def _resume(
    setting: Setting, prepared: Path, spec: dict[str, Any], unbroken: list[dict[str, Any]]
) -> Iterator[Finding]:
    """Drained in mid-epoch and gone on with, here, and from one device to another."""
    ways = [("here", None, None)]
    if setting.on_gpu:
        ways += [("CPU to GPU", "cpu", "gpu"), ("GPU to CPU", "gpu", "cpu")]
    else:
        yield not_shown("checkpoints from CPU to GPU and back", "needs a GPU")
    for name, first, second in ways:
        run = EngineRun(setting, f"drained-{name.replace(' ', '-')}", prepared)
        before = _drained(run, spec, first)
        run.fit(spec, resume=True, device_class=second)
        rows = before + run.rows
        yield setting.at_most(
            f"drained and resumed {name}: loss beside the unbroken run's",
            largest_difference(rows, unbroken, "train_loss"),
            SAME,
        )


def _drained(run: EngineRun, spec: dict[str, Any], device_class: str | None) -> list[dict[str, Any]]:
    """Leave in the second epoch; returns the rows so far."""
    drain: Callable[[], Signals] = After(BATCHES + 8, Signals(drain=True))
    result = run.fit(spec, signals=drain, device_class=device_class)
    if result.status != "drained":
        raise RuntimeError(f"The run ended {result.status}.")
    return run.rows
