"""The objects of an image as it is prepared, of the regions that were drawn on it.

Boxes are cut to the image. What has no area then, or no pixel where pixels are asked for, is left out, and
so is what is the same as another; each is told. Regions of no class, and of the background, are no objects;
several of one group are one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.ingest.items import ImageObjects
from workers.ingest.raster.color_modes import NOTHING_TO_DO, Note
from workers.ingest.raster.shrink import Size
from workers.ingest.regions.masks import IGNORED, Region
from workers.ingest.regions.placement import Boxes, Placement
from workers.prepared.run_lengths import compressed, decompressed, rasterize_runs, runs_of
from workers.prepared.version import Objects

_ROUNDED = 0.005
"""The part of a side by which a box may reach beyond the image without a word, or one pixel."""

NO_OBJECTS = (0, IGNORED)
"""Labels of what is no object: the background, and no class."""

Flags = NDArray[np.bool_]


def drawn_objects(
    regions: Sequence[Region], drawn: Size, placement: Placement, outlines: list[bytes] | None = None
) -> ImageObjects:
    """Those of regions that were drawn on an image of so many pixels.

    `outlines` are the compressed runs of each region on the prepared image, empty where it has no pixel;
    without them, boxes are all that is kept.
    """
    labels = np.array([region.label for region in regions], np.int64)
    corners = np.array([region.box for region in regions], np.float64).reshape(-1, 2, 2)
    sides = np.sort(corners, axis=1).reshape(-1, 4)
    crowd = np.array([region.crowd for region in regions], np.bool_)
    marked = ~np.isin(labels, NO_OBJECTS)
    parts = _join(regions, sides, outlines, placement.size)
    marked &= ~parts
    cut = np.clip(sides, 0, (*drawn, *drawn))
    boxes = placement.boxes(cut).astype(np.float32)
    flat = marked & ~((boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3]))
    bare = np.zeros_like(flat)
    if outlines is not None:
        bare = marked & ~flat & np.array([not one for one in outlines], np.bool_)
    kept = marked & ~flat & ~bare
    again = _repeated(kept, boxes, labels, crowd, outlines)
    kept &= ~again
    annotated = marked & np.array([not region.outlined for region in regions], np.bool_)
    notes = (
        *_of_cut(annotated & ~flat, sides, drawn),
        *_of_flat(flat, sides, drawn),
        *_of_bare(bare, boxes),
        *_of_repeated(again),
    )
    return ImageObjects(
        objects=Objects(boxes[kept], labels[kept], crowd[kept]),
        outlines=tuple(outlines[place] for place in np.flatnonzero(kept).tolist())
        if outlines is not None
        else (),
        lost=int(flat.sum()),
        notes=notes,
    )


def _join(regions: Sequence[Region], sides: Boxes, outlines: list[bytes] | None, size: Size) -> Flags:
    """Give the first part of each object that is drawn in several the box and outline of all, in place;
    which are the other parts."""
    others = np.zeros(len(regions), np.bool_)
    first: dict[int, int] = {}
    drawn: defaultdict[int, list[bytes]] = defaultdict(list)
    for place, region in enumerate(regions):
        if not region.group:
            continue
        whole = first.setdefault(region.group, place)
        others[place] = whole != place
        sides[whole, :2] = np.minimum(sides[whole, :2], sides[place, :2])
        sides[whole, 2:] = np.maximum(sides[whole, 2:], sides[place, 2:])
        drawn[whole] += [outlines[place]] if outlines is not None and outlines[place] else []
    for whole, texts in drawn.items():
        if outlines is not None and len(texts) > 1:
            mask = np.zeros(size[::-1], np.uint8)
            for text in texts:
                rasterize_runs(decompressed(text), mask)
            outlines[whole] = compressed(runs_of(mask))
        elif outlines is not None:
            outlines[whole] = texts[0] if texts else b""
    return others


def _repeated(
    kept: Flags,
    boxes: NDArray[np.float32],
    labels: NDArray[np.int64],
    crowd: Flags,
    outlines: Sequence[bytes] | None,
) -> Flags:
    """Those that are another of the kept ones once more."""
    seen: set[tuple[Any, ...]] = set()
    again = np.zeros_like(kept)
    for place in np.flatnonzero(kept).tolist():
        one = (boxes[place].tobytes(), int(labels[place]), bool(crowd[place]))
        one_drawn = (*one, outlines[place] if outlines is not None else b"")
        again[place] = one_drawn in seen
        seen.add(one_drawn)
    return again


def _of_cut(boxes: Flags, sides: Boxes, drawn: Size) -> Iterator[Note]:
    far = np.maximum(-sides[:, :2], sides[:, 2:] - np.array(drawn, np.float64)).reshape(-1, 2)
    beyond = boxes & (far > np.maximum(1.0, _ROUNDED * np.array(drawn))).any(axis=1)
    if beyond.any():
        yield Note(
            code="box_clipped",
            message=f"{beyond.sum()} of {boxes.sum()} boxes reach beyond the image of {drawn[0]}x{drawn[1]} "
            f"pixels, the furthest by {far[beyond].max():.1f}: they are cut to it.",
            remedy="Nothing, if objects go on outside the picture; else export the boxes anew.",
        )


def _of_flat(flat: Flags, sides: Boxes, drawn: Size) -> Iterator[Note]:
    if flat.any():
        left, top, right, bottom = (f"{side:g}" for side in sides[flat][0])
        yield Note(
            code="box_empty",
            message=f"{flat.sum()} object(s) have a box without area in the image of {drawn[0]}x{drawn[1]} "
            f"pixels, the first from ({left}, {top}) to ({right}, {bottom}); they are left out.",
            remedy="Draw them again, or take them out.",
        )


def _of_bare(bare: Flags, boxes: NDArray[np.float32]) -> Iterator[Note]:
    if bare.any():
        left, top, right, bottom = boxes[bare][0].tolist()
        yield Note(
            code="object_empty",
            message=f"{bare.sum()} object(s) cover no pixel of the image as prepared, the first of "
            f"{right - left:.2g}x{bottom - top:.2g} pixels; they are left out.",
            remedy="Nothing, if so small ones do not count; else send larger images, or a larger max_side.",
        )


def _of_repeated(again: Flags) -> Iterator[Note]:
    if again.any():
        yield Note(
            code="object_twice",
            message=f"{again.sum()} object(s) are annotated twice: the same class, box and outline; one is "
            "read.",
            remedy=NOTHING_TO_DO,
        )
