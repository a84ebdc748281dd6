"""The numbers of one split, as they go to report.json."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import PreparedClass
from workers.training.report.curves import Points, thinned
from workers.training.tasks.detection.labels.average_precision import IOU_50, AveragePrecision
from workers.training.tasks.detection.labels.matching import NOBODY, Matches, at_least, matched
from workers.training.tasks.detection.report.evaluation import Evaluation

LARGEST_MATRIX = 255
"""Classes of a matrix that is written whole; of more, the pairs that are confused most."""
CONFUSED = 50
_RECALLS = np.linspace(0, 1, 101)


def split_numbers(
    evaluation: Evaluation, threshold: float, classes: Sequence[PreparedClass], *, masks: bool
) -> dict[str, Any]:
    """COCO's scores, and what becomes of objects and detections at that threshold of the score."""
    count = len(classes)
    boxes = AveragePrecision(evaluation.truths, evaluation.answers, count, "bbox")
    scores = boxes.row()
    if masks:
        of_masks = AveragePrecision(evaluation.truths, evaluation.answers, count, "segm")
        scores |= {f"mask_{name}": value for name, value in of_masks.row().items()}
    main = of_masks if masks else boxes
    images = len(evaluation.truths)
    return {
        "images": images,
        "objects": sum(int((~one.crowd).sum()) for one in evaluation.truths),
        **scores,
        "threshold": threshold,
        "classes": class_rows(evaluation, threshold, classes, main),
        **confusion(evaluation, threshold, count),
        "curves": [{"class": info.name, "pr": pr_curve(main, place)} for place, info in enumerate(classes)],
        "forward_seconds": evaluation.forward_seconds,
        "seconds": evaluation.seconds,
        "images_per_second": images / max(evaluation.forward_seconds, 1e-9),
    }


def best_threshold(evaluation: Evaluation) -> float:
    """The score from which on to believe a detection: where F1 over all classes is the best; one half where
    nothing is found. Of equal ones the highest."""
    scores, right = _judged(evaluation)
    objects = sum(int((~one.crowd).sum()) for one in evaluation.truths)
    if not right.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + objects)
    # Detections of one score are believed together.
    ordered = scores[order]
    last = np.r_[ordered[1:] != ordered[:-1], True]
    return float(ordered[int(np.where(last, f1, -1).argmax())])


def class_rows(
    evaluation: Evaluation, threshold: float, classes: Sequence[PreparedClass], scores: AveragePrecision
) -> list[dict[str, Any]]:
    """Of each class how many objects there are, how many are told, and both; what is of nothing is None."""
    true, told, hits = (np.zeros(len(classes), np.int64) for _ in range(3))
    for truth, answer in zip(evaluation.truths, evaluation.answers, strict=True):
        believed = at_least(answer, threshold)
        matches = matched(truth, believed, by_class=True)
        np.add.at(true, truth.classes[~truth.crowd], 1)
        np.add.at(told, believed.classes[~matches.ignored], 1)
        np.add.at(hits, believed.classes[matches.objects != NOBODY], 1)
    precisions = zip(
        scores.of_classes(), scores.of_classes(IOU_50), scores.recall_of_classes(IOU_50), strict=True
    )
    return [
        {
            "index": info.index,
            "name": info.name,
            "color": list(info.color),
            "objects": int(true[place]),
            "predicted": int(told[place]),
            "precision": _share(hits[place], told[place]),
            "recall": _share(hits[place], true[place]),
            "f1": _share(2 * hits[place], true[place] + told[place]),
            "ap": ap,
            "ap50": ap50,
            "most_recall": most,
        }
        for place, (info, (ap, ap50, most)) in enumerate(zip(classes, precisions, strict=True))
    ]


def confusion(evaluation: Evaluation, threshold: float, count: int) -> dict[str, Any]:
    """Objects by class, in rows, and what they are told to be: the last column has those that are missed, and
    the last row detections of nothing. `confused` has the pairs that are mistaken most."""
    matrix = np.zeros((count + 1, count + 1), np.int64)
    for truth, answer in zip(evaluation.truths, evaluation.answers, strict=True):
        believed = at_least(answer, threshold)
        matches = matched(truth, believed, by_class=False)
        rows, columns = _pairs(truth.classes, truth.crowd, believed.classes, matches, count)
        np.add.at(matrix, (rows, columns), 1)
    mistaken = matrix.copy()
    np.fill_diagonal(mistaken, 0)
    order = np.argsort(-mistaken, axis=None, kind="stable")[:CONFUSED]
    pairs = [divmod(int(code), count + 1) for code in order]
    confused = [
        {"truth": row if row < count else None, "predicted": column if column < count else None, "objects": n}
        for row, column in pairs
        if (n := int(mistaken[row, column]))
    ]
    if count > LARGEST_MATRIX:
        return {"confusion": None, "confused": confused}
    shares = [[_share(value, row.sum()) for value in row] for row in matrix]
    return {"confusion": {"counts": matrix.tolist(), "row_normalised": shares}, "confused": confused}


def pr_curve(scores: AveragePrecision, place: int) -> Points:
    """(recall, precision) at IoU 0.5 of a class, thinned; empty where it has no objects."""
    precision = scores.curve(place, IOU_50)
    return [] if (precision < 0).any() else thinned(_RECALLS, precision)


def _pairs(
    true: NDArray[np.int64],
    crowd: NDArray[np.bool_],
    told: NDArray[np.int64],
    matches: Matches,
    nothing: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each object and of each detection of nothing."""
    taken = matches.found[~crowd]
    columns = np.where(taken == NOBODY, nothing, told[taken] if len(told) else nothing)
    false = told[(matches.objects == NOBODY) & ~matches.ignored]
    return np.r_[true[~crowd], np.full(len(false), nothing)], np.r_[columns, false]


def _judged(evaluation: Evaluation) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores of all detections outside crowds, and whether each is right at IoU 0.5."""
    scores, right = [np.zeros(0, np.float32)], [np.zeros(0, np.bool_)]
    for truth, answer in zip(evaluation.truths, evaluation.answers, strict=True):
        matches = matched(truth, answer, by_class=True)
        scores.append(answer.scores[~matches.ignored])
        right.append((matches.objects != NOBODY)[~matches.ignored])
    return np.concatenate(scores), np.concatenate(right)


def _share(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None
