"""A device that runs out of memory, played by an error that torch raises then."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.training.conftest import Run, tiny_spec
from trainyard.errors import CudaOutOfMemory, HostOutOfMemory
from trainyard.runs.events import BatchSizeChanged, EpochEnd
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.compute.memory import memory_that_ran_out
from workers.training.epochs.module import TrainingModule

Fail = Callable[[int, int], bool]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fail], None]:
    """Let training steps fail for which `fails(images, epoch)` is true."""
    honest = TrainingModule.training_step

    def install(fails: Fail) -> None:
        def step(module: TrainingModule, batch: Any, batch_idx: int) -> Any:
            if fails(len(batch["name"]), module.current_epoch):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return honest(module, batch, batch_idx)

        monkeypatch.setattr(TrainingModule, "training_step", step)

    return install


@pytest.mark.variants(1)
@pytest.mark.parametrize(("epoch", "step"), [(0, 9), (1, 9)], ids=["first-epoch", "later"])
def test_it_goes_on_with_half_the_batch_from_the_last_checkpoint(
    run: Run, full: Callable[[Fail], None], epoch: int, step: int
) -> None:
    full(lambda images, present: images > 2 and present == epoch)
    result = run.fit(epochs=3)

    assert (result.status, result.epoch, result.step) == ("completed", 3, step)
    assert [event.epoch for event in run.of(EpochEnd)] == [1, 2, 3]
    (notice,) = run.notices
    assert "batches of 2 and steps of 2 batches" in notice.message
    assert run.of(BatchSizeChanged) == [BatchSizeChanged(batch_size=2, accumulate_batches=2)]
    spec = read_checkpoint(RunFolder(run.folder).last_checkpoint)[ABOUT]["spec"]
    assert (spec["data"]["batch_size"], spec["optimization"]["accumulate_batches"]) == (2, 2)


def test_a_resumed_run_keeps_the_smaller_batch(run: Run, full: Callable[[Fail], None]) -> None:
    full(lambda images, _: images > 2)
    run.fit(epochs=1)
    result = run.fit(epochs=2, resume=True)
    assert result.epoch == 2
    assert run.notices == []


def test_where_not_even_one_image_fits_the_run_fails_by_name(run: Run, full: Callable[[Fail], None]) -> None:
    full(lambda images, _: True)
    # At this size its deepest features need two pixels, at the other two images.
    for size, said in ((64, "even with batches of 1"), (32, "Twice the batch")):
        with pytest.raises(CudaOutOfMemory, match=said):
            run.fit(epochs=1, spec=tiny_spec(data={"image_size": size, "batch_size": 4}))
        assert len(run.notices) == 2


def test_other_failures_are_no_lack_of_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "[enforce fail] DefaultCPUAllocator: can't allocate memory"
    assert memory_that_ran_out(RuntimeError(said)) is HostOutOfMemory

    def step(module: TrainingModule, batch: Any, batch_idx: int) -> Any:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(TrainingModule, "training_step", step)
    with pytest.raises(RuntimeError, match="shapes differ"):
        run.fit(epochs=1)
