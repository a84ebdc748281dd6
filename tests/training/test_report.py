"""The evaluation report: its numbers against other libraries and by hand, and what it looks like."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor
from torchmetrics.classification import (
    MulticlassCalibrationError,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassJaccardIndex,
    MulticlassPrecision,
    MulticlassRecall,
)

from tests.training.conftest import CLASSES, CONFIGS, Run, draw_set, tiny_spec
from trainyard.runs.signals import Signals
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.prepared.version import IGNORE_INDEX, PreparedDataset, Uint8
from workers.training.checkpoints.files import ModelCard
from workers.training.network.normalization import HALF
from workers.training.report import calibration, curves
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, load, plain_squares
from workers.training.tasks.segmentation.report import boundary, evaluation
from workers.training.tasks.segmentation.report.split import split_report
from workers.training.tasks.segmentation.report.write import write_report

C = 4


def _pixels(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Logits (C, P) that know something of the truth, and the truth (P,)."""
    numbers = torch.Generator().manual_seed(seed)
    truth = torch.randint(0, C, (count,), generator=numbers)
    logits = 2 * torch.randn(C, count, generator=numbers)
    return logits + 1.5 * torch.nn.functional.one_hot(truth, C).T, truth


def test_curves_agree_with_sklearn_on_scores_so_rounded() -> None:
    scores = curves.CurveScores(C)
    parts = [_pixels(count, seed) for seed, count in enumerate((4000, 3000))]
    for logits, truth in parts:
        scores.add(logits.softmax(dim=0), truth)
    probabilities = torch.cat([logits for logits, _ in parts], dim=1).softmax(dim=0)
    truth = torch.cat([truth for _, truth in parts]).numpy()
    rounded = curves.bins_of(probabilities).numpy()
    for index, found in enumerate(scores.compute()):
        own = truth == index
        assert found.roc_auc == pytest.approx(roc_auc_score(own, rounded[index]), abs=1e-6)
        assert found.average_precision == pytest.approx(
            average_precision_score(own, rounded[index]), abs=1e-6
        )
        exact = probabilities[index].numpy()
        assert found.roc_auc == pytest.approx(roc_auc_score(own, exact), abs=5e-4), "rounding costs little"
        assert found.roc[0] == (0, 0)
        assert found.roc[-1] == (1, 1)
        assert len(found.roc) <= 202


def test_curves_without_a_class_or_without_the_rest() -> None:
    scores = curves.CurveScores(2)
    scores.add(torch.tensor([[0.9, 0.6], [0.1, 0.4]]), torch.tensor([0, 0]))
    first, second = scores.compute()
    assert (first.roc_auc, first.average_precision) == (None, 1.0)
    assert (second.roc_auc, second.average_precision, second.pr) == (None, None, [])


def test_calibration_agrees_with_torchmetrics() -> None:
    scores = calibration.CalibrationScores()
    reference = MulticlassCalibrationError(C, n_bins=calibration.BINS, norm="l1")
    for seed in (1, 2):
        logits, truth = _pixels(5000, seed)
        probabilities = logits.double().softmax(dim=0)
        scores.add(probabilities, truth)
        reference.update(probabilities.T, truth)
    assert scores.error() == pytest.approx(float(reference.compute()), abs=1e-6)
    assert sum(bin.pixels for bin in scores.bins()) == 10_000
    assert calibration.CalibrationScores().error() is None


def test_boundary_score_by_brute_force() -> None:
    numbers = np.random.default_rng(5)
    truth = np.zeros((40, 50), np.uint8)
    truth[8:25, 10:30] = 1
    truth[30:, 35:] = IGNORE_INDEX
    predicted = np.roll(truth, (2, 1), (0, 1)) % 2
    predicted[numbers.random(truth.shape) < 0.02] = 2
    scores = boundary.BoundaryScores(4)
    scores.add(truth, predicted)
    found = scores.compute()
    assert found[:2] == pytest.approx([_brute_force(truth, predicted, index) for index in (0, 1)])
    assert found[2:] == [0.0, None], "claimed only, and nowhere"


