"""Boxes of COCO files that are not read as the format has them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import overload

from trainyard.datasets.record import BoxForm
from workers.ingest.formats.annotations.box_forms import Numbers, sides
from workers.ingest.regions.marked import Marked, rectangle
from workers.ingest.regions.masks import IGNORED, Region, Sides


def marked_box(label: int, numbers: Numbers, *, crowd: bool) -> Marked:
    """An object that has a box alone, as the format has it; its pixels are not known, and ignored."""
    return Marked(
        region=rectangle(IGNORED, *_corners(numbers)), label=label, crowd=crowd, box=_corners(numbers)
    )


class RereadBoxes(Sequence[Region]):
    """Regions of an image whose boxes are of another form: those of outlines are taken from these."""

    def __init__(self, regions: Sequence[Region], form: BoxForm) -> None:
        self._regions = regions
        self._form = form

    def __len__(self) -> int:
        return len(self._regions)

    @overload
    def __getitem__(self, index: int) -> Region: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Region]: ...
    def __getitem__(self, index: int | slice) -> Region | Sequence[Region]:
        if isinstance(index, slice):
            return [self._reread(region) for region in self._regions[index]]
        return self._reread(self._regions[index])

    def _reread(self, region: Region) -> Region:
        if isinstance(region, Marked) and region.outlined:
            return replace(region, box=region.region.box)
        left, top, right, bottom = region.box
        box = sides(self._form, (left, top, right - left, bottom - top))
        return Marked(region=rectangle(IGNORED, *box), label=region.label, crowd=region.crowd, box=box)


def _corners(numbers: Numbers) -> Sides:
    """Corners as written, which may lie the other way round; the numbers can be had of them again."""
    x, y, width, height = numbers
    return x, y, x + width, y + height
