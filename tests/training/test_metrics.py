"""Scores against torchmetrics, and the definitions where classes are absent."""

import pytest
import torch
from torchmetrics.classification import MulticlassF1Score, MulticlassJaccardIndex

from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.labels.metrics import EpochScores, confusion


def test_scores_agree_with_torchmetrics() -> None:
    numbers = torch.Generator().manual_seed(3)
    scores = EpochScores(4)
    iou = MulticlassJaccardIndex(4, average=None, ignore_index=IGNORE_INDEX)
    dice = MulticlassF1Score(4, average=None, ignore_index=IGNORE_INDEX)
    for images in (3, 1):
        logits = torch.randn(images, 4, 16, 24, generator=numbers)
        masks = torch.randint(0, 4, (images, 16, 24), generator=numbers)
        masks[:, :2] = IGNORE_INDEX
        scores.update(logits, masks, torch.tensor(float(images)))
        iou.update(logits.argmax(1), masks)
        dice.update(logits.argmax(1), masks)

    result = scores.compute()
    assert result.iou == pytest.approx(iou.compute().tolist())
    assert result.miou == pytest.approx(iou.compute().mean().item())
    assert result.dice == pytest.approx(dice.compute().mean().item())
    assert result.loss == pytest.approx((3 * 3 + 1 * 1) / 4)


def test_classes_in_neither_truth_nor_prediction_are_left_out() -> None:
    masks = torch.tensor([[[0, 0, 1, IGNORE_INDEX]]])
    logits = torch.nn.functional.one_hot(torch.tensor([[[0, 1, 1, 2]]]), 4).permute(0, 3, 1, 2).float()
    scores = EpochScores(4)
    scores.update(logits, masks, torch.tensor(0.5))

    result = scores.compute()
    assert result.iou == (0.5, 0.5, None, None)
    assert result.miou == 0.5
    assert result.dice == pytest.approx(2 / 3)


def test_nothing_labelled_has_no_score() -> None:
    scores = EpochScores(2)
    assert scores.compute().loss is None
    scores.update(torch.zeros(1, 2, 2, 2), torch.full((1, 2, 2), IGNORE_INDEX), torch.tensor(0.0))
    assert (scores.compute().miou, scores.compute().dice) == (None, None)


def test_confusion_counts_truth_in_rows() -> None:
    masks = torch.tensor([[[0, 1, 1]]])
    logits = torch.nn.functional.one_hot(torch.tensor([[[1, 1, 0]]]), 2).permute(0, 3, 1, 2).float()
    assert confusion(logits, masks).tolist() == [[0, 1], [1, 1]]


def test_scores_of_a_checkpoint_are_added_up_on_the_device() -> None:
    """They lie on the CPU until a batch has moved them; NCCL adds up nothing there. Meta stands for a GPU."""
    scores, device = EpochScores(2), torch.device("meta")
    scores.load_state({"confusion": torch.eye(2).long(), "loss": torch.tensor(2.0), "images": 3})
    seen: list[torch.device] = []

    def add_up(tensor: torch.Tensor) -> torch.Tensor:
        seen.append(tensor.device)
        return torch.ones(tensor.shape)

    scores.gather(add_up, device)
    assert seen == [device] * 3