def _brute_force(truth: Uint8, predicted: Uint8, index: int) -> float:
    """The definition of boundary.py with every distance computed."""
    seen = np.where(truth == IGNORE_INDEX, IGNORE_INDEX, predicted)

    def line(classes: Uint8) -> list[tuple[int, int]]:
        height, width = classes.shape
        around = ((0, 1), (1, 0), (0, -1), (-1, 0))
        return [
            (y, x)
            for y, x in np.argwhere(classes == index)
            if any(
                0 <= y + dy < height
                and 0 <= x + dx < width
                and classes[y + dy, x + dx] not in (index, IGNORE_INDEX)
                for dy, dx in around
            )
        ]

    def near(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
        reach = boundary.tolerance(*truth.shape)
        close = [min(np.hypot(y - v, x - u) for v, u in others) <= reach for y, x in some]
        return float(np.mean(close))

    precision, recall = near(line(seen), line(truth)), near(line(truth), line(seen))
    return 2 * precision * recall / (precision + recall)


def test_pixel_scores_agree_with_torchmetrics(prepared: Path) -> None:
    squares, forward = _squares(prepared), _oracle(0.35)
    found = evaluation.evaluate(forward, squares, 3, batch=3, device=torch.device("cpu"), seed=0)
    images, masks = load(squares, range(len(squares)))
    predicted, masks = forward(images).argmax(dim=1), masks.long()

    def reference(kind: type) -> list[float]:
        return kind(3, average=None, ignore_index=IGNORE_INDEX)(predicted, masks).tolist()

    rows = _rows(found)
    for name, kind in (
        ("iou", MulticlassJaccardIndex),
        ("dice", MulticlassF1Score),
        ("precision", MulticlassPrecision),
        ("recall", MulticlassRecall),
    ):
        assert [row[name] for row in rows] == pytest.approx(reference(kind), abs=1e-6)
    matrix = MulticlassConfusionMatrix(3, ignore_index=IGNORE_INDEX)(predicted, masks)
    assert torch.equal(found.counts, matrix)
    assert found.ignored_pixels == int((masks == IGNORE_INDEX).sum())


def _rows(found: evaluation.Evaluation) -> list[dict[str, float]]:
    return list(split_report("val", found, CLASSES, [], []).numbers["classes"])


def _squares(prepared: Path, split: str = "val") -> SegmentationDataset:
    dataset = PreparedDataset(prepared)
    spec = Experiments(CONFIGS).compose(tiny_spec())
    return plain_squares(dataset, [s for s in dataset.samples if s.split == split], spec)


def _oracle(noise: float) -> evaluation.Forward:
    """Logits from the drawn colours, with noise from the pixels themselves: the same for the same image."""

    def forward(images: Tensor) -> Tensor:
        pixels = images.permute(0, 3, 1, 2).float() / 255
        red, green, blue = pixels[:, 0], pixels[:, 1], pixels[:, 2]
        wobble = noise * torch.sin(1000 * green)
        return torch.stack([0.3 + wobble, red - blue - wobble, blue - red + wobble], dim=1)

    return forward


def test_worst_images_come_first_and_random_ones_by_the_seed(tmp_path: Path) -> None:
    squares = _squares(draw_set(tmp_path / "many", train=1, val=30))
    device = torch.device("cpu")
    found = [
        evaluation.evaluate(_oracle(0.35), squares, 3, batch=batch, device=device, seed=4) for batch in (1, 8)
    ]
    assert found[0].worst == found[1].worst
    assert found[0].random == found[1].random
    scores = [image.miou for image in found[0].worst]
    assert len(scores) == evaluation.WORST
    assert scores == sorted(scores)
    assert len({image.index for image in found[0].random}) == evaluation.RANDOM
    known = {image.index: image.miou for image in found[0].worst}
    others = [image.miou for image in found[0].random if image.index not in known]
    assert min(others) >= max(scores)


class _Page(HTMLParser):
    """What a page refers to, and its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "data", "srcset")]
        assert not any(name.startswith("on") for name, _ in attrs)


def test_report_of_a_run(whole_run: Run) -> None:
    result = whole_run.fit(epochs=2)

    folder = RunFolder(whole_run.folder)
    report = read_json(folder.report_json)
    val = report["splits"]["val"]
    assert list(report["splits"]) == ["val"]
    assert val["miou"] == pytest.approx(result.best["val_miou"], abs=1e-6)
    assert [row["iou"] for row in val["classes"]] == pytest.approx(
        [result.best[f"val_iou/{info.name}"] for info in CLASSES], abs=1e-6
    )
    assert (val["images"], report["checkpoint"]["epoch"]) == (8, result.best_epoch)
    assert "absent classes are left out" in report["definitions"]["mIoU"]
    assert "32 x 32" in report["input"]["text"]
    assert report["times"]["epochs"] == 2
    for listed in (*val["worst"], *val["random"]):
        strip = cv2.imread(str(folder.path / listed["figure"]))
        assert strip.shape == (192, 4 * 192 + 3 * 6, 3)
    page = _Page(folder.report_html.read_text())
    assert "script" not in page.tags
    assert all(source.startswith(("data:image/webp;base64,", "#")) for source in page.sources)
    assert page.tags.count("img") == 16


def test_stopped_run_has_no_report(whole_run: Run) -> None:
    whole_run.fit(epochs=2)
    whole_run.fit(epochs=2, signals={3: Signals(stop="epoch", stop_version=1)})

    assert not RunFolder(whole_run.folder).report_json.exists()
    assert not RunFolder(whole_run.folder).report_html.exists()


def test_test_split_is_reported_and_names_are_escaped(tmp_path: Path) -> None:
    evil = '<script>alert("&")</script>'
    folder = draw_set(tmp_path / "set", train=2, val=3)
    index = json.loads((folder / "index.json").read_text())
    index["classes"][1]["name"] = evil
    for sample in index["samples"][3:]:
        sample.update(split="test", name=f"{evil}{sample['name']}")
    (folder / "index.json").write_text(json.dumps(index))
    dataset, spec = PreparedDataset(folder), Experiments(CONFIGS).compose(tiny_spec())
    card = ModelCard(run_id="run-0123456789ab", spec=spec, classes=dataset.classes, rule=HALF)
    splits = {split: _squares(folder, split) for split in ("val", "test")}
    out = RunFolder(tmp_path / "run")
    device = torch.device("cpu")
    report = write_report(_oracle(0.3), card, splits, out, epoch=1, train_images=2, device=device)

    assert [report["splits"][name]["images"] for name in ("val", "test")] == [1, 2]
    text = out.report_html.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;alert" in text
    assert {path.name for path in out.figures.iterdir()} == {
        "val-worst-01.png", "val-random-01.png", "val-confusion.png", "test-confusion.png",
        "test-worst-01.png", "test-worst-02.png", "test-random-01.png", "test-random-02.png",
    }  # fmt: skip
    without = replace(card, classes=CLASSES)
    write_report(_oracle(0), without, {"val": splits["val"]}, out, epoch=1, train_images=2, device=device)
    assert not list(out.figures.glob("test-*")), "figures of an earlier report are removed"
    assert not re.search("alert", out.report_html.read_text())
