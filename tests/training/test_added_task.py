"""A task of two packages, tests/mean_colour, is trained without a word of it anywhere else."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.mean_colour.description import MEAN_COLOUR
from tests.mean_colour.task import MeanColour
from tests.training.conftest import CONFIGS, Run
from trainyard.errors import InvalidRequest
from trainyard.runs.events import EpochEnd
from trainyard.runs.metric_summary import summarize
from trainyard.runs.signals import Signals
from trainyard.spec.checks import check_known
from trainyard.spec.experiments import Experiments
from trainyard.spec.stored import read_spec
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from trainyard.tasks import registry as descriptions
from workers.training.job import TrainingJob
from workers.training.log_lines import describe
from workers.training.predict import main as predict
from workers.training.tasks import registry

DEFAULTS = """
model: {architecture: Pooled, encoder: resnet18, task: colour}
data: {image_size: 32, batch_size: 4}
augmentation: {preset: none}
optimization: {losses: [{name: squares, weight: 1.0, params: {}}], learning_rate: 0.03}
early_stopping: {monitor: val_error}
checkpoints: {monitor: val_error}
"""


@pytest.fixture(autouse=True)
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two lines by which a task becomes one of all."""
    monkeypatch.setitem(descriptions.TASKS, MEAN_COLOUR.name, MEAN_COLOUR)
    monkeypatch.setitem(registry.TASKS, MEAN_COLOUR.name, MeanColour())


@pytest.fixture
def experiments(tmp_path: Path) -> Iterator[Experiments]:
    """The configs with the task's own defaults."""
    configs = tmp_path / "configs"
    shutil.copytree(CONFIGS, configs)
    (configs / "defaults").mkdir(exist_ok=True)
    (configs / "defaults" / "mean_colour.yaml").write_text(DEFAULTS)
    yield Experiments(configs)
    shutil.rmtree(configs)


def job_of(run: Run, experiments: Experiments, *, resume: bool = False, **over: Any) -> TrainingJob:
    """The job of a run of the task."""
    spec = experiments.compose({"task": "mean_colour", "precision": "32", **over})
    return replace(run.job(epochs=spec.epochs, resume=resume), spec=spec)


def test_it_trains_and_is_told_of(whole_run: Run, experiments: Experiments, tmp_path: Path) -> None:
    result = whole_run.fit_job(job_of(whole_run, experiments, epochs=30))
    rows = [event.metrics for event in whole_run.of(EpochEnd)]
    assert result.status == "completed"
    assert result.best["val_error"] == min(row["val_error"] for row in rows) < 0.05
    columns = [f"{stage}_{name}" for stage in ("train", "val") for name in ("loss", "error", "within")]
    assert list(rows[0]) == ["epoch", "step", "lr", *columns, "images_per_second", "epoch_seconds"]
    summary = summarize(rows, "val_error")
    assert summary["best_row"]["epoch"] == result.best_epoch
    assert set(summary["metrics"]) == set(MEAN_COLOUR.monitors)
    assert "  error 0.0" in str(describe(whole_run.of(EpochEnd)[-1]))

    folder = RunFolder(whole_run.folder)
    assert read_json(folder.report_json) == {"epoch": result.best_epoch, "weights": 4}
    beside = read_json(next(folder.saved.glob("e030-*.json")))
    assert beside["val_error"] == beside["monitored"] == rows[-1]["val_error"]

    cv2.imwrite(str(tmp_path / "grey.png"), np.full((20, 30, 3), 90, np.uint8))
    arguments = [str(folder.best_checkpoint), str(tmp_path / "grey.png"), "--out", str(tmp_path)]
    assert predict(arguments) == 0
    assert json.loads((tmp_path / "grey.json").read_text()) == pytest.approx([90 / 255] * 3, abs=0.1)


def test_a_run_that_is_stopped_goes_on_at_the_very_batch(run: Run, experiments: Experiments) -> None:
    whole = run.fit_job(job_of(run, experiments, epochs=2))
    expected = [_numbers(event) for event in run.of(EpochEnd)]
    shutil.rmtree(run.folder)

    stop = Signals(stop="now", stop_version=1)
    run.fit_job(job_of(run, experiments, epochs=2), signals={4: stop})
    assert run.of(EpochEnd) == []
    resumed = run.fit_job(job_of(run, experiments, epochs=2, resume=True))
    assert [_numbers(event) for event in run.of(EpochEnd)] == expected
    assert resumed.best_epoch == whole.best_epoch


def test_a_batch_is_found_for_it(run: Run, experiments: Experiments) -> None:
    result = run.fit_job(job_of(run, experiments, epochs=1, data={"batch_size": "auto"}))
    assert result.step >= 1


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"model": {"architecture": "Unet"}}, "model"),
        ({"model": {"task": "multiclass"}}, "model"),
        ({"optimization": {"losses": [{"name": "dice", "weight": 1.0, "params": {}}]}}, "optimization"),
        ({"checkpoints": {"monitor": "val_miou"}}, "checkpoints"),
        ({"data": {"image_size": 128}}, "data"),
    ],
)
def test_what_is_of_another_task_is_refused(
    over: dict[str, Any], field: str, experiments: Experiments
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        experiments.compose({"task": "mean_colour", **over})
    assert list(refused.value.errors["spec"]) == [field]


def test_its_metrics_are_none_of_segmentation(experiments: Experiments) -> None:
    with pytest.raises(InvalidRequest) as refused:
        experiments.compose({"early_stopping": {"monitor": "val_within"}})
    assert "val_miou" in str(refused.value.errors)


def test_a_stored_spec_of_a_task_that_is_gone_is_told_of(
    experiments: Experiments, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = experiments.compose({"task": "mean_colour"}).to_dict()
    monkeypatch.delitem(descriptions.TASKS, "mean_colour")
    with pytest.raises(InvalidRequest, match="trains no task 'mean_colour'"):
        check_known(read_spec(stored))


def test_nothing_outside_of_it_knows_of_it() -> None:
    files = [path for part in ("trainyard", "workers") for path in (CONFIGS.parent / part).rglob("*.py")]
    assert len(files) > 300
    assert [path for path in files if "mean_colour" in path.read_text(encoding="utf-8")] == []


def _numbers(event: EpochEnd) -> dict[str, Any]:
    clock = ("images_per_second", "epoch_seconds")
    return {name: value for name, value in event.metrics.items() if name not in clock}
