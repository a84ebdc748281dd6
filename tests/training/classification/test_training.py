"""Classification by the engine: it learns, and epochs, stops, resumes, forks and ends as of any task."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.classification.conftest import NAMES, SEVERAL, tiny
from tests.training.conftest import TINY_ENCODER, Run, tiny_spec
from trainyard.runs.events import EpochEnd, SignalApplied, WeightsLoaded
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import read_checkpoint

SCORES = ("f1", "map", "auroc", "kappa", "recall_micro", "recall_macro")


def rows(run: Run) -> list[dict[str, Any]]:
    """What the epochs came to, without what the clock says."""
    clock = ("images_per_second", "epoch_seconds")
    return [
        {name: value for name, value in event.metrics.items() if name not in clock}
        for event in run.of(EpochEnd)
    ]


def test_it_learns_shapes(labelled_run: Run) -> None:
    spec = tiny(
        augmentation={"preset": "none"},
        data={"fit": "stretch", "eval_topk": [2]},
        optimization={"learning_rate": 0.01},
    )
    result = labelled_run.fit(epochs=15, spec=spec)
    found = rows(labelled_run)
    assert result.best["val_acc1"] >= 0.85
    assert found[-1]["train_loss"] < 0.8 * found[0]["train_loss"]
    of_train = [f"train_{name}" for name in ("loss", "acc1", "acc2")]
    of_val = [f"val_{name}" for name in ("loss", "acc1", "acc2", *SCORES, *(f"f1/{one}" for one in NAMES))]
    assert list(found[0]) == ["epoch", "step", "lr", *of_train, *of_val]
    assert all(row["val_acc2"] >= row["val_acc1"] == row["val_recall_micro"] for row in found)


def test_it_learns_several_labels(run_folder: Path, multilabelled: Path) -> None:
    run = Run(run_folder, multilabelled)
    over = {**SEVERAL, "augmentation": {"preset": "none"}}
    over["optimization"] = {**SEVERAL["optimization"], "learning_rate": 0.01, "class_weighting": "auto"}
    run.fit(epochs=15, spec=tiny(**over, data={"fit": "letterbox"}))
    assert rows(run)[-1]["val_map"] > 0.8


@pytest.mark.parametrize(
    "over",
    [
        {"augmentation": {"mixup_alpha": 0.4, "cutmix_alpha": 1.0}},
        {"data": {"class_sampling": "balanced"}, "optimization": {"ema_decay": 0.9}},
    ],
    ids=["blended", "balanced"],
)
def test_a_run_that_is_stopped_goes_on_at_the_very_batch(labelled_run: Run, over: dict[str, Any]) -> None:
    spec = tiny(**over)
    labelled_run.fit(epochs=2, spec=spec)
    expected, weights = rows(labelled_run), _weights(labelled_run)
    shutil.rmtree(labelled_run.folder)

    labelled_run.fit(epochs=2, spec=spec, signals={4: Signals(stop="now", stop_version=1)})
    assert rows(labelled_run) == []
    labelled_run.fit(epochs=2, spec=spec, resume=True)
    assert rows(labelled_run) == expected
    assert all(torch.equal(one, weights[name]) for name, one in _weights(labelled_run).items())


def test_the_target_moves_while_it_trains(labelled_run: Run) -> None:
    result = labelled_run.fit(epochs=5, spec=tiny(), signals={3: Signals(epochs=2, epochs_version=1)})
    assert (result.status, result.epoch, result.target) == ("completed", 2, 2)
    assert [event.value for event in labelled_run.of(SignalApplied)] == ["2"]


def test_patience_ends_it(labelled_run: Run) -> None:
    spec = tiny(early_stopping={"monitor": "val_f1", "patience": 1, "min_delta": 1.0})
    assert labelled_run.fit(epochs=9, spec=spec).epoch == 2


def test_a_frozen_encoder_stays_and_its_head_learns(labelled_run: Run) -> None:
    labelled_run.fit(epochs=1, spec=tiny(optimization={"freeze_encoder_epochs": 1, "learning_rate": 0.01}))
    trained = _weights(labelled_run)
    labelled_run.fit(epochs=1, spec=tiny(optimization={"freeze_encoder_epochs": 1, "learning_rate": 0.02}))
    other = _weights(labelled_run)
    moved = {name for name, tensor in trained.items() if not torch.equal(tensor, other[name])}
    assert moved == {"network.head.weight", "network.head.bias"}


def test_it_begins_with_the_encoder_of_a_segmentation(
    labelled_run: Run, prepared: Path, tmp_path: Path
) -> None:
    of_masks = Run(tmp_path / "masks", prepared)
    encoder = {"encoder": "resnet18"}
    of_masks.fit(epochs=1, spec=tiny_spec(model=encoder))
    checkpoint = RunFolder(of_masks.folder).best_checkpoint
    labelled_run.fit(epochs=1, spec=tiny(model=encoder), init_checkpoint=checkpoint)
    (loaded,) = labelled_run.of(WeightsLoaded)
    assert loaded.loaded_layers == loaded.total_layers - 1
    assert [one.partition(" ")[0] for one in loaded.skipped] == ["head"]
    shutil.rmtree(of_masks.folder)


def test_epochs_may_be_validated_on_some_images(labelled_run: Run) -> None:
    job = labelled_run.job(epochs=1, spec=tiny(data={"val_max_images": 3}))
    assert labelled_run.fit_job(job).best["val_loss"] is not None


def test_a_batch_is_found_for_it(labelled_run: Run) -> None:
    assert labelled_run.fit(epochs=1, spec=tiny(data={"batch_size": "auto"})).step >= 1


@pytest.mark.thorough
def test_two_processes_score_every_image_once(run_folder: Path, labelled: Path) -> None:
    """Nine images of two ranks, five and four: as one process would."""
    run = Run(run_folder, labelled)
    spec = tiny(compute={"devices": 2}, data={"batch_size": 2}, model={"encoder": TINY_ENCODER})
    result = run.fit(epochs=1, spec=spec)
    assert result.best["val_acc1"] * 9 == pytest.approx(round(result.best["val_acc1"] * 9))
    assert result.best["val_auroc"] is not None


def _weights(run: Run) -> dict[str, torch.Tensor]:
    """Of the newest checkpoint."""
    found: dict[str, torch.Tensor] = read_checkpoint(RunFolder(run.folder).last_checkpoint)["state_dict"]
    return found
