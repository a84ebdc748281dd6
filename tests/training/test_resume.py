"""What a resumed run keeps, and that it goes on as if it had never stopped."""

import csv
from random import Random
from typing import Any

import pytest
import torch

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import AttemptStarted, CheckpointSaved, EpochEnd
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import read_checkpoint
from workers.training.checkpoints.resume import damage_of

STOP_NOW = Signals(stop="now", stop_version=1)
DRAIN = Signals(drain=True)
STOP_EPOCH = Signals(stop="epoch", stop_version=1)
TIMES = ("images_per_second", "epoch_seconds")


def _logged_epochs(run: Run) -> list[tuple[str, str]]:
    with RunFolder(run.folder).metrics_csv.open() as file:
        return [(row["epoch"], row["step"]) for row in csv.DictReader(file)]


EVERYTHING = tiny_spec(
    # Its decoder drops features at random.
    model={"architecture": "PAN", "encoder": "tu-test_resnet"},
    data={"image_size": 128, "batch_size": 4},
    augmentation={"preset": "medium"},
    optimization={"ema_decay": 0.9, "accumulate_batches": 2, "freeze_encoder_epochs": 1},
    compute={"deterministic": True},
)


@pytest.mark.variants(1)
@pytest.mark.parametrize("spec", [tiny_spec(), EVERYTHING], ids=["plain", "everything"])
def test_resumed_run_computes_what_an_unbroken_one_does(run: Run, spec: dict[str, Any]) -> None:
    run.fit(epochs=3, spec=spec)
    unbroken = _rows(run)
    expected = read_checkpoint(RunFolder(run.folder).last_checkpoint)
    run.fit(epochs=3, spec=spec, signals={3: STOP_EPOCH})
    run.fit(epochs=3, spec=spec, resume=True)

    assert _rows(run) == unbroken[1:]
    _require_equal_weights(read_checkpoint(RunFolder(run.folder).last_checkpoint), expected)


@pytest.mark.variants(1)
@pytest.mark.parametrize("spec", [tiny_spec(), EVERYTHING], ids=["plain", "everything"])
def test_a_run_drained_within_an_epoch_computes_what_an_unbroken_one_does(
    run: Run, spec: dict[str, Any]
) -> None:
    run.fit(epochs=3, spec=spec)
    unbroken = _rows(run)
    expected = read_checkpoint(RunFolder(run.folder).last_checkpoint)

    left = run.fit(epochs=3, spec=spec, signals={9: DRAIN})
    rows = _rows(run)
    in_validation = run.fit(epochs=3, spec=spec, signals={4: DRAIN}, resume=True)
    assert _rows(run) == []
    result = run.fit(epochs=3, spec=spec, resume=True)

    assert [(one.status, one.epoch) for one in (left, in_validation)] == [("drained", 1)] * 2
    assert left.step < in_validation.step
    assert result.status == "completed"
    assert rows + _rows(run) == unbroken
    _require_equal_weights(read_checkpoint(RunFolder(run.folder).last_checkpoint), expected)


@pytest.mark.variants(1)
@pytest.mark.parametrize("wish", [STOP_NOW, DRAIN], ids=["stop", "drain"])
@pytest.mark.parametrize("left_in", [9, 11], ids=["train", "validation"])
def test_a_run_left_again_before_it_trains_computes_what_an_unbroken_one_does(
    run: Run, wish: Signals, left_in: int
) -> None:
    """Within an epoch first, then while the resumed attempt checks its data."""
    spec = tiny_spec(compute={"deterministic": True})
    run.fit(epochs=3, spec=spec)
    unbroken = _rows(run)
    expected = read_checkpoint(RunFolder(run.folder).last_checkpoint)

    left = run.fit(epochs=3, spec=spec, signals={left_in: DRAIN})
    rows = _rows(run)
    again = run.fit(epochs=3, spec=spec, signals={1: wish}, resume=True)
    assert (again.epoch, again.step, run.of(CheckpointSaved)) == (left.epoch, left.step, [])
    result = run.fit(epochs=3, spec=spec, resume=True)

    assert (result.status, result.step) == ("completed", 9)
    assert rows + _rows(run) == unbroken
    _require_equal_weights(read_checkpoint(RunFolder(run.folder).last_checkpoint), expected)


