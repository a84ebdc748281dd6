"""How well predicted outlines lie on true ones.

The boundary F-score of Csurka, Larlus and Perronnin, "What is a good evaluation measure for semantic
segmentation?" (BMVC 2013). For class c in one image, with B the boundary pixels of c in the truth, P those in
the prediction, and a tolerance t:

    precision = share of P no farther than t from B
    recall    = share of B no farther than t from P
    F         = 2 precision recall / (precision + recall)

A boundary pixel is a pixel of c that has a neighbour above, below, left or right of another class; the
picture's edge and ignored pixels make no boundary. Distances are Euclidean, between pixel centres. A class
with a boundary in only one of the two scores 0; with none in either, the image does not count for it. The
score of a class is the mean over the images that count.
"""

import math
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.prepared.version import Uint8
from workers.training.tasks.segmentation.labels.mask_labels import has_class, is_ignored

TOLERANCE_SHARE = 0.0075
"""The tolerance as a share of the image's diagonal, as in the paper; at least one pixel."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def tolerance(height: int, width: int) -> float:
    """The tolerance in pixels for images of that size."""
    return max(1.0, TOLERANCE_SHARE * math.hypot(height, width))


class BoundaryScores:
    """Adds up the images' scores, in the order of the images; holds two numbers per class.

    Images are scored by `threads` threads beside whoever adds them: almost all of it is OpenCV's and numpy's,
    which let others work meanwhile. As many images again may wait.
    """

    def __init__(self, classes: int, task: str = "multiclass", threads: int = 1) -> None:
        self._task = task
        self._sums = [0.0] * classes
        self._images = [0] * classes
        self._most = 2 * threads
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="boundary")
        self._scored: deque[Future[list[float | None]]] = deque()

    def add(self, truth: Uint8, predicted: Uint8) -> None:
        """Take one image: both (H, W) masks in the form of the task, ignored where the truth is. Neither may
        change any more."""
        self._scored.append(self._pool.submit(image_scores, truth, predicted, len(self._sums), self._task))
        if len(self._scored) > self._most:
            self._count(self._scored.popleft().result())

    def compute(self) -> list[float | None]:
        """The score of each class, None where it never had a boundary. It ends the threads: no image may
        follow."""
        while self._scored:
            self._count(self._scored.popleft().result())
        self._pool.shutdown()
        pairs = zip(self._sums, self._images, strict=True)
        return [total / images if images else None for total, images in pairs]

    def _count(self, scores: list[float | None]) -> None:
        for index, score in enumerate(scores):
            if score is not None:
                self._sums[index] += score
                self._images[index] += 1


def image_scores(truth: Uint8, predicted: Uint8, classes: int, task: str) -> list[float | None]:
    """The score of each class in one image, None where it has no boundary in either mask, (H, W)."""
    ignored = is_ignored(truth, task)
    reach = tolerance(*truth.shape[:2])
    scores: list[float | None] = []
    for index in range(classes):
        there = has_class(truth, index, task, classes)
        seen = has_class(predicted, index, task, classes) & ~ignored
        occurs = there.any() or seen.any()
        scores.append(f_score(outline(there, ignored), outline(seen, ignored), reach) if occurs else None)
    return scores


def outline(inside: NDArray[np.bool_], ignored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The boundary pixels, (H, W), of the region `inside`."""
    kept = cv2.erode((inside | ignored).astype(np.uint8), _CROSS)
    return np.asarray(inside & (kept == 0), np.bool_)


def f_score(truth: NDArray[np.bool_], predicted: NDArray[np.bool_], reach: float) -> float | None:
    """F of two outlines, (H, W), with a tolerance in pixels; None where both are empty."""
    if not truth.any() and not predicted.any():
        return None
    if not truth.any() or not predicted.any():
        return 0.0
    precision = float(np.mean(_distance(truth)[predicted] <= reach))
    recall = float(np.mean(_distance(predicted)[truth] <= reach))
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def _distance(line: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Each pixel's distance to the line, in pixels."""
    away = cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away, np.float32)
