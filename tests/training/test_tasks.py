"""The two tasks, from the network to the files that a run leaves; and that a network can learn at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.conftest import CONFIGS, Run, draw_set, tiny_spec
from trainyard.errors import InvalidRequest
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json, write_json
from workers.prepared.version import IGNORE_INDEX
from workers.training.checkpoints.files import read_checkpoint
from workers.training.tasks.segmentation.labels.metrics import confusion
from workers.training.tasks.segmentation.network.networks import empty_network


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """The drawn set with its boxes taken for ground."""
    folder = draw_set(tmp_path / "discs", train=8, val=4)
    masks = np.fromfile(folder / "masks.bin", np.uint8)
    np.where(masks == 2, 0, masks).astype(np.uint8).tofile(folder / "masks.bin")
    index = read_json(folder / "index.json")
    write_json(folder / "index.json", {**index, "classes": index["classes"][:2]})
    return folder


def _binary(**over: Any) -> dict[str, Any]:
    return tiny_spec(model={**tiny_spec()["model"], "task": "binary"}, **over)


def test_a_binary_network_has_one_logit_with_its_threshold_at_nought() -> None:
    network = empty_network(Experiments(CONFIGS).compose(_binary()).model, 2).eval()
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 1, 32, 32)
    logits = torch.tensor([[[[-1.0, -0.1, 0.1, 3.0]]]])
    masks = torch.tensor([[[0, 1, 1, IGNORE_INDEX]]])
    assert confusion(logits, masks).tolist() == [[1, 0], [1, 1]]


def test_a_binary_run_has_a_score_for_both_classes(discs: Path, run_folder: Path) -> None:
    run = Run(run_folder, discs)
    result = run.fit(epochs=2, spec=_binary(optimization={"class_weighting": "auto"}))
    assert result.status == "completed"
    assert {"val_iou/ground", "val_iou/disc"} <= result.best.keys()
    assert 0 < result.best["val_miou"] < 1
    head = read_checkpoint(RunFolder(run_folder).best_checkpoint)["state_dict"]
    assert head["network.segmentation_head.0.weight"].shape[0] == 1


def test_a_binary_task_on_three_classes_is_refused(run: Run) -> None:
    with pytest.raises(InvalidRequest, match="exactly two classes"):
        run.fit(spec=_binary())


@pytest.mark.variants(1)
@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_eight_images_are_learnt_by_heart(task: str, tmp_path: Path, discs: Path, run_folder: Path) -> None:
    """The training images validate; only a network that fits them gets this far."""
    folder = discs if task == "binary" else draw_set(tmp_path / "eight", train=8, val=0)
    _validate_on_training_images(folder)
    spec = {
        "model": {"architecture": "Unet", "encoder": "tu-test_efficientnet", "task": task},
        "data": {"image_size": 64, "batch_size": 8, "val_every_epochs": 10},
        "augmentation": {"preset": "none"},
        "optimization": {"learning_rate": 0.005},
        "precision": "32",
        "export": {"onnx": False},
    }
    result = Run(run_folder, folder).fit(epochs=40, spec=spec)
    assert result.best["val_miou"] > 0.95


def _validate_on_training_images(folder: Path) -> None:
    index = read_json(folder / "index.json")
    train = [sample for sample in index["samples"] if sample["split"] == "train"]
    write_json(
        folder / "index.json",
        {**index, "samples": [*train, *({**sample, "split": "val"} for sample in train)]},
    )
