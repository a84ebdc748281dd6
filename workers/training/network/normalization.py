"""How images are put to a network: what its weights were made with."""

from dataclasses import dataclass
from typing import Protocol

Triple = tuple[float, float, float]


class ChannelStatistics(Protocol):
    """Mean and standard deviation of RGB in 0 to 1, as a prepared set has them."""

    mean: Triple
    std: Triple


@dataclass(frozen=True, kw_only=True)
class Normalization:
    """A network sees (pixel / 255 - mean) / std of RGB."""

    mean: Triple
    std: Triple


IMAGENET = Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
HALF = Normalization(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
