"""What a trained network answers for images, whichever way it is computed; without torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workers.prepared.version import DepthScale, PreparedClass, Uint8
from workers.training.data.image_view import View, as_it_is
from workers.training.tasks.classification.data.crops import plain_square
from workers.training.tasks.classification.labels.answers import Floats, decided

Answer = Callable[[Uint8], Floats]
"""Probabilities (N, C) of images (N, S, S, 3) uint8 RGB."""

AT_ONCE = 16
"""Images that go through the network together."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """How probable each class of an image is, (C,), and which it has, (C,)."""

    probabilities: Floats
    has: Sequence[bool]


@dataclass(frozen=True, kw_only=True)
class LabelPredictor:
    """Answers for images of any size, made squares of `image_size` pixels by `fit` as validation's were.

    `depth` says how images of more than 8 bits became 8 in training, None where that is not known; `view` is
    what whole images are seen through.
    """

    form: str
    classes: list[PreparedClass]
    image_size: int
    fit: str
    answer: Answer
    depth: tuple[DepthScale, ...] | None = None
    view: View = as_it_is

    def predict(self, images: Sequence[Uint8]) -> list[Prediction]:
        """One for each image, (H, W, 3) RGB."""
        squares = [plain_square(self.view(image), self.image_size, self.fit) for image in images]
        found: list[Prediction] = []
        for start in range(0, len(squares), AT_ONCE):
            likely = self.answer(np.stack(squares[start : start + AT_ONCE]))
            has = decided(likely, self.form)
            found += [
                Prediction(probabilities=one, has=[bool(yes) for yes in chosen])
                for one, chosen in zip(likely, has, strict=True)
            ]
        return found

    def told(self, prediction: Prediction) -> list[dict[str, object]]:
        """All classes as JSON data, the most probable ones first."""
        order = np.argsort(-prediction.probabilities, kind="stable")
        return [
            {
                "index": int(index),
                "name": self.classes[index].name,
                "probability": float(prediction.probabilities[index]),
                "predicted": prediction.has[index],
            }
            for index in order
        ]
