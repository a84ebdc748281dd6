"""What a resumed run keeps, and that it goes on as if it had never stopped."""

import csv

import pytest

from tests.training.conftest import Run, tiny_spec
from trainyard.events import EpochEnd
from trainyard.signals import Signals
from trainyard.storage import RunFolder

STOP_NOW = Signals(stop="now", stop_version=1)
STOP_EPOCH = Signals(stop="epoch", stop_version=1)
TIMES = ("images_per_second", "epoch_seconds")


def _logged_epochs(run: Run) -> list[tuple[str, str]]:
    with RunFolder(run.folder).metrics_csv.open() as file:
        return [(row["epoch"], row["step"]) for row in csv.DictReader(file)]


def test_resumed_run_computes_what_an_unbroken_one_does(run: Run) -> None:
    run.fit(epochs=3)
    unbroken = [event.metrics for event in run.of(EpochEnd)]
    run.fit(epochs=3, signals={3: STOP_EPOCH})
    run.fit(epochs=3, resume=True)
    resumed = [event.metrics for event in run.of(EpochEnd)]

    assert [row["epoch"] for row in resumed] == [2, 3]
    for expected, row in zip(unbroken[1:], resumed, strict=True):
        assert {k: v for k, v in row.items() if k not in TIMES} == pytest.approx(
            {k: v for k, v in expected.items() if k not in TIMES}, rel=1e-5
        )


def test_resumed_run_keeps_the_rows_of_finished_epochs(run: Run) -> None:
    run.fit(epochs=2)
    run.fit(epochs=3, resume=True)

    assert _logged_epochs(run) == [("1", "3"), ("2", "6"), ("3", "9")]


def test_interrupted_epoch_is_begun_again(run: Run) -> None:
    run.fit(epochs=2, signals={9: STOP_NOW})
    result = run.fit(epochs=2, resume=True)

    assert (result.status, result.epoch, result.step) == ("completed", 2, 7)
    assert [event.epoch for event in run.of(EpochEnd)] == [2]
    assert _logged_epochs(run) == [("1", "3"), ("2", "7")]


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
