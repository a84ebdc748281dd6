"""What a trained network answers for squares, whichever way it is computed; without torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.prepared.planes import packed
from workers.prepared.version import DepthScale, PreparedClass, Uint8
from workers.training.data.image_view import View, as_it_is
from workers.training.tasks.segmentation.data.tiles import Floats
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL, THRESHOLD

Answer = Callable[[Uint8], NDArray[Any]]
"""Logits (N, C, S, S), or classes (N, S, S), of images (N, S, S, 3) uint8 RGB."""


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """Answers for squares of `image_size` pixels, made of images by `fit`.

    Predicted masks have one byte per pixel in the form of `task`: a class index or, multilabel, a bit for
    each class, with more than eight in several planes. `gives_probabilities` is false for ONNX files with the
    preprocessing inside, which give classes only. `depth` says how images of more than 8 bits became 8 in
    training, None where that is not known; `view` is what whole images are seen through.
    """

    task: str
    classes: list[PreparedClass]
    image_size: int
    fit: str
    gives_probabilities: bool
    answer: Answer
    depth: tuple[DepthScale, ...] | None = None
    view: View = as_it_is

    def probabilities(self, square: Uint8) -> Floats:
        """(C, S, S) float32 of a square, (S, S, 3) RGB."""
        return np.asarray(self.probabilities_of(square[None])[0], np.float32)

    def probabilities_of(self, squares: Uint8) -> Floats:
        """(N, C, S, S) float32 of squares, (N, S, S, 3) RGB."""
        logits = np.asarray(self.answer(squares), np.float32)
        return _sigmoid(logits) if self.task == MULTILABEL else _softmax(logits)

    def settle(self, probabilities: Floats) -> Uint8:
        """The predicted mask, (H, W) or (H, W, P), of probabilities, (C, H, W)."""
        if self.task != MULTILABEL:
            return np.asarray(probabilities.argmax(axis=0), np.uint8)
        return packed(probabilities > THRESHOLD)

    def class_map(self, square: Uint8) -> Uint8:
        """The predicted mask, (S, S) or (S, S, P), of a square, (S, S, 3) RGB."""
        if self.gives_probabilities:
            return self.settle(self.probabilities(square))
        return np.asarray(self.answer(square[None])[0], np.uint8)


def _softmax(logits: Floats) -> Floats:
    """Over the classes; a binary network gives one logit x, and (0, x) has the same softmax."""
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _sigmoid(logits: Floats) -> Floats:
    """1 / (1 + exp(-x)), in a form that overflows nowhere."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)
