"""Validation of every n-th epoch: which epochs have a score, and that nothing takes an old one for theirs."""

import csv
from random import Random
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import EpochEnd, Progress
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.training.checkpoints.files import read_checkpoint
from workers.training.epochs.epoch_rows import History
from workers.training.epochs.validation import due_after, is_due

HOPELESS: dict[str, Any] = {"learning_rate": 1e-8, "schedule": {"warmup_fraction": 0.0}}
DATA: dict[str, Any] = {"image_size": 32, "batch_size": 4}
TIMES = ("images_per_second", "epoch_seconds")


def every(epochs: int, **over: Any) -> dict[str, Any]:
    return tiny_spec(data={**DATA, "val_every_epochs": epochs}, **over)


def rows(run: Run) -> list[dict[str, Any]]:
    return [event.metrics for event in run.of(EpochEnd)]


def scored(run: Run) -> list[int]:
    return [row["epoch"] for row in rows(run) if row["val_loss"] is not None]


def test_which_epochs_are_validated() -> None:
    for n in range(1, 6):
        for target in range(1, 12):
            due = [epoch for epoch in range(1, target + 1) if is_due(epoch, n, target)]
            assert due == sorted({*range(n, target + 1, n), target})
            for epoch in range(target + 2):
                assert due_after(epoch, n, target) == len([one for one in due if one > epoch])


def test_rows_between_have_every_column_and_no_score_of_validation(whole_run: Run) -> None:
    result = whole_run.fit(epochs=5, spec=every(3))
    assert scored(whole_run) == [3, 5]
    found = rows(whole_run)
    assert len({tuple(row) for row in found}) == 1, "all rows have the same names in the same order"
    for row in found:
        values = {value is None for name, value in row.items() if name.startswith("val_")}
        assert values == ({True} if row["epoch"] in (1, 2, 4) else {False})
        assert all(value is not None for name, value in row.items() if not name.startswith("val_"))
    assert result.best in [found[2], found[4]]

    folder = RunFolder(whole_run.folder)
    with folder.metrics_csv.open() as file:
        assert [bool(row["val_miou"]) for row in csv.DictReader(file)] == [False, False, True, False, True]
    board = EventAccumulator(str(folder.tensorboard)).Reload()
    assert [scalar.step for scalar in board.Scalars("val_loss")] == [9, 15]
    assert [scalar.step for scalar in board.Scalars("train_loss")] == [3, 6, 9, 12, 15]
    assert read_json(folder.last_checkpoint.with_name("last.ckpt.json"))["val_miou"] == found[4]["val_miou"]
    assert "NaN" not in folder.report_html.read_text()


def test_a_checkpoint_of_an_epoch_without_score_says_so(run: Run) -> None:
    run.fit(epochs=4, spec=every(4, checkpoints={"every_epochs": 1}))
    folder = RunFolder(run.folder)
    beside = [read_json(folder.checkpoints / f"epoch=00{epoch}.ckpt.json") for epoch in (1, 4)]
    assert (beside[0]["val_miou"], beside[0]["monitored"]) == (None, None)
    assert beside[1]["val_miou"] == rows(run)[3]["val_miou"]


@pytest.mark.variants(2)
@pytest.mark.parametrize("monitor", ["val_miou", "val_loss", "val_dice", "train_loss"])
def test_only_an_epoch_with_a_score_is_the_best(run: Run, monitor: str) -> None:
    result = run.fit(epochs=5, spec=every(2, checkpoints={"monitor": monitor}))
    assert scored(run) == [2, 4, 5]
    assert result.best_epoch in (2, 4, 5)
    best = {"val_loss": min, "train_loss": min}.get(monitor, max)
    assert result.best[monitor] == best(row[monitor] for row in rows(run) if row["val_loss"] is not None)
    assert read_checkpoint(RunFolder(run.folder).best_checkpoint)["trainyard"]["epoch"] == result.best_epoch


def test_a_row_without_score_is_never_better() -> None:
    history = History("val_miou", None)
    row = {"epoch": 1, "val_loss": None, "val_miou": None}
    history.add(row)
    assert (history.best, history.scored_row, history.improved) == (None, None, False)
    history.add({**row, "epoch": 2, "val_loss": 2.0})
    history.add({**row, "epoch": 3})
    assert history.best == {"epoch": 2, "val_loss": 2.0, "val_miou": None}
    assert not history.improved


@pytest.mark.variants(4)
@pytest.mark.parametrize("reading", range(2, 16))
def test_the_last_epoch_is_validated_whenever_the_target_is_lowered(run: Run, reading: int) -> None:
    """Epochs of three batches and one reading at their end; validation has two more."""
    result = run.fit(epochs=9, spec=every(7), signals={reading: Signals(epochs=2, epochs_version=1)})
    assert result.status == "completed"
    assert scored(run) == [result.epoch]
    assert result.epoch == (2 if reading <= 9 else 3 if reading <= 13 else 4)
    assert result.best_epoch == result.epoch


@pytest.mark.variants(4)
@pytest.mark.parametrize("reading", range(2, 14))
def test_the_last_epoch_is_validated_when_a_run_is_stopped_after_it(run: Run, reading: int) -> None:
    result = run.fit(epochs=9, spec=every(7), signals={reading: Signals(stop="epoch", stop_version=1)})
    assert (result.status, scored(run)) == ("stopped", [result.epoch])
    assert result.epoch == (reading + 2) // 4


