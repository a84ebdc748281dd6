"""Scores are torchmetrics', whatever the batches; of classes that do not occur none counts."""

import pytest
import torch
from torch import Tensor
from torchmetrics.functional import classification as known

from workers.training.tasks.classification.labels.scores import MOST_COLUMNS, TrainScores, ValScores

CLASSES, IMAGES = 7, 60
NAMES = tuple("abcdefg")
OF_CLASSES = [f"f1/{name}" for name in NAMES]
PLACES = (1, 3)


def drawn(form: str) -> tuple[Tensor, Tensor]:
    """Logits that are right more often than not, and labels."""
    numbers = torch.Generator().manual_seed(3)
    logits = torch.randn(IMAGES, CLASSES, generator=numbers)
    if form == "multilabel":
        truth = (torch.rand(IMAGES, CLASSES, generator=numbers) < 0.3).float()
        return logits + truth, truth
    truth = torch.randint(0, CLASSES, (IMAGES,), generator=numbers)
    return logits + 1.5 * torch.nn.functional.one_hot(truth, CLASSES), truth


def scored(form: str, logits: Tensor, truth: Tensor) -> dict[str, float | None]:
    scores = ValScores(NAMES, form, PLACES)
    for some in torch.arange(len(truth)).split(16):
        scores.update(logits[some], truth[some], torch.tensor(float(len(some))))
    return scores.row()


def test_classes_that_exclude_each_other() -> None:
    logits, truth = drawn("multiclass")
    likely = logits.softmax(dim=1)
    macro = {"num_classes": CLASSES, "average": "macro"}
    expected = {
        "acc1": known.multiclass_accuracy(likely, truth, CLASSES, average="micro"),
        "acc3": known.multiclass_accuracy(likely, truth, CLASSES, average="micro", top_k=3),
        "f1": known.multiclass_f1_score(likely, truth, **macro),
        "map": known.multiclass_average_precision(likely, truth, **macro),
        "auroc": known.multiclass_auroc(likely, truth, **macro),
        "kappa": known.multiclass_cohen_kappa(likely, truth, CLASSES),
        "recall_micro": known.multiclass_recall(likely, truth, CLASSES, average="micro"),
        "recall_macro": known.multiclass_recall(likely, truth, **macro),
        **dict(
            zip(OF_CLASSES, known.multiclass_f1_score(likely, truth, CLASSES, average="none"), strict=True)
        ),
    }
    found = scored("multiclass", logits, truth)
    assert found.pop("loss") == pytest.approx((3 * 16 * 16 + 12 * 12) / IMAGES)
    assert found == pytest.approx({name: float(value) for name, value in expected.items()}, abs=1e-6)


def test_several_labels() -> None:
    logits, truth = drawn("multilabel")
    likely, wanted = logits.sigmoid(), truth.long()
    macro = {"num_labels": CLASSES, "average": "macro"}
    kappas = [known.binary_cohen_kappa(likely[:, c], wanted[:, c]) for c in range(CLASSES)]
    expected = {
        "f1": known.multilabel_f1_score(likely, wanted, **macro),
        "map": known.multilabel_average_precision(likely, wanted, **macro),
        "auroc": known.multilabel_auroc(likely, wanted, **macro),
        "kappa": torch.stack(kappas).mean(),
        "recall_micro": known.multilabel_recall(likely, wanted, CLASSES, average="micro"),
        "recall_macro": known.multilabel_recall(likely, wanted, **macro),
        **dict(
            zip(OF_CLASSES, known.multilabel_f1_score(likely, wanted, CLASSES, average="none"), strict=True)
        ),
    }
    found = scored("multilabel", logits, truth)
    labelled = truth.sum(dim=1) > 0
    best = truth.gather(1, logits.argmax(dim=1, keepdim=True))[labelled]
    assert found["acc1"] == pytest.approx(float(best.mean()))
    assert found["acc3"] >= found["acc1"]
    assert {name: found[name] for name in expected} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, abs=1e-6
    )


def test_a_class_that_no_image_has_counts_nowhere() -> None:
    logits, truth = drawn("multiclass")
    without = truth.clamp(max=CLASSES - 2)
    logits[:, -1] = -20
    found = scored("multiclass", logits, without)
    assert found[OF_CLASSES[-1]] is None
    likely = logits[:, :-1].softmax(dim=1)
    for name, value in (
        ("map", known.multiclass_average_precision(likely, without, CLASSES - 1)),
        ("auroc", known.multiclass_auroc(likely, without, CLASSES - 1)),
        ("recall_macro", known.multiclass_recall(likely, without, CLASSES - 1)),
        ("f1", known.multiclass_f1_score(likely, without, CLASSES - 1)),
    ):
        assert found[name] == pytest.approx(float(value), abs=1e-5)


@pytest.mark.parametrize("form", ["multiclass", "multilabel"])
def test_no_image_has_no_score(form: str) -> None:
    names = ("loss", "acc1", "acc3", "f1", "map", "auroc", "kappa", "recall_micro", "recall_macro")
    names += tuple(OF_CLASSES)
    assert ValScores(NAMES, form, PLACES).row() == dict.fromkeys(names)
    assert TrainScores(PLACES).row() == {"loss": None, "acc1": None, "acc3": None}


def test_of_many_classes_the_row_tells_none_by_itself() -> None:
    many = ValScores([str(index) for index in range(MOST_COLUMNS + 1)], "multiclass", PLACES)
    many.update(torch.randn(4, MOST_COLUMNS + 1), torch.arange(4), torch.tensor(0.5))
    assert not [name for name in many.row() if "/" in name]


def test_more_places_than_classes_are_all_of_them() -> None:
    scores = ValScores("ab", "multiclass", (1, 5))
    scores.update(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), torch.tensor(0.5))
    row = scores.row()
    assert (row["acc1"], row["acc5"]) == (0.0, 1.0)


def test_scores_go_on_from_their_state() -> None:
    logits, truth = drawn("multiclass")
    whole, begun, resumed = (TrainScores(PLACES) for _ in range(3))
    for scores, parts in ((whole, (logits[:20], logits[20:])), (begun, (logits[:20],))):
        for place, part in enumerate(parts):
            labels = truth[:20] if place == 0 else truth[20:]
            scores.update(part, labels, torch.tensor(0.7))
    resumed.load_state(begun.state())
    resumed.update(logits[20:], truth[20:], torch.tensor(0.7))
    assert resumed.row() == whole.row()
    kept = ValScores(NAMES, "multiclass", PLACES)
    kept.update(logits, truth, torch.tensor(0.7))
    again = ValScores(NAMES, "multiclass", PLACES)
    again.load_state(kept.state())
    assert again.row() == kept.row()


def test_of_blended_images_the_larger_part_is_the_class() -> None:
    scores = TrainScores((1,))
    scores.update(
        torch.tensor([[2.0, 1.0], [2.0, 1.0]]), torch.tensor([[0.7, 0.3], [0.2, 0.8]]), torch.tensor(1.0)
    )
    assert scores.row() == {"loss": 1.0, "acc1": 0.5}
