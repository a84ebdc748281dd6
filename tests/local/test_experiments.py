"""Experiments without a service: trained, gone on with, forked, stopped, and told apart."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.local.conftest import SPEC
from trainyard.errors import Conflict, InvalidRequest, NotFound, TrainyardError
from trainyard.runs.events import Event, Notice
from trainyard.runs.record import RunStatus
from trainyard.runs.signals import Signals
from trainyard_local import Experiment
from trainyard_local.folders import held


def go(experiment: Experiment, **asked: Any) -> Any:
    return experiment.train(threads=1, device="cpu", **asked)


@pytest.fixture
def experiment(trained: Experiment, tmp_path: Path) -> Experiment:
    """A copy of the trained one, to be changed."""
    shutil.copytree(trained.folder.parent, tmp_path / "runs", copy_function=shutil.copyfile)
    return Experiment.open("exp1", tmp_path / "runs")


def test_it_leaves_the_files_of_a_run(trained: Experiment):
    for file in (
        "run.json", "config.json", "metrics.json", "metrics.csv", "events.jsonl", "logs/training.log",
        "checkpoints/best.ckpt", "checkpoints/last.ckpt", "report.html", "report.json", "figures/curves.svg",
    ):  # fmt: skip
        assert (trained.folder / file).stat().st_size > 0, file
    record = trained.record
    assert (record.status, record.epoch, set(record.checkpoints)) == ("completed", 1, {"best", "last"})
    assert record.result is not None
    assert record.result["best_epoch"] == 1


def test_it_goes_on_to_more_epochs_with_its_history(experiment: Experiment):
    first = json.loads((experiment.folder / "metrics.json").read_text())["rows"]
    result = go(experiment, epochs=3)
    assert [row["epoch"] for row in result.history] == [1, 2, 3]
    assert result.history[0] == first[0]
    assert (result.epochs, result.target, result.stopped_early) == (3, 3, False)
    assert result.best_value == max(row["val_miou"] for row in result.history)
    with (experiment.folder / "metrics.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]
    assert [one.from_epoch for one in experiment.record.attempts] == [0, 1]


def test_what_is_completed_needs_more_epochs(trained: Experiment):
    with pytest.raises(Conflict, match="completed: 1 epochs of 1"):
        go(trained)


def test_a_fork_begins_with_the_weights_and_another_spec(experiment: Experiment):
    events: list[Event] = []
    fork = experiment.fork({"optimization": {"learning_rate": 1e-5}}, name="slower")
    go(fork, report=events.append)
    origin, record = experiment.record, fork.record
    assert (origin.spec.optimization.learning_rate, record.spec.optimization.learning_rate) == (1e-3, 1e-5)
    assert record.forked_from
    assert record.forked_from.loaded_layers == record.forked_from.total_layers
    assert any(isinstance(event, Notice) and "layers loaded" in event.message for event in events)
    with pytest.raises(NotFound, match="no checkpoint '7'"):
        experiment.fork(checkpoint="7")


def test_a_stop_keeps_the_work_and_the_next_call_goes_on(experiment: Experiment):
    reads = iter(range(10**6))
    stop = Signals(stop="now", stop_version=1)
    # Readings 0 and 1 are those of the check before training.
    result = go(experiment, epochs=3, signals=lambda: stop if next(reads) >= 3 else Signals())
    assert (result.status, experiment.record.status) == ("stopped", RunStatus.STOPPED)
    assert go(experiment).epochs == 3


def test_early_stopping_is_told(shapes: Path, tmp_path: Path):
    spec = {**SPEC, "epochs": 9, "early_stopping": {"patience": 1, "min_delta": 1.0}}
    result = go(Experiment.new(shapes, spec=spec, runs=tmp_path))
    assert result.stopped_early
    assert result.epochs < 9


def test_a_failure_is_in_the_record(experiment: Experiment):
    record = experiment.record
    index = next(experiment.folder.parent.glob(".datasets/*/prepared/*/images.bin"))
    index.write_bytes(index.read_bytes()[:100])
    with pytest.raises(TrainyardError) as caught:
        go(experiment, epochs=2)
    failed = experiment.record
    assert failed.error
    assert (failed.status, failed.error["code"]) == (RunStatus.FAILED, caught.value.code)
    assert failed.checkpoints == record.checkpoints


def test_ctrl_c_a_second_time_leaves_a_stopped_experiment(experiment: Experiment):
    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(experiment, epochs=2, report=interrupt)
    assert experiment.record.status == RunStatus.STOPPED


def test_one_process_at_a_time_trains_it(trained: Experiment):
    with held(trained._files), pytest.raises(Conflict, match="another process"):
        go(trained, epochs=2)


def test_a_mistake_in_the_spec_costs_no_reading(tmp_path: Path):
    with pytest.raises(InvalidRequest) as caught:
        Experiment.new(tmp_path / "nothing", spec={"model": {"encoder": "resnet19"}}, runs=tmp_path / "runs")
    assert "encoder" in caught.value.errors["spec"]["model"]


def test_one_that_is_not_there_names_those_that_are(trained: Experiment):
    with pytest.raises(NotFound) as caught:
        Experiment.open("exp7", trained.folder.parent)
    assert caught.value.remedy == "There are: exp1."