def test_a_stop_at_once_waits_for_no_validation(run: Run) -> None:
    result = run.fit(epochs=9, spec=every(7), signals={7: Signals(stop="now", stop_version=1)})
    assert (result.status, result.epoch, result.best_epoch, scored(run)) == ("stopped", 1, None, [])
    more = run.fit(epochs=3, spec=every(7), resume=True)
    assert (more.status, scored(run), more.best_epoch) == ("completed", [3], 3)


def test_a_target_that_is_raised_again_lets_the_run_go_on(run: Run) -> None:
    lowered, raised = Signals(epochs=1, epochs_version=1), Signals(epochs=4, epochs_version=2)
    result = run.fit(epochs=9, spec=every(7), signals={3: lowered, 6: raised})
    assert (result.status, result.epoch, scored(run)) == ("completed", 4, [1, 4])


@pytest.mark.parametrize("monitor", ["val_loss", "train_loss"])
def test_patience_counts_validated_epochs(run: Run, monitor: str) -> None:
    stopping = {"monitor": monitor, "patience": 2, "min_delta": 0.1}
    result = run.fit(epochs=20, spec=every(2, optimization=HOPELESS, early_stopping=stopping))
    assert (result.status, result.epoch, scored(run)) == ("completed", 6, [2, 4, 6])
    (notice,) = run.notices
    assert "2 validated epochs" in notice.message


def test_plateau_counts_validated_epochs(run: Run) -> None:
    schedule = {"name": "plateau", "warmup_fraction": 0.0, "patience": 1, "drop_factor": 0.5}
    learns_nothing = {"learning_rate": 1e-8, "schedule": schedule}
    run.fit(epochs=6, spec=every(2, optimization=learns_nothing))
    losses = [row["val_loss"] for row in rows(run)]
    drops = 0
    for epoch, row in enumerate(rows(run), start=1):
        assert row["lr"] == pytest.approx(1e-8 * 0.5**drops)
        earlier = [loss for loss in losses[: epoch - 1] if loss is not None]
        drops += losses[epoch - 1] is not None and bool(earlier) and losses[epoch - 1] >= min(earlier)


@pytest.mark.variants(1)
@pytest.mark.parametrize("seed", range(2))
def test_a_run_left_at_random_moments_computes_what_an_unbroken_one_does(run: Run, seed: int) -> None:
    chance = Random(seed)
    stopping = {"monitor": "val_loss", "patience": 50}
    spec = every(2, early_stopping=stopping, compute={"deterministic": True})
    run.fit(epochs=5, spec=spec)
    unbroken, found = without_times(run), []
    expected = read_checkpoint(RunFolder(run.folder).last_checkpoint)["state_dict"]
    best = read_checkpoint(RunFolder(run.folder).best_checkpoint)["trainyard"]["epoch"]
    for attempt in range(5):
        wish = chance.choice([Signals(stop="now", stop_version=1), Signals(drain=True)])
        run.fit(epochs=5, spec=spec, signals={chance.randrange(2, 14): wish}, resume=attempt > 0)
        found += without_times(run)
    run.fit(epochs=5, spec=spec, resume=True)
    found += without_times(run)
    assert found == unbroken
    reached = read_checkpoint(RunFolder(run.folder).last_checkpoint)["state_dict"]
    assert all(torch.equal(expected[name], reached[name]) for name in expected)
    assert read_checkpoint(RunFolder(run.folder).best_checkpoint)["trainyard"]["epoch"] == best


def without_times(run: Run) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows(run)]


@pytest.mark.thorough
@pytest.mark.skipif(torch.cuda.is_available(), reason="two processes take two GPUs where there are any")
def test_two_ranks_agree_on_the_epochs_that_are_validated(run: Run) -> None:
    spec = tiny_spec(
        data={"image_size": 32, "batch_size": 2, "val_every_epochs": 5},
        compute={"devices": 2, "strategy": "auto"},
    )
    result = run.fit(epochs=9, spec=spec, signals={3: Signals(epochs=2, epochs_version=1)})
    assert (result.status, result.epoch, scored(run)) == ("completed", 2, [2])


def test_progress_is_in_validation_only_where_there_is_one(run: Run) -> None:
    run.fit(epochs=3, spec=every(3))
    stages = [event.stage for event in run.of(Progress)]
    changes = [stage for stage, before in zip(stages, [None, *stages], strict=False) if stage != before]
    assert changes == ["starting", "sanity", "train", "val"]


def test_metrics_table_of_a_resumed_run_keeps_its_empty_scores(run: Run) -> None:
    run.fit(epochs=3, spec=every(2), signals={7: Signals(drain=True)})
    run.fit(epochs=3, spec=every(2), resume=True)
    with RunFolder(run.folder).metrics_csv.open() as file:
        table = list(csv.DictReader(file))
    assert [row["epoch"] for row in table if row["val_loss"]] == ["2", "3"]
    assert [row["epoch"] for row in table if row["train_loss"]] == ["1", "2", "3"]
