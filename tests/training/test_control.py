"""Stops and epoch changes, whichever loop they meet."""

import csv
import os
import signal

import pytest
import torch

from tests.training.conftest import Run
from trainyard.runs.events import AttemptStarted, CheckpointSaved, EpochEnd, Event, SignalApplied
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import ABOUT
from workers.training.fit import fit

STOP_NOW = Signals(stop="now", stop_version=1)
STOP_EPOCH = Signals(stop="epoch", stop_version=1)


@pytest.mark.parametrize(
    ("reading", "epoch", "step", "finished"),
    [
        pytest.param(0, 1, 0, 0, id="sanity"),
        pytest.param(3, 1, 1, 0, id="train"),
        pytest.param(6, 1, 3, 0, id="val"),
        pytest.param(9, 2, 4, 1, id="second-epoch"),
    ],
)
def test_stop_now_leaves_within_the_batch(
    whole_run: Run, reading: int, epoch: int, step: int, finished: int
) -> None:
    result = whole_run.fit(epochs=5, signals={reading: STOP_NOW})

    assert (result.status, result.epoch, result.step) == ("stopped", finished, step)
    assert whole_run.reads == reading + 1
    (applied,) = whole_run.of(SignalApplied)
    assert (applied.signal, applied.version, applied.value) == ("stop", 1, "now")
    assert (applied.epoch, applied.step) == (epoch, step)
    assert len(whole_run.of(EpochEnd)) == finished
    assert result.export is None


def test_a_signal_to_the_group_of_processes_ends_no_training(run: Run) -> None:
    """The child of a worker does nothing at SIGTERM, and Lightning is not to put its own way in the place."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    job = run.job(epochs=2)
    take = run._take

    def take_and_signal(event: Event) -> None:
        take(event)
        if isinstance(event, AttemptStarted):
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        result = fit(job, take_and_signal, Signals)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (result.status, result.epoch) == ("completed", 2)


def test_stop_now_leaves_usable_weights_and_a_complete_log(whole_run: Run) -> None:
    whole_run.fit(epochs=5, signals={9: STOP_NOW})

    folder = RunFolder(whole_run.folder)
    last = torch.load(folder.last_checkpoint, weights_only=True)
    assert last[ABOUT]["epoch"] == 1
    assert all(torch.isfinite(tensor).all() for tensor in last["state_dict"].values())
    with folder.metrics_csv.open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]
    assert not folder.figures.exists()


def test_stop_at_epoch_waits_for_validation_and_save(whole_run: Run) -> None:
    result = whole_run.fit(epochs=5, signals={3: STOP_EPOCH})

    assert (result.status, result.epoch, result.step) == ("stopped", 1, 3)
    told = EpochEnd | CheckpointSaved | SignalApplied
    kinds = [type(event) for event in whole_run.events if isinstance(event, told)]
    assert kinds == [EpochEnd, CheckpointSaved, SignalApplied]
    (applied,) = whole_run.of(SignalApplied)
    assert (applied.value, applied.epoch, applied.step) == ("epoch", 1, 3)


@pytest.mark.parametrize("reading", [3, 6, 7], ids=["train", "last-validation", "after-the-save"])
def test_raised_target_is_met_even_at_the_last_moment(run: Run, reading: int) -> None:
    result = run.fit(epochs=1, signals={reading: Signals(epochs=2, epochs_version=1)})

    assert (result.status, result.epoch, result.step) == ("completed", 2, 6)
    (applied,) = run.of(SignalApplied)
    assert (applied.signal, applied.value, applied.epoch) == ("epochs", "2", 1)


def test_learning_rate_decays_over_the_raised_target(run: Run) -> None:
    run.fit(epochs=1, signals={3: Signals(epochs=3, epochs_version=1)})

    rates = [event.metrics["lr"] for event in run.of(EpochEnd)]
    assert rates[0] > rates[1] > rates[2]
    assert rates[2] == pytest.approx(0.001 * 0.01)


def test_lowered_target_ends_the_run_there(run: Run) -> None:
    result = run.fit(epochs=9, signals={3: Signals(epochs=2, epochs_version=1)})

    assert (result.status, result.epoch) == ("completed", 2)


def test_target_below_the_epochs_done_ends_after_the_present_epoch(run: Run) -> None:
    result = run.fit(epochs=9, signals={9: Signals(epochs=1, epochs_version=1)})

    assert (result.status, result.epoch) == ("completed", 2)
    (applied,) = run.of(SignalApplied)
    assert (applied.value, applied.epoch, applied.step) == ("1", 2, 4)


def test_each_version_acts_once(run: Run) -> None:
    up, down = Signals(epochs=4, epochs_version=1), Signals(epochs=2, epochs_version=2)
    result = run.fit(epochs=1, signals={2: up, 8: down})

    assert result.epoch == 2
    assert [(applied.version, applied.value) for applied in run.of(SignalApplied)] == [(1, "4"), (2, "2")]
