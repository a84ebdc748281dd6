"""Check 15: a compiled run compiles few forms, starts soon, is quicker, and trains without a compiler too."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partialmethod
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch._dynamo.utils import counters

from tests.gpu.check import Finding, Setting, equal, holds, none_of, not_shown
from tests.gpu.engine import EngineRun
from tests.gpu.sets import prepared_set
from trainyard.runs.events import AttemptStarted, Event, Progress
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments

EXPERIMENT = "gpu-largest-batch"
MOST_FORMS = 6
"""Compiled forms of the network: training and validation, a whole batch and the last one, frozen or not."""
FIRST_STEP_S = 120.0
OVER_EAGER = 1.05
_SAID = "trains uncompiled"


def compiling(setting: Setting) -> Iterator[Finding]:
    """With averaged weights, an epoch of a frozen encoder, and an odd last batch."""
    size, batch, whole = setting.size((512, 32, 12), (32, 4, 3))
    prepared = prepared_set(setting.folder / "set", batch * whole + batch // 2 + 1, batch, size)
    spec = _spec(setting, size, batch)
    with _without_cost(setting):
        before = counters["stats"]["unique_graphs"]
        run, first_step = _timed(setting, prepared, spec)
        forms = counters["stats"]["unique_graphs"] - before
    yield none_of("it was compiled", [said for said in run.notices if _SAID in said])
    yield setting.at_most("compiled forms", forms, MOST_FORMS)
    yield setting.at_most("seconds to the first step", first_step, FIRST_STEP_S, speed=True)
    if setting.on_gpu:
        compiled = run.rows[-1]["images_per_second"]
        eager = EngineRun(setting, "eager", prepared)
        eager.fit({**spec, "compute": {"compile": False}})
        ratio = compiled / eager.rows[-1]["images_per_second"]
        yield setting.at_least("compiled / eager", ratio, OVER_EAGER, speed=True)
    else:
        yield not_shown("the compiler's code, and its speed", "needs a GPU")
    yield from _without_compiler(setting, prepared, spec)


def _spec(setting: Setting, size: int, batch: int) -> dict[str, Any]:
    over = {
        "epochs": 3,
        "data": {"image_size": size, "batch_size": batch},
        "compute": {"compile": True},
        "optimization": {"ema_decay": 0.9, "freeze_encoder_epochs": 1},
    }
    if not setting.on_gpu:
        return {**over, "model": {"architecture": "Unet", "encoder": "tu-test_resnet"}}
    named = Experiments(REPOSITORY / "configs").read(EXPERIMENT)
    # `auto` would take all images as one batch: of so few, none would be left for an odd last one.
    return {**named, **over, "data": {**named["data"], **over["data"]}}


@contextmanager
def _without_cost(setting: Setting) -> Iterator[None]:
    """On a CPU, have graphs found and guarded as ever, and run as they are: their code takes minutes."""
    with ExitStack() as leaving:
        if not setting.on_gpu:
            real = nn.Module.compile
            nn.Module.compile = partialmethod(real, backend="eager")  # type: ignore[method-assign, assignment]
            leaving.callback(setattr, nn.Module, "compile", real)
        yield


def _timed(setting: Setting, prepared: Path, spec: dict[str, Any]) -> tuple[EngineRun, float]:
    """The run, and the seconds from its beginning to its first step."""
    run = EngineRun(setting, "compiled", prepared)
    at: dict[str, float] = {}

    def note(event: Event) -> None:
        if isinstance(event, AttemptStarted):
            at["began"] = time.monotonic()
        elif isinstance(event, Progress) and event.stage == "train" and event.step > 0:
            at.setdefault("stepped", time.monotonic())

    run.listen(note)
    run.fit(spec)
    return run, at["stepped"] - at["began"]


def _without_compiler(setting: Setting, prepared: Path, spec: dict[str, Any]) -> Iterator[Finding]:
    """A machine on which the compiler finds no program to build its code with."""
    torch._dynamo.reset()
    config = torch._inductor.config  # type: ignore[attr-defined]
    changes: list[tuple[Any, str, Any]] = [
        (config.cpp, "cxx", ("/nowhere/c++",)),
        (config, "force_disable_caches", True),
    ]
    with ExitStack() as leaving:
        for owner, name, value in changes:
            leaving.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        if setting.on_gpu:
            _hide_c_compiler(leaving)
        run = EngineRun(setting, "without-compiler", prepared)
        result = run.fit({**spec, "epochs": 1})
    yield equal("without a C compiler the run is", result.status, "completed")
    said = [notice for notice in run.notices if _SAID in notice]
    yield holds("and says so", bool(said), said[0][:120] if said else "nothing")


def _hide_c_compiler(leaving: ExitStack) -> None:
    """Triton asks for one when it makes its launcher."""
    from triton.runtime import build

    def none() -> str:
        raise RuntimeError("Failed to find C compiler. Please specify via CC environment variable.")

    name = next(name for name in ("_find_compiler", "_cc_cmd") if hasattr(build, name))
    leaving.callback(setattr, build, name, getattr(build, name))
    setattr(build, name, lambda *_, **__: none())
