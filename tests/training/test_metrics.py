"""Scores against torchmetrics, and the definitions where classes are absent."""

import pytest
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassF1Score, MulticlassJaccardIndex

from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.labels.metrics import (
    EpochScores,
    Scores,
    confusion,
    hits_and_totals,
    no_counts,
    scores_of,
    yes_no_counts,
)


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


def test_each_class_of_several_has_a_matrix_of_its_own() -> None:
    predicted = torch.tensor([[1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0]]).bool().reshape(1, 2, 2, 3)
    truth = torch.tensor([[1, 0, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0]]).bool().reshape(1, 2, 2, 3)
    expected = [[[2, 1], [2, 1]], [[3, 0], [0, 3]]]
    assert yes_no_counts(predicted, truth).tolist() == expected
    assert confusion(predicted.float() - 0.5, truth.long()).tolist() == expected
    twice = yes_no_counts(predicted.repeat(2, 1, 1, 1), truth.repeat(2, 1, 1, 1))
    assert twice.tolist() == (2 * torch.tensor(expected)).tolist()
    assert twice.dtype == torch.int64


def test_counts_of_nothing_are_whole_numbers_of_the_right_shape() -> None:
    for task, shape in (("multilabel", (3, 2, 2)), ("multiclass", (3, 3))):
        counts = no_counts(3, task)
        assert (counts.shape, counts.dtype, int(counts.sum())) == (shape, torch.int64, 0)


def test_hits_and_totals_of_classes_and_of_labels() -> None:
    assert hits_and_totals(torch.tensor([[5, 1], [2, 3]])) == ([5, 3], [6, 5], [7, 4])
    labels = torch.tensor([[[2, 1], [4, 8]], [[9, 0], [0, 0]]])
    assert hits_and_totals(labels) == ([8, 0], [12, 0], [9, 0])
    assert scores_of(labels) == ((16 / 21, None), (8 / 13, None))
    assert scores_of(torch.tensor([[0, 2], [3, 0]])) == ((0.0, 0.0), (0.0, 0.0))


def test_ranks_are_added_up_also_where_one_has_seen_nothing() -> None:
    seen: list[Tensor] = []

    def doubled(tensor: Tensor) -> Tensor:
        seen.append(tensor)
        return tensor * 2

    empty, cpu = EpochScores(2, "multilabel"), torch.device("cpu")
    empty.gather(doubled, cpu)
    assert [(one.tolist(), one.dtype) for one in seen] == [
        ([[[0, 0], [0, 0]]] * 2, torch.int64),
        (0.0, torch.float32),
        (0, torch.int64),
    ]
    assert empty.compute() == Scores(loss=None, dice=None, miou=None, iou=(None, None))

    full = EpochScores(2)
    full.load_state(
        {"confusion": torch.tensor([[3, 1], [0, 4]]), "loss": torch.tensor(2.0).half(), "images": 4}
    )
    seen.clear()
    full.gather(doubled, cpu)
    assert [one.dtype for one in seen] == [torch.int64, torch.float32, torch.int64]
    assert full.state()["images"] == 8
    assert full.state()["confusion"].tolist() == [[6, 2], [0, 8]]
    assert full.compute().loss == 4.0 / 8


def test_a_state_goes_on_and_a_reset_forgets() -> None:
    first, second = EpochScores(2), EpochScores(2)
    logits, masks = torch.tensor([[[[2.0, 0.0]], [[0.0, 2.0]]]]), torch.tensor([[[0, 0]]])
    assert first.state() == {"confusion": None, "loss": None, "images": 0}
    first.update(logits, masks, torch.tensor(3.0))
    second.load_state(first.state())
    second.update(logits.repeat(2, 1, 1, 1), masks.repeat(2, 1, 1), torch.tensor(6.0))
    assert second.compute().loss == (3 + 2 * 6) / 3
    assert second.compute().iou == (0.5, 0.0)
    assert (first.compute().loss, first.compute().miou) == (3.0, 0.25)
    second.reset()
    assert second.state() == {"confusion": None, "loss": None, "images": 0}


def test_a_row_names_each_class_and_their_means() -> None:
    scores = EpochScores(2, names=("sky", "sea"))
    scores.load_state({"confusion": torch.tensor([[3, 1], [0, 0]]), "loss": torch.tensor(2.0), "images": 4})
    assert scores.row() == {
        "loss": 0.5,
        "dice": (6 / 7 + 0) / 2,
        "miou": (3 / 4 + 0) / 2,
        "iou/sky": 3 / 4,
        "iou/sea": 0.0,
    }
    with pytest.raises(ValueError, match="zip"):
        EpochScores(2, names=("sky",)).row()


def test_a_loss_is_weighted_by_images_and_keeps_no_graph() -> None:
    loss = torch.tensor(2.0, requires_grad=True) * 3
    scores = EpochScores(2)
    scores.update(torch.zeros(5, 2, 1, 1), torch.zeros(5, 1, 1).long(), loss)
    kept = scores.state()
    assert (float(kept["loss"]), kept["images"], kept["loss"].requires_grad) == (30.0, 5, False)
