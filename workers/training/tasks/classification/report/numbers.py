"""The numbers of one split, as they go to report.json."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainyard.tasks.classification import MULTILABEL
from workers.prepared.version import PreparedClass
from workers.training.report.calibration import CalibrationScores
from workers.training.report.curves import ClassCurves, exact_curves
from workers.training.tasks.classification.labels.answers import Floats, decided, probabilities_of
from workers.training.tasks.classification.labels.scores import ValScores
from workers.training.tasks.classification.labels.targets import as_shares
from workers.training.tasks.classification.report.evaluation import Evaluation

LARGEST_MATRIX = 255
"""Classes of a matrix that is written whole; of more, the pairs that are confused most."""
CONFUSED = 50
_NO_LOSS = torch.zeros(())


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Of each image, (N, C): how probable each class is, which it has, and which the network says it has."""

    form: str
    probabilities: Floats
    true: NDArray[np.bool_]
    predicted: NDArray[np.bool_]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Of which images every answer is right, (N,)."""
        return np.asarray((self.true == self.predicted).all(axis=1))

    @property
    def surprise(self) -> Floats:
        """How improbable the network finds what is true, (N,): -log p of the true class; of a multilabel task
        the mean over all of an image's answers."""
        p = np.clip(self.probabilities, 1e-9, 1 - 1e-9)
        if self.form != MULTILABEL:
            return np.asarray(-np.log((p * self.true).sum(axis=1)), np.float32)
        return np.asarray(-np.log(np.where(self.true, p, 1 - p)).mean(axis=1), np.float32)


def answers_of(evaluation: Evaluation, form: str) -> Answers:
    """What the logits say, beside the labels."""
    likely = probabilities_of(evaluation.logits.numpy(), form)
    true = as_shares(evaluation.labels, likely.shape[1]).numpy() > 0
    return Answers(form=form, probabilities=likely, true=true, predicted=decided(likely, form))


def curves_of_classes(answers: Answers) -> list[ClassCurves]:
    """ROC and precision-recall of each class against the rest."""
    pairs = zip(answers.probabilities.T, answers.true.T, strict=True)
    return [exact_curves(scores, positive) for scores, positive in pairs]


def split_numbers(
    evaluation: Evaluation,
    answers: Answers,
    curves: Sequence[ClassCurves],
    classes: list[PreparedClass],
    form: str,
    places: Sequence[int],
) -> dict[str, Any]:
    """Scores, classes, confusion, calibration and curves; `places` are the k of acc@k."""
    scores = ValScores([info.name for info in classes], form, places)
    scores.update(evaluation.logits, evaluation.labels, _NO_LOSS)
    row = {name: value for name, value in scores.row().items() if name != "loss" and "/" not in name}
    calibration = CalibrationScores()
    calibration.add(torch.from_numpy(answers.probabilities).T, _truth_for_calibration(evaluation, form))
    images = len(answers.true)
    return {
        "images": images,
        "right": int(answers.right.sum()),
        **row,
        "ece": calibration.error(),
        "classes": class_rows(answers, curves, classes),
        **_confusion(answers, form),
        "calibration": [_of_images(asdict(bin)) for bin in calibration.bins()],
        "curves": [{"class": c.name, "roc": k.roc, "pr": k.pr} for c, k in zip(classes, curves, strict=True)],
        "forward_seconds": evaluation.forward_seconds,
        "seconds": evaluation.seconds,
        "images_per_second": images / max(evaluation.forward_seconds, 1e-9),
    }


def class_rows(
    answers: Answers, curves: Sequence[ClassCurves], classes: list[PreparedClass]
) -> list[dict[str, Any]]:
    """Of each class how many images have it, are said to, and both; its scores are None of nothing."""
    hits = (answers.true & answers.predicted).sum(axis=0)
    counts = zip(hits, answers.true.sum(axis=0), answers.predicted.sum(axis=0), strict=True)
    rows = []
    for info, curve, (found, true, predicted) in zip(classes, curves, counts, strict=True):
        rows.append(
            {
                "index": info.index,
                "name": info.name,
                "color": list(info.color),
                "images": int(true),
                "predicted": int(predicted),
                "precision": _share(found, predicted),
                "recall": _share(found, true),
                "f1": _share(2 * found, true + predicted),
                "roc_auc": curve.roc_auc,
                "average_precision": curve.average_precision,
            }
        )
    return rows


def _confusion(answers: Answers, form: str) -> dict[str, Any]:
    """Images by truth, in rows, and prediction; `confused` has the pairs of classes that are mistaken most.

    Of a multilabel task there is a matrix for each class, absent before present, and no pairs.
    """
    true, predicted = answers.true, answers.predicted
    if form == MULTILABEL:
        pairs = [(~true & ~predicted), (~true & predicted), (true & ~predicted), (true & predicted)]
        counts = np.stack([pair.sum(axis=0) for pair in pairs], axis=1).reshape(-1, 2, 2)
        return {"confusion": {"counts": counts.tolist(), "row_normalised": _rows(counts)}, "confused": []}
    classes = true.shape[1]
    rows, columns = true.argmax(axis=1), predicted.argmax(axis=1)
    codes, numbers = np.unique(rows.astype(np.int64) * classes + columns, return_counts=True)
    order = np.argsort(-numbers, kind="stable")
    confused = [
        {"truth": int(code // classes), "predicted": int(code % classes), "images": int(number)}
        for code, number in zip(codes[order], numbers[order], strict=True)
        if code // classes != code % classes
    ][:CONFUSED]
    if classes > LARGEST_MATRIX:
        return {"confusion": None, "confused": confused}
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (rows, columns), 1)
    return {
        "confusion": {"counts": matrix.tolist(), "row_normalised": _rows(matrix)},
        "confused": confused,
    }


def _rows(counts: NDArray[np.int64]) -> list[Any]:
    """Each row of a matrix, or of each matrix, as shares of its truth; None throughout an empty row."""
    if counts.ndim == 3:
        return [_rows(matrix) for matrix in counts]
    return [[_share(count, row.sum()) for count in row] for row in counts]


def _truth_for_calibration(evaluation: Evaluation, form: str) -> torch.Tensor:
    return evaluation.labels.T if form == MULTILABEL else evaluation.labels


def _of_images(bin: dict[str, Any]) -> dict[str, Any]:
    """A bin of calibration counts answers here, not pixels."""
    return {("answers" if name == "pixels" else name): value for name, value in bin.items()}


def _share(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None
