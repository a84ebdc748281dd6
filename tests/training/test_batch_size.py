"""`batch_size: auto`: the search, the trial of a size, and runs whose device is played by errors of torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import CONFIGS, Run, tiny_spec
from tests.training.multilabel_set import draw_overlapping
from trainyard.errors import InvalidRequest, OutOfMemory
from trainyard.runs.events import BatchSizeChanged, EpochEnd
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from workers.prepared.version import PreparedDataset
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.engine import batch_size
from workers.training.engine.batch_size import FitsCpu, FitsGpu, Trial, available_memory, largest_that_fits
from workers.training.tasks.segmentation.network.networks import empty_network


def auto_spec(**over: Any) -> dict[str, Any]:
    return tiny_spec(data={"image_size": 32, "batch_size": "auto"}, **over)


@pytest.mark.parametrize(
    ("limit", "least", "most", "expected"),
    [(5, 1, 64, 5), (64, 1, 64, 64), (99, 1, 12, 12), (1, 1, 64, 1), (0, 1, 64, None), (1, 2, 64, None),
     (37, 2, 64, 37), (9, 1, 1, 1), (3, 2, 3, 3)],
)  # fmt: skip
def test_the_largest_size_is_found_by_doubling_and_halving(
    limit: int, least: int, most: int, expected: int | None
) -> None:
    tried: list[int] = []

    def fits(batch: int) -> bool:
        tried.append(batch)
        return batch <= limit

    assert largest_that_fits(fits, least, most) == expected
    assert len(tried) == len(set(tried)) <= 13
    assert all(least <= size <= most for size in tried)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Let the device hold so many images; gives the sizes that are tried."""

    def install(limit: int) -> list[int]:
        tried: list[int] = []

        def attempt(trial: Trial, batch: int) -> None:
            tried.append(batch)
            if batch > limit:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

        monkeypatch.setattr(Trial, "__call__", attempt)
        return tried

    return install


def test_a_run_takes_the_size_found_and_a_resumed_one_keeps_it(
    run: Run, small: Callable[[int], list[int]]
) -> None:
    tried = small(5)
    result = run.fit(spec=auto_spec())
    assert (tried, result.step) == ([2, 4, 8, 6, 5], 3)
    (notice,) = run.notices
    assert "batches of 5 are used" in notice.message
    assert run.of(BatchSizeChanged) == [BatchSizeChanged(batch_size=5, accumulate_batches=1)]
    stored = read_checkpoint(RunFolder(run.folder).last_checkpoint)[ABOUT]["spec"]
    assert stored["data"]["batch_size"] == 5

    tried.clear()
    assert run.fit(spec=auto_spec(), epochs=2, resume=True).step == 6
    assert (tried, run.notices) == ([], [])
    assert run.of(BatchSizeChanged) == [BatchSizeChanged(batch_size=5, accumulate_batches=1)], (
        "told where asked for auto"
    )


def test_a_run_with_the_size_that_was_found_is_the_same_run(
    run: Run, small: Callable[[int], list[int]]
) -> None:
    small(5)
    run.fit(spec=auto_spec())
    (found,), (first,) = run.of(BatchSizeChanged), run.of(EpochEnd)
    run.fit(spec=tiny_spec(data={"image_size": 32, "batch_size": found.batch_size}))
    (again,) = run.of(EpochEnd)
    assert run.of(BatchSizeChanged) == []
    assert (first.metrics["train_loss"], first.metrics["val_loss"]) == (
        again.metrics["train_loss"],
        again.metrics["val_loss"],
    )


def test_where_nothing_fits_the_run_fails_by_name(run: Run, small: Callable[[int], list[int]]) -> None:
    assert small(0) == []
    with pytest.raises(OutOfMemory, match="not even with the smallest batch") as caught:
        run.fit(spec=auto_spec())
    assert caught.value.errors == {"spec": {"data": {"image_size": ["smaller"]}}}


def test_other_failures_of_a_trial_are_no_lack_of_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(trial: Trial, batch: int) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(Trial, "__call__", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        run.fit(spec=auto_spec())


def test_no_size_is_tried_that_the_last_one_says_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"VmRSS": 100, "VmHWM": 100}
    tried: list[int] = []

    def trial(batch: int) -> None:
        tried.append(batch)
        sizes["VmHWM"] = 100 + 30 * batch

    monkeypatch.setattr(batch_size, "_status_bytes", sizes.__getitem__)
    monkeypatch.setattr(batch_size, "available_memory", lambda: 200)
    fits = FitsCpu(trial)
    assert [fits(batch) for batch in (2, 4, 8, 6, 7)] == [True, True, False, True, False]
    assert tried == [2, 4, 6]


def test_memory_is_measured() -> None:
    assert 2**26 < available_memory() < 2**46
    kept: list[torch.Tensor] = []
    fits = FitsCpu(lambda batch: kept.append(torch.ones(batch * 2**24)))
    fits.budget = 2**32
    assert fits(4)
    assert not fits(4096)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_refuses_what_it_cannot_hold() -> None:
    device = torch.device("cuda")
    fits = FitsGpu(lambda batch: torch.ones(batch * 2**28, device=device).sum(), device)
    assert fits(1)
    assert not fits(2**12)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_trial_leaves_the_network_as_it_was(precision: Any, prepared: Path) -> None:
    torch.manual_seed(0)
    spec = Experiments(CONFIGS).compose(auto_spec())
    network = empty_network(spec.model, 3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    Trial(spec, network, PreparedDataset(prepared), precision, torch.device("cpu"))(2)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


def test_it_is_found_for_a_multilabel_set_too(tmp_path: Path, run_folder: Path) -> None:
    run = Run(run_folder, draw_overlapping(tmp_path / "set", train=3, val=1))
    model = {**tiny_spec()["model"], "task": "multilabel"}
    assert run.fit(spec=auto_spec(model=model)).status == "completed"
    (notice,) = run.notices
    assert "batches of 3 are used; up to 3" in notice.message


@pytest.mark.parametrize("given", [0, 1025, 2.5, "many", None])
def test_anything_but_a_number_or_auto_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Experiments(CONFIGS).compose({"data": {"batch_size": given}})
    assert caught.value.errors["spec"]["data"]["batch_size"]
