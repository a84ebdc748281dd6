"""Pictures of the readings that fit a question: each image beside what this reading makes of its masks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workers.ingest.archive import Member
from workers.ingest.classes.class_rules import PALETTE
from workers.ingest.items import Item, Labels
from workers.ingest.pictures.decode import decode_image, load, rgb_pixels
from workers.ingest.pictures.mask_files import decode_mask, decode_objects
from workers.ingest.problems import Offer, Refused
from workers.prepared.version import Uint8

SIDE = 256
"""Pixels of the longer side of each picture in a preview."""

MOST_ROWS = 3
_GAP = 4
_WHITE = 255
_MARGIN = 200

Read = Callable[[Member], bytes]


@dataclass(frozen=True, kw_only=True)
class Example:
    """An image with the masks that one reading gives it; `values` is what mask values count as, where they
    are not shown as they are. Of several masks each has a colour of its own, unless `joined`."""

    image: Member
    masks: Sequence[Member] = ()
    values: Mapping[int, int] | None = None
    joined: bool = False


def preview(read: Read, examples: Iterable[Example]) -> Callable[[], bytes]:
    """What draws the examples as a PNG when it is called; that raises Refused where none can be drawn."""
    chosen = list(examples)[:MOST_ROWS]
    return lambda: _png(_stacked([_row(read, example) for example in chosen]))


def item_preview(read: Read, items: Sequence[Item]) -> Callable[[], bytes]:
    """As `preview`, of items as their format reads them."""
    chosen = [items[place] for place in sorted({0, len(items) // 2, len(items) - 1})][:MOST_ROWS]
    return lambda: _png(_stacked([_item_row(read, item) for item in chosen]))


@dataclass(frozen=True, kw_only=True)
class BoxExample:
    """An image of that width and height with boxes: left, top, right and bottom of each in pixels."""

    image: Member
    size: tuple[int, int]
    boxes: Sequence[tuple[float, float, float, float]]


def box_preview(read: Read, examples: Iterable[BoxExample]) -> Callable[[], bytes]:
    """As `preview`, of boxes drawn on their images."""
    chosen = list(examples)[:MOST_ROWS]
    return lambda: _png(_stacked([_box_row(read, example) for example in chosen]))


def _box_row(read: Read, example: BoxExample) -> Uint8:
    """The image within a margin of half its size, in which boxes show that reach beyond it."""
    image = _small(rgb_pixels(load(read(example.image), cv2.IMREAD_COLOR_RGB)), cv2.INTER_AREA)
    height, width = image.shape[:2]
    down, across = height // 4, width // 4
    grey = (_MARGIN, _MARGIN, _MARGIN)
    framed = cv2.copyMakeBorder(image, down, down, across, across, cv2.BORDER_CONSTANT, value=grey)
    scale = np.array((width / example.size[0], height / example.size[1]) * 2)
    for place, box in enumerate(example.boxes):
        left, top, right, bottom = (
            (np.array(box) * scale).round().clip(-4 * SIDE, 4 * SIDE).astype(int).tolist()
        )
        corners = (left + across, top + down), (right + across, bottom + down)
        cv2.rectangle(framed, *corners, PALETTE[place % len(PALETTE)], 2)
    return np.asarray(framed, np.uint8)


def write_previews(offers: Mapping[str, Sequence[Offer]], folder: Path) -> None:
    """Write the preview of each offer that has one to `folder`, by its question and key; raises OSError."""
    for code, choices in offers.items():
        for offer in choices:
            if offer.draw is not None:
                folder.mkdir(exist_ok=True)
                (folder / f"{code}-{offer.key}.png").write_bytes(_or_blank(offer.draw))


def _or_blank(draw: Callable[[], bytes]) -> bytes:
    """A preview; an empty one of files that cannot be read, which reading the set tells with their names."""
    try:
        return draw()
    except Refused:
        return _png(np.full((SIDE, 2 * SIDE, 3), _WHITE, np.uint8))


def _row(read: Read, example: Example) -> Uint8:
    image = _small(rgb_pixels(load(read(example.image), cv2.IMREAD_COLOR_RGB)), cv2.INTER_AREA)
    labels = np.zeros(image.shape[:2], np.uint8)
    colored: Uint8 | None = None
    for number, member in enumerate(example.masks, start=1):
        data = read(member)
        try:
            mask = decode_mask(data) if example.values is None else decode_objects(data)
        except Refused:  # of colours, which are shown as they are
            colored = _fitted(rgb_pixels(load(data, cv2.IMREAD_COLOR_RGB)), image)
            continue
        mask = _fitted(_mapped(mask, example.values), image)
        if len(example.masks) == 1:
            labels = mask
        else:
            labels[mask > 0] = 1 if example.joined else number
    shown = colored if colored is not None else _colors()[labels]
    gap = np.full((image.shape[0], _GAP, 3), _WHITE, np.uint8)
    return np.concatenate([image, gap, shown], axis=1)


def _item_row(read: Read, item: Item) -> Uint8:
    data = read(item.image)
    image = decode_image(item.unpack(data) if item.unpack else data)
    small = _small(image.pixels, cv2.INTER_AREA)
    if isinstance(item.truth, Labels):
        return small
    labels = _fitted(item.truth.rasterize(read, image), small)
    gap = np.full((small.shape[0], _GAP, 3), _WHITE, np.uint8)
    return np.concatenate([small, gap, _colors()[labels]], axis=1)


def _mapped(mask: Uint8, values: Mapping[int, int] | None) -> Uint8:
    table = np.arange(256, dtype=np.uint8)
    for value, target in (values or {}).items():
        table[value] = target
    return table[mask]


def _fitted(pixels: Uint8, image: Uint8) -> Uint8:
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _small(pixels: Uint8, interpolation: int) -> Uint8:
    height, width = pixels.shape[:2]
    scale = min(SIDE / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=interpolation), np.uint8)


def _stacked(rows: Sequence[Uint8]) -> Uint8:
    width = max(row.shape[1] for row in rows)
    padded = [
        cv2.copyMakeBorder(
            row, 0, _GAP, 0, width - row.shape[1], cv2.BORDER_CONSTANT, value=(_WHITE, _WHITE, _WHITE)
        )
        for row in rows
    ]
    return np.concatenate([np.asarray(row, np.uint8) for row in padded], axis=0)


def _colors() -> Uint8:
    """A colour for each mask value, (256, 3): 0 is black, the others differ from their neighbours."""
    table = np.zeros((256, 3), np.uint8)
    for value in range(1, 256):
        table[value] = PALETTE[(value - 1) % len(PALETTE)]
    return table


def _png(pixels: Uint8) -> bytes:
    _, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return bytes(data)
