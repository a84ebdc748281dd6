"""Class maps of images of any size, from a network that answers for squares; without torch."""

import cv2
import numpy as np

from trainyard.errors import InvalidRequest
from workers.prepared.planes import BITS, packed
from workers.prepared.version import Uint8
from workers.training.data.resizing import square_inside
from workers.training.tasks.segmentation.data.resizing import to_square
from workers.training.tasks.segmentation.data.tiles import Floats, predict_tiles
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL, THRESHOLD
from workers.training.tasks.segmentation.prediction.answers import Predictor


def as_trained(predictor: Predictor, image: Uint8) -> Uint8:
    """The class map, (H, W) or (H, W, P) uint8, of an image, (H, W, 3) uint8 RGB, at the scale of training.

    By tiles where the network was trained on crops of images at their own scale, else by resize. Raises
    InvalidRequest as `by_tiles` does.
    """
    return (by_tiles if predictor.fit == "crop" else by_resize)(predictor, image)


def by_resize(predictor: Predictor, image: Uint8) -> Uint8:
    """The class map, (H, W) uint8, of an image, (H, W, 3) uint8 RGB, of any size, seen whole as in training.

    It is made a square of the trained size by the spec's `fit`; the probabilities are brought back to the
    image's size bilinearly, and the greatest wins, or each above one half. A model that gives classes only
    has those brought back to the nearest pixel.
    """
    height, width = image.shape[:2]
    size, image = predictor.image_size, predictor.view(image)
    square, _ = to_square(image, np.zeros((height, width), np.uint8), size, predictor.fit, 0)
    rows, columns = square_inside(height, width, size, predictor.fit)
    if predictor.gives_probabilities:
        probabilities = predictor.probabilities(square)[:, rows, columns]
        return (likely if predictor.task == MULTILABEL else greatest)(probabilities, height, width)
    classes = np.ascontiguousarray(predictor.class_map(square)[rows, columns])
    return np.asarray(cv2.resize(classes, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def by_tiles(predictor: Predictor, image: Uint8) -> Uint8:
    """The same at the image's own resolution, square by square (data/tiles.py says how).

    For networks trained on crops, or on images of about the trained size. Raises InvalidRequest for a model
    that gives classes only.
    """
    if not predictor.gives_probabilities:
        raise InvalidRequest(
            "Tiles need probabilities to blend, and this ONNX file gives classes only.",
            remedy="Give a checkpoint or an ONNX file without preprocessing, or have images resized.",
            errors={"tiles": ["only with a checkpoint, or an ONNX file without preprocessing"]},
        )
    return predict_tiles(
        predictor.view(image),
        predictor.probabilities_of,
        predictor.settle,
        predictor.image_size,
        len(predictor.classes),
    )


def greatest(probabilities: Floats, height: int, width: int) -> Uint8:
    """The class of the greatest probability after resizing (C, h, w) to (C, height, width).

    One class at a time, so that memory does not grow with the number of classes.
    """
    best = np.full((height, width), -1, np.float32)
    classes = np.zeros((height, width), np.uint8)
    for index, plane in enumerate(probabilities):
        score = _resized(plane, height, width)
        better = score > best
        best[better], classes[better] = score[better], index
    return classes


def likely(probabilities: Floats, height: int, width: int) -> Uint8:
    """The classes above THRESHOLD after the same, as bits, eight of a plane: (H, W) or (H, W, P)."""
    planes = [
        packed(
            np.stack(
                [_resized(one, height, width) > THRESHOLD for one in probabilities[first : first + BITS]]
            )
        )
        for first in range(0, len(probabilities), BITS)
    ]
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


def _resized(plane: Floats, height: int, width: int) -> Floats:
    whole = np.ascontiguousarray(plane)
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
