"""Check 10: where memory ends, the batch is halved; where no batch fits, the run says so."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from tests.gpu.check import Finding, Setting, equal, none_of, not_shown
from tests.gpu.checks.survival import neighbour
from tests.gpu.engine import EngineRun
from tests.gpu.sets import prepared_set
from trainyard.errors import TrainyardError
from trainyard.runs.events import BatchSizeChanged, Event, Progress
from workers.training import fit as fit_module
from workers.training.engine.attempt import Attempt, build_attempt
from workers.training.engine.batch_size import FitsGpu
from workers.training.epochs.module import TrainingModule

GIB = 2**30
FITS = 4
"""The batch that just fits; what is asked for is eight times as much."""
LEFT_GIB = 1.0
"""What may still be reserved when the network is built again."""
TAKEN = 0.9


def memory(setting: Setting) -> Iterator[Finding]:
    """A batch too large, a network that never fits, a neighbour, and `auto`."""
    size = setting.size(256, 64)
    prepared = prepared_set(setting.folder / "set", 8 * FITS, FITS, size, seed=setting.seed)
    yield from _too_large(setting, prepared, size)
    yield _impossible(setting, prepared, size)
    yield from _neighbour(setting, prepared, size)
    yield from _auto(setting, prepared, size)


def _spec(size: int, batch: int | str, **over: Any) -> dict[str, Any]:
    return {"epochs": 2, "data": {"image_size": size, "batch_size": batch}, **over}


@contextmanager
def _room_for(setting: Setting, images: int, prepared: Path, size: int) -> Iterator[None]:
    """Let batches of so many images fit, and hardly more: the allocator's limit, or a step that refuses."""
    with ExitStack() as leaving:
        if setting.on_gpu:
            _limit_gpu(setting, images, prepared, size, leaving)
        else:
            _limit_step(images, leaving)
        yield


def _limit_gpu(setting: Setting, images: int, prepared: Path, size: int, leaving: ExitStack) -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    if images:
        torch.cuda.reset_peak_memory_stats()
        EngineRun(setting, "measured", prepared).fit(_spec(size, images, epochs=1))
        room = 1.25 * torch.cuda.max_memory_reserved()
    else:
        room = 32 * 2**20  # less than the weights
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(1.0, room / total))
    leaving.callback(torch.cuda.set_per_process_memory_fraction, 1.0)


def _limit_step(images: int, leaving: ExitStack) -> None:
    real = TrainingModule.training_step

    def step(module: TrainingModule, batch: Any, batch_idx: int) -> Any:
        if len(batch["name"]) > images:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return real(module, batch, batch_idx)

    TrainingModule.training_step = step  # type: ignore[method-assign, assignment]
    leaving.callback(setattr, TrainingModule, "training_step", real)


def _too_large(setting: Setting, prepared: Path, size: int) -> Iterator[Finding]:
    reserved: list[float] = []

    def build(*args: Any) -> Attempt:
        reserved.append(torch.cuda.memory_reserved() / GIB if setting.on_gpu else 0.0)
        return build_attempt(*args)

    run = EngineRun(setting, "too-large", prepared)
    with _room_for(setting, FITS, prepared, size), _replaced(fit_module, "build_attempt", build):
        result = run.fit(_spec(size, 8 * FITS))
    halved = [event.batch_size for event in run.events if isinstance(event, BatchSizeChanged)]
    yield equal("a batch eight times too large", result.status, "completed")
    yield none_of(f"each is half the one before: {halved}", _not_halves([8 * FITS, *halved]))
    if setting.on_gpu:
        yield setting.at_most("GiB reserved when it is built again", max(reserved[1:]), LEFT_GIB)


def _not_halves(batches: list[int]) -> list[str]:
    wrong = [f"{after} after {before}" for before, after in pairwise(batches) if after != before // 2]
    return wrong or ([] if batches[1:] else ["none was made smaller"])


@contextmanager
def _replaced(owner: Any, name: str, value: Callable[..., Any]) -> Iterator[None]:
    real = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, real)


def _impossible(setting: Setting, prepared: Path, size: int) -> Finding:
    code = "none: it trained"
    with _room_for(setting, 0, prepared, size):
        try:
            EngineRun(setting, "impossible", prepared).fit(_spec(size, FITS))
        except TrainyardError as error:
            code = error.code
    return equal("a network that no batch lets fit", code, "cuda_out_of_memory")


def _neighbour(setting: Setting, prepared: Path, size: int) -> Iterator[Finding]:
    if not setting.on_gpu:
        yield not_shown("a neighbour that takes 90 % in mid-epoch", "needs a GPU")
        return
    run = EngineRun(setting, "neighbour", prepared)
    with ExitStack() as leaving:

        def come(event: Event) -> None:
            if isinstance(event, Progress) and event.stage == "train" and not come_already:
                come_already.append(True)
                leaving.enter_context(neighbour(TAKEN))

        come_already: list[bool] = []
        run.listen(come)
        result = run.fit(_spec(size, FITS))
    yield equal("a neighbour that takes 90 % in mid-epoch", result.status, "completed")


def _auto(setting: Setting, prepared: Path, size: int) -> Iterator[Finding]:
    """The size that `auto` finds trains, and on a GPU within the memory that it reckoned with."""
    budgets: list[int] = []
    real = FitsGpu.__init__

    def noted(self: FitsGpu, *args: Any) -> None:
        real(self, *args)
        budgets.append(self.budget)
        torch.cuda.reset_peak_memory_stats()

    run = EngineRun(setting, "auto", prepared)
    with _replaced(FitsGpu, "__init__", noted):
        result = run.fit(_spec(size, "auto"))
    settled = [event.batch_size for event in run.events if isinstance(event, BatchSizeChanged)]
    yield equal(f"`auto`, which finds {settled}", (result.status, len(settled)), ("completed", 1))
    if setting.on_gpu:
        peak = torch.cuda.max_memory_reserved() / GIB
        yield setting.at_most("GiB reserved at its peak", peak, budgets[0] / GIB)
