"""Which epoch is the best, when a run ends early, and which checkpoints stay."""

import json
from typing import Any

import pytest

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import EpochEnd
from trainyard.storage.files import RunFolder
from workers.training.epochs.early_stopping import Patience
from workers.training.epochs.epoch_rows import History

HOPELESS: dict[str, Any] = {"learning_rate": 1e-8, "schedule": {"warmup_fraction": 0.0}}


def _row(**metrics: float | None) -> dict[str, Any]:
    return {"val_loss": 1.0, "val_miou": 0.5, **metrics}


@pytest.mark.parametrize(
    ("metric", "values", "out"),
    [
        ("val_loss", [3, 2, 2, 1, 1, 1], [False, False, False, False, False, True]),
        ("val_miou", [0.1, 0.2, 0.2, 0.1], [False, False, False, True]),
        ("val_miou", [None, None, 0.1, None], [False, True, False, False]),
    ],
)
def test_patience_runs_out_after_two_epochs_without_a_gain(
    metric: str, values: list[float | None], out: list[bool]
) -> None:
    patience = Patience(metric, 2, 0.0)
    assert [patience.is_out(_row(**{metric: value})) for value in values] == out


def test_a_gain_within_the_delta_is_none() -> None:
    patience = Patience("val_miou", 2, 0.1)
    assert [patience.is_out(_row(val_miou=value)) for value in (0.5, 0.55, 0.59)] == [False, False, True]


@pytest.mark.parametrize(("monitor", "best"), [("val_miou", 2), ("val_loss", 3), ("val_dice", 1)])
def test_the_monitor_decides_which_epoch_is_the_best(monitor: str, best: int) -> None:
    history = History(monitor, None)
    for epoch, (miou, loss, dice) in enumerate([(0.1, 3, 0.9), (0.9, 2, 0.1), (0.5, 1, 0.5)], start=1):
        history.add({"epoch": epoch, "val_miou": miou, "val_loss": loss, "val_dice": dice})
    assert history.best is not None
    assert history.best["epoch"] == best


def test_a_run_that_learns_no_more_ends_early_and_may_go_on(run: Run) -> None:
    spec = tiny_spec(
        optimization=HOPELESS, early_stopping={"monitor": "val_loss", "patience": 2, "min_delta": 0.1}
    )
    result = run.fit(epochs=9, spec=spec)
    assert (result.status, result.epoch) == ("completed", 3)
    (notice,) = run.notices
    assert "epoch 3" in notice.message
    assert "val_loss" in notice.message

    again = run.fit(epochs=9, spec=spec, resume=True)
    assert (again.status, again.epoch, run.of(EpochEnd)) == ("completed", 3, [])
    more = run.fit(epochs=10, spec=spec, resume=True)
    assert (more.status, more.epoch) == ("completed", 5)


def test_patience_outlasts_a_resume(run: Run) -> None:
    spec = tiny_spec(
        optimization=HOPELESS, early_stopping={"monitor": "val_loss", "patience": 2, "min_delta": 0.1}
    )
    run.fit(epochs=2, spec=spec)
    result = run.fit(epochs=9, spec=spec, resume=True)
    assert result.epoch == 3


def test_the_newest_of_the_kept_epochs_stay(run: Run) -> None:
    run.fit(epochs=4, spec=tiny_spec(checkpoints={"every_epochs": 1, "keep_last": 2}))
    kept = sorted(path.name for path in RunFolder(run.folder).checkpoints.iterdir())
    assert kept == sorted(
        f"{name}.ckpt{ending}"
        for name in ("best", "last", "epoch=003", "epoch=004")
        for ending in ("", ".json")
    )


def test_the_monitored_value_stands_beside_the_checkpoint(run: Run) -> None:
    result = run.fit(epochs=2, spec=tiny_spec(checkpoints={"monitor": "val_loss"}))
    beside = json.loads((RunFolder(run.folder).checkpoints / "best.ckpt.json").read_text())
    losses = [event.metrics["val_loss"] for event in run.of(EpochEnd)]
    assert (beside["monitor"], beside["monitored"]) == ("val_loss", min(losses))
    assert result.best["val_loss"] == min(losses)
