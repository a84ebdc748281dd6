"""What logits say of an image: how probable each class is, and which it has; without torch."""

import numpy as np
from numpy.typing import NDArray

from trainyard.tasks.classification import MULTILABEL

Floats = NDArray[np.float32]

THRESHOLD = 0.5
"""The probability above which a multilabel model says yes: a logit above 0."""


def probabilities_of(logits: Floats, form: str) -> Floats:
    """Of each class, (N, C), from logits (N, C): a softmax, or of a multilabel task each class's sigmoid."""
    if form == MULTILABEL:
        return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)  # overflows nowhere
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def decided(probabilities: Floats, form: str) -> NDArray[np.bool_]:
    """The classes that images have by their probabilities, (N, C) both: the most probable one, or each above
    THRESHOLD."""
    if form == MULTILABEL:
        return np.asarray(probabilities > THRESHOLD)
    places = np.arange(probabilities.shape[1])
    return np.asarray(places == probabilities.argmax(axis=1)[:, None])