@pytest.mark.variants(1)
@pytest.mark.parametrize("seed", range(4))
def test_a_run_left_at_random_moments_computes_what_an_unbroken_one_does(run: Run, seed: int) -> None:
    chance = Random(seed)
    spec = tiny_spec(optimization={"accumulate_batches": 2}, compute={"deterministic": True})
    run.fit(epochs=3, spec=spec)
    unbroken, rows = _rows(run), []
    expected = read_checkpoint(RunFolder(run.folder).last_checkpoint)
    for attempt in range(4):
        wish = chance.choice([STOP_NOW, STOP_EPOCH, DRAIN])
        result = run.fit(epochs=3, spec=spec, signals={chance.randrange(10): wish}, resume=attempt > 0)
        rows += _rows(run)
    if result.status != "completed":
        run.fit(epochs=3, spec=spec, resume=True)
        rows += _rows(run)

    assert rows == unbroken
    _require_equal_weights(read_checkpoint(RunFolder(run.folder).last_checkpoint), expected)


def _require_equal_weights(reached: dict[str, Any], expected: dict[str, Any]) -> None:
    for weights in ("state_dict", "live_state_dict"):
        wanted, found = expected.get(weights, {}), reached.get(weights, {})
        assert wanted.keys() == found.keys()
        assert all(torch.equal(wanted[name], found[name]) for name in wanted)


def test_a_run_repeated_from_its_spec_gives_the_same_numbers(run: Run) -> None:
    rows = []
    for _ in range(2):
        run.fit(epochs=2, spec=EVERYTHING)
        rows.append(_rows(run))
    assert rows[0] == rows[1]


def _rows(run: Run) -> list[dict[str, Any]]:
    """The metrics of each epoch, but for what a clock says."""
    rows = [event.metrics for event in run.of(EpochEnd)]
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def test_resumed_run_keeps_the_rows_of_finished_epochs(run: Run) -> None:
    run.fit(epochs=2)
    run.fit(epochs=3, resume=True)

    assert _logged_epochs(run) == [("1", "3"), ("2", "6"), ("3", "9")]


def test_a_stopped_epoch_goes_on_at_the_batch_where_it_was_left(run: Run) -> None:
    run.fit(epochs=2, signals={9: STOP_NOW})
    result = run.fit(epochs=2, resume=True)

    (began,) = run.of(AttemptStarted)
    assert (began.device, began.epoch, began.step) == ("cpu", 1, 4)
    assert (result.status, result.epoch, result.step) == ("completed", 2, 6)
    assert [event.epoch for event in run.of(EpochEnd)] == [2]
    assert _logged_epochs(run) == [("1", "3"), ("2", "6")]


def test_a_drain_waits_for_the_step_whose_gradients_are_being_added_up(run: Run) -> None:
    spec = tiny_spec(optimization={"accumulate_batches": 2})
    result = run.fit(epochs=2, spec=spec, signals={9: DRAIN})

    assert (result.status, result.step, run.reads) == ("drained", 3, 11)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(run: Run) -> None:
    run.fit(epochs=3)
    newest = run.checkpoints.resume_from[0].path
    newest.write_bytes(newest.read_bytes()[:-1])
    result = run.fit(epochs=3, resume=True)

    (notice,) = run.notices
    assert "after epoch 3 is not used" in notice.message
    assert [event.epoch for event in run.of(EpochEnd)] == [3]
    assert (result.status, result.step) == ("completed", 9)
    assert damage_of(run.checkpoints.resume_from[0]) is None


def test_without_any_good_checkpoint_the_run_begins_anew_and_says_so(run: Run) -> None:
    run.fit(epochs=2)
    for saved in run.checkpoints.resume_from:
        saved.path.write_bytes(b"")
    result = run.fit(epochs=2, resume=True)

    assert "starts anew" in run.notices[-1].message
    assert [event.epoch for event in run.of(EpochEnd)] == [1, 2]
    assert result.best_epoch in (1, 2)


def test_resume_without_epochs_left_only_finishes(run: Run) -> None:
    run.fit(epochs=2)
    result = run.fit(epochs=2, resume=True)

    assert (result.status, result.epoch, result.step) == ("completed", 2, 6)
    assert run.of(EpochEnd) == []
    assert result.best_epoch in (1, 2)


def test_resume_without_a_checkpoint_begins_afresh(run: Run) -> None:
    result = run.fit(epochs=1, resume=True)

    assert (result.status, result.epoch) == ("completed", 1)


def test_fresh_start_clears_an_earlier_try(run: Run) -> None:
    run.fit(epochs=2, spec=tiny_spec(checkpoints={"every_epochs": 2}))
    run.fit(epochs=1)

    assert not RunFolder(run.folder).epoch_checkpoint(2).exists()
    assert _logged_epochs(run) == [("1", "3")]
