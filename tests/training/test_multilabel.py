"""Runs on a set whose classes overlap: what is read, counted, learnt, reported, exported and predicted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from torchmetrics.classification import (
    MultilabelAUROC,
    MultilabelF1Score,
    MultilabelJaccardIndex,
    MultilabelPrecision,
    MultilabelRecall,
)

from tests.training.conftest import CONFIGS, Run, tiny_spec
from tests.training.multilabel_set import OVERLAPPING, draw_overlapping
from trainyard.errors import InvalidRequest
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json, write_json
from workers.prepared.version import PreparedDataset
from workers.training.predict import main
from workers.training.tasks.segmentation.data.augmentation import Augmentation
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.data.crops import random_corner
from workers.training.tasks.segmentation.data.resizing import to_square
from workers.training.tasks.segmentation.data.squares import load, plain_squares
from workers.training.tasks.segmentation.labels.class_weights import count_pixels
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.mask_labels import has_class
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.labels.painting import colouring
from workers.training.tasks.segmentation.prediction.images import by_resize, by_tiles
from workers.training.tasks.segmentation.prediction.predictor import load_predictor
from workers.training.tasks.segmentation.report.evaluation import evaluate
from workers.training.tasks.segmentation.report.split import split_report

TASK = "multilabel"
MODEL = {**tiny_spec()["model"], "task": TASK}


def _logits(seed: int, images: int = 2) -> torch.Tensor:
    return torch.randn(images, 3, 16, 24, generator=torch.Generator().manual_seed(seed))


def test_masks_are_read_as_they_are_written() -> None:
    reading = reading_of(TASK, 3)
    masks = torch.arange(8, dtype=torch.uint8).view(1, 2, 4)
    truth = reading.truth(masks)
    assert truth.shape == (1, 3, 2, 4)
    assert truth[0, :, 1, 2].tolist() == [0, 1, 1]
    assert torch.equal(reading.decide(2 * truth - 1), masks)
    eight = torch.tensor([[[255]]], dtype=torch.uint8)
    assert reading_of(TASK, 8).truth(eight).sum() == 8


def test_scores_agree_with_torchmetrics() -> None:
    reading, scores = reading_of(TASK, 3), EpochScores(3, TASK)
    iou, dice = MultilabelJaccardIndex(3, average=None), MultilabelF1Score(3, average=None)
    for seed in (1, 2):
        logits, truth = _logits(seed), (_logits(seed + 10) > 0.4).float()
        scores.update(logits, truth, torch.tensor(1.0))
        iou.update(logits.sigmoid(), truth.long())
        dice.update(logits.sigmoid(), truth.long())
        counts = reading.count(reading.decide(logits), reading.decide(2 * truth - 1))
        assert int(counts.sum()) == 3 * truth[:, 0].numel()
    found = scores.compute()
    assert found.iou == pytest.approx(iou.compute().tolist(), abs=1e-6)
    assert found.miou == pytest.approx(iou.compute().mean().item(), abs=1e-6)
    assert found.dice == pytest.approx(dice.compute().mean().item(), abs=1e-6)


def test_what_lies_beyond_an_image_has_no_class() -> None:
    image, mask = np.zeros((20, 40, 3), np.uint8), np.full((20, 40), 0b111, np.uint8)
    _, framed = to_square(image, mask, 40, "letterbox", 0)
    assert (set(np.unique(framed[:10])), set(np.unique(framed[10:30]))) == ({0}, {0b111})
    turn = Experiments(CONFIGS).compose(
        {"augmentation": {"transforms": [{"name": "Rotate", "params": {"limit": [40, 40], "p": 1.0}}]}}
    )
    _, turned = Augmentation(turn.augmentation.transforms, 0)(image, mask, [1])
    assert set(np.unique(turned)) == {0, 0b111}


def test_crops_look_for_a_bit() -> None:
    mask = np.full((300, 200), 0b001, np.uint8)
    mask[280, 10] = 0b101
    for seed in range(10):
        top, left = random_corner(
            mask, 32, [2], lambda given, index: has_class(given, index, TASK, 3), np.random.default_rng(seed)
        )
        assert (mask[top : top + 32, left : left + 32] == 0b101).any()


def test_pixels_are_counted_for_each_of_their_classes(tmp_path: Path) -> None:
    prepared = PreparedDataset(draw_overlapping(tmp_path / "set", train=3, val=1))
    masks = np.stack([prepared.mask(sample) for sample in prepared.samples])
    expected = [int((masks >> index & 1).sum()) for index in range(3)]
    assert count_pixels(prepared, prepared.samples).tolist() == expected


def test_a_pixel_of_two_classes_has_their_mean_colour() -> None:
    colors = colouring(OVERLAPPING, TASK)(np.arange(256, dtype=np.uint8))
    assert colors[0b011].tolist() == [130, 40, 130]
    assert (colors[0].tolist(), colors[0b100].tolist()) == ([0, 0, 0], [40, 200, 40])


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_a_task_of_one_class_is_refused_on_such_a_set(tmp_path: Path, run_folder: Path, task: str) -> None:
    run = Run(run_folder, draw_overlapping(tmp_path / "set", train=2, val=1))
    with pytest.raises(InvalidRequest) as caught:
        run.fit(spec=tiny_spec(model={**MODEL, "task": task}))
    assert caught.value.errors["spec"]["model"]["task"] == ["multilabel: what this set is"]


def test_the_task_is_refused_on_an_ordinary_set(run: Run) -> None:
    with pytest.raises(InvalidRequest, match="The data set is multiclass"):
        run.fit(spec=tiny_spec(model=MODEL))


def test_the_report_agrees_with_torchmetrics(tmp_path: Path) -> None:
    prepared = PreparedDataset(draw_overlapping(tmp_path / "set", train=2, val=4))
    spec = Experiments(CONFIGS).compose(tiny_spec(model=MODEL))
    squares = SegmentationData(prepared, spec).val

    def forward(images: torch.Tensor) -> torch.Tensor:
        return images.permute(0, 3, 1, 2).float().index_select(1, torch.tensor([0, 2, 1])) / 40 - 3

    found = evaluate(forward, squares, 3, task=TASK, batch=3, device=torch.device("cpu"), seed=0)
    numbers = split_report("val", found, prepared.classes, [], []).numbers
    images, masks = load(squares, range(len(squares)))
    truth = reading_of(TASK, 3).truth(masks)
    sure = forward(images).sigmoid()

    rows = numbers["classes"]
    for name, kind in (
        ("iou", MultilabelJaccardIndex),
        ("dice", MultilabelF1Score),
        ("precision", MultilabelPrecision),
        ("recall", MultilabelRecall),
        ("roc_auc", MultilabelAUROC),
    ):
        expected = kind(3, average=None)(sure, truth.long()).tolist()
        assert [row[name] for row in rows] == pytest.approx(expected, abs=2e-3 if name == "roc_auc" else 1e-6)
    assert [row["truth_share"] for row in rows] == pytest.approx(truth.mean(dim=(0, 2, 3)).tolist())
    assert numbers["pixel_accuracy"] == pytest.approx(((sure > 0.5) == truth).float().mean().item())
    assert numbers["ece"] == pytest.approx(_ece(sure.numpy(), truth.numpy()), abs=1e-6)
    assert all(row["boundary_f"] is not None for row in rows)
    assert (numbers["ignored_pixels"], numbers["labelled_pixels"]) == (0, masks.numel())


def _ece(sure: Any, truth: Any) -> float:
    confidence = np.maximum(sure, 1 - sure).ravel()
    right = ((sure > 0.5) == (truth > 0)).ravel()
    places = np.minimum((confidence * 15).astype(int), 14)
    gaps = [
        abs(right[places == place].mean() - confidence[places == place].mean()) * (places == place).mean()
        for place in np.unique(places)
    ]
    return float(sum(gaps))


@dataclass
class Learnt:
    """A finished run on a set that it has learnt by heart."""

    folder: RunFolder
    best: dict[str, Any]
    prepared: PreparedDataset
    image: Path


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    root = tmp_path_factory.mktemp("multilabel")
    folder = draw_overlapping(root / "set", train=6, val=0)
    index = read_json(folder / "index.json")
    again = [{**sample, "split": "val"} for sample in index["samples"]]
    write_json(folder / "index.json", {**index, "samples": [*index["samples"], *again]})
    spec = {
        "model": {"architecture": "Unet", "encoder": "tu-test_efficientnet", "task": TASK},
        "data": {"image_size": 64, "batch_size": 3, "val_every_epochs": 10},
        "augmentation": {"preset": "none"},
        "optimization": {"learning_rate": 0.005, "class_weighting": "auto"},
        "precision": "32",
        "export": {"with_preprocessing": True},
    }
    result = Run(root / "run", folder).fit(epochs=40, spec=spec)
    prepared = PreparedDataset(folder)
    image = root / "image.png"
    cv2.imwrite(str(image), prepared.image(prepared.samples[0])[..., ::-1])
    return Learnt(RunFolder(root / "run"), result.best, prepared, image)


@pytest.mark.thorough
def test_six_images_are_learnt_by_heart(learnt: Learnt) -> None:
    assert learnt.best["val_miou"] > 0.95
    assert {f"val_iou/{info.name}" for info in OVERLAPPING} <= learnt.best.keys()


@pytest.mark.thorough
def test_the_report_and_its_pictures_are_there(learnt: Learnt) -> None:
    report = read_json(learnt.folder.report_json)
    val = report["splits"]["val"]
    assert np.shape(val["confusion"]["counts"]) == (3, 2, 2)
    assert val["miou"] == pytest.approx(learnt.best["val_miou"], abs=0.01)
    assert "above 0.5" in report["definitions"]["Classes of a pixel"]
    page = learnt.folder.report_html.read_text()
    assert 'class="matrix"' not in page
    assert (learnt.folder.path / val["worst"][0]["figure"]).exists()
    assert (learnt.folder.figures / "overlay.png").exists()


def test_the_onnx_files_answer_in_bits_and_the_card_says_so(learnt: Learnt) -> None:
    card = read_json(learnt.folder.export_card)
    assert (card["task"], card["output"]["dtype"]) == (TASK, "uint8")
    assert "bit c (value 2^c)" in card["output"]["meaning"]
    assert all(file["val_miou"] > 0.95 for file in card["files"])
    session = onnxruntime.InferenceSession(learnt.folder.onnx)
    square = plain_squares(
        learnt.prepared,
        learnt.prepared.samples,
        Experiments(CONFIGS).compose({"data": {"image_size": 64}, "model": MODEL}),
    )
    images, masks = load(square, range(6))
    (answer,) = session.run(None, {"image": images.numpy()})
    assert np.mean(answer == masks.numpy()) > 0.97
    facts = session.get_modelmeta().custom_metadata_map
    assert (facts["trainyard.task"], facts["trainyard.threshold"]) == (TASK, "0.5")


def test_predictions_are_bits_at_any_size(learnt: Learnt) -> None:
    sample = learnt.prepared.samples[0]
    truth, image = learnt.prepared.mask(sample), np.array(learnt.prepared.image(sample))
    for path in (learnt.folder.best_checkpoint, learnt.folder.onnx):
        assert np.mean(by_resize(load_predictor(path), image) == truth) > 0.95
    doubled = cv2.resize(image, (120, 100))
    tiled = by_tiles(load_predictor(learnt.folder.best_checkpoint), np.asarray(doubled, np.uint8))
    assert (tiled.shape, tiled.max() < 8) == ((100, 120), True)


def test_the_command_writes_a_mask_for_each_class(
    learnt: Learnt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(learnt.folder.best_checkpoint), str(learnt.image), "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "image.0.png",
        "image.1.png",
        "image.2.png",
        "image.overlay.png",
    }
    disc = cv2.imread(str(tmp_path / "image.0.png"), cv2.IMREAD_UNCHANGED)
    truth = has_class(learnt.prepared.mask(learnt.prepared.samples[0]), 0, TASK, 3)
    assert np.mean((disc == 255) == truth) > 0.97
    assert set(np.unique(disc)) == {0, 255}
    assert "disc" in capsys.readouterr().out
