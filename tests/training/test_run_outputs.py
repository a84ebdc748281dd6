"""What a run leaves behind: metrics, logs, checkpoints, picture, progress."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.conftest import CLASSES, CONFIGS, Run, tiny_spec
from trainyard.errors import NanLoss, StorageUnavailable
from trainyard.runs.events import CheckpointSaved, EpochEnd, Progress
from trainyard.spec.experiments import Experiments, load_spec
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.training.checkpoints.files import ABOUT, read_checkpoint, spec_hash
from workers.training.tasks.segmentation.network.networks import empty_network

COLUMNS = {
    "epoch", "step", "lr", "train_loss", "train_dice", "train_miou", "val_loss", "val_dice", "val_miou",
    "images_per_second", "epoch_seconds",
    *(f"{stage}_iou/{info.name}" for stage in ("train", "val") for info in CLASSES),
}  # fmt: skip


def test_rows_are_reported_and_logged_alike(run: Run) -> None:
    result = run.fit(epochs=2)

    rows = [event.metrics for event in run.of(EpochEnd)]
    assert all(set(row) == COLUMNS for row in rows)
    assert json.loads(json.dumps(rows)) == rows
    with RunFolder(run.folder).metrics_csv.open() as file:
        logged = list(csv.DictReader(file))
    assert [{name: float(value) for name, value in row.items()} for row in logged] == rows
    assert result.best == max(rows, key=lambda row: row["val_miou"])


def test_tensorboard_has_every_number(run: Run) -> None:
    run.fit(epochs=2)

    board = EventAccumulator(str(RunFolder(run.folder).tensorboard)).Reload()
    assert set(board.Tags()["scalars"]) >= COLUMNS
    assert [scalar.step for scalar in board.Scalars("val_miou")] == [3, 6]


def test_tensorboard_shows_figures_settings_and_scores(whole_run: Run) -> None:
    result = whole_run.fit(epochs=2)

    board = EventAccumulator(str(RunFolder(whole_run.folder).tensorboard)).Reload()
    assert {"overlay", "val-confusion"} <= {*board.Tags()["images"]}
    picture = cv2.imdecode(
        np.frombuffer(board.Images("overlay")[0].encoded_image_string, np.uint8), cv2.IMREAD_COLOR
    )
    assert picture is not None
    assert "spec/text_summary" in board.Tags()["tensors"]
    spec = board.Tensors("spec/text_summary")[0].tensor_proto.string_val[0].decode()
    assert '"architecture": "Unet"' in spec
    assert board.Scalars("best/val_miou")[0].value == pytest.approx(result.best["val_miou"])
    assert board.PluginTagToContent("hparams")


def test_checkpoint_rebuilds_the_model_without_pickle(run: Run) -> None:
    result = run.fit(epochs=2, spec=tiny_spec(checkpoints={"every_epochs": 2}))

    folder = RunFolder(run.folder)
    best = torch.load(folder.best_checkpoint, weights_only=True)
    about = best[ABOUT]
    network = empty_network(load_spec(about["spec"]).model, len(about["classes"]))
    weights = {name.removeprefix("network."): tensor for name, tensor in best["state_dict"].items()}
    network.load_state_dict(weights)
    assert [info["name"] for info in about["classes"]] == [info.name for info in CLASSES]
    assert about["mean"] == [0.33, 0.32, 0.34]
    assert about["epoch"] == result.best_epoch
    assert folder.epoch_checkpoint(2).read_bytes() == folder.last_checkpoint.read_bytes()
    beside = read_json(folder.best_checkpoint.with_name("best.ckpt.json"))
    assert beside == {
        "epoch": result.best_epoch,
        "step": result.best["step"],
        **{name: result.best[name] for name in ("train_loss", "val_loss", "val_miou", "val_dice")},
        "monitor": "val_miou",
        "monitored": result.best["val_miou"],
        "spec_hash": spec_hash(load_spec(about["spec"])),
        "kind": "best",
    }
    saved = run.of(CheckpointSaved)
    assert saved[0].kinds == ("last", "best")
    assert "epoch" in saved[1].kinds
    assert saved[1].file == "epoch=002.ckpt"


def test_overlay_shows_rows_of_three(whole_run: Run) -> None:
    whole_run.fit(epochs=1)

    picture = cv2.imread(str(RunFolder(whole_run.folder).figures / "overlay.png"))
    assert picture.shape[0] > 4 * 256
    assert picture.shape[1] == 3 * (256 + 8)


def test_progress_names_every_stage(whole_run: Run) -> None:
    whole_run.fit(epochs=2)

    stages = [event.stage for event in whole_run.of(Progress)]
    changes = [stage for stage, before in zip(stages, [None, *stages], strict=False) if stage != before]
    assert changes == ["starting", "sanity", "train", "val", "train", "val", "report"]
    training = [event for event in whole_run.of(Progress) if event.stage == "val"]
    assert all(event.steps_per_epoch == 3 and event.epochs == 2 for event in training)
    assert all(event.images_per_second for event in training)
    assert all(event.eta_low_seconds <= event.eta_seconds <= event.eta_high_seconds for event in training)
    assert training[0].eta_seconds > 0


def test_nan_loss_names_the_images(run: Run) -> None:
    encoder = empty_network(Experiments(CONFIGS).compose(tiny_spec()).model, 3).encoder.state_dict()
    weights = run.folder.with_name("nan.pt")
    torch.save(
        {name: tensor * (float("nan") if "conv1" in name else 1) for name, tensor in encoder.items()}, weights
    )

    spec = tiny_spec(model={**tiny_spec()["model"], "encoder_weights": "file:nan.pt"})
    with pytest.raises(NanLoss, match=r"drawn-12, drawn-13, drawn-14, drawn-15"):
        run.fit(spec=spec, weights_file=weights)


def test_size_is_rounded_up_with_a_notice(run: Run) -> None:
    spec = tiny_spec(
        model={"architecture": "FPN", "encoder": tiny_spec()["model"]["encoder"]},
        data={"image_size": 40, "batch_size": 4},
    )
    run.fit(spec=spec)

    (notice,) = run.notices
    assert "64 px" in notice.message
    assert read_checkpoint(RunFolder(run.folder).best_checkpoint)[ABOUT]["spec"]["data"]["image_size"] == 64


def test_loader_processes_and_mixed_precision_train_too(run: Run) -> None:
    spec = tiny_spec(data={"image_size": 32, "batch_size": 5, "loader_workers": 1}, precision="bf16-mixed")
    result = run.fit(epochs=2, spec=spec)

    assert (result.status, result.epoch, result.step) == ("completed", 2, 6)


def test_other_files_are_no_checkpoints(run: Run) -> None:
    file = run.folder.with_name("other.ckpt")
    file.write_bytes(b"no checkpoint")
    with pytest.raises(StorageUnavailable, match=r"other\.ckpt"):
        read_checkpoint(file)
