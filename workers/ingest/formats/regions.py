"""Labelled regions of an image and the mask that they make together.

Where regions overlap, the smaller one is seen: they are painted from the largest to the smallest, so that a
facade does not erase its windows. With the order `file` the later one in the file is seen instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from workers.ingest.decode import DecodedImage
from workers.ingest.formats.base import Read
from workers.prepared import Uint8

Order = Literal["area", "file"]


class Region(Protocol):
    """A part of an image with a mask value. Coordinates are pixels of the size that the annotation states."""

    @property
    def value(self) -> int:
        """The mask value, 0 to 255."""

    @property
    def area(self) -> float:
        """Pixels covered, for the order of painting."""

    def paint(self, mask: Uint8) -> None:
        """Set the covered pixels of a mask, (H, W), to the value, in place."""


@dataclass(frozen=True, kw_only=True)
class RegionsTruth:
    """Regions on a background; `size` is (width, height) as the annotation states it, None where it does not.

    `background` is the value of pixels that no region covers.
    """

    file: str
    size: tuple[int, int] | None
    background: int
    regions: Sequence[Region]
    order: Order = "area"

    def paint(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.paint`."""
        raise NotImplementedError
