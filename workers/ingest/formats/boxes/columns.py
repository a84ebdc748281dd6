"""Which columns of a table of boxes hold what: by their headings, or without these by what is in them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainyard.datasets.record import BoxForm
from workers.ingest.formats.annotations.box_forms import Units
from workers.ingest.splits.lists.list_rows import heading_words, known_split

Row = Sequence[str]
IsImage = Callable[[str], bool]

TRIED = 100
"""Rows by which columns are told."""

_IMAGES = (
    "filename", "image", "imageid", "imagepath", "imagename", "imagefile", "img", "imgname", "path", "file",
    "filepath", "fname", "name", "id", "uri", "url",
)  # fmt: skip
_CLASSES = (
    "class", "label", "classname", "labelname", "category", "categoryname", "object", "objectclass",
    "species", "type", "tag", "klasse", "classe", "clase", "name", "classid", "labelid", "categoryid",
)  # fmt: skip
_SPLITS = ("split", "set", "subset", "usage", "phase")
_CROWDS = ("isgroupof", "iscrowd")
_CORNERS = (
    ("xmin", "x1", "x0", "left", "xtl", "minx", "roix1", "bboxx1", "bboxxmin", "boxxmin", "topleftx"),
    ("ymin", "y1", "y0", "top", "ytl", "miny", "roiy1", "bboxy1", "bboxymin", "boxymin", "toplefty"),
    ("xmax", "x2", "right", "xbr", "maxx", "roix2", "bboxx2", "bboxxmax", "boxxmax", "bottomrightx"),
    ("ymax", "y2", "bottom", "ybr", "maxy", "roiy2", "bboxy2", "bboxymax", "boxymax", "bottomrighty"),
)
_CENTRES = (
    ("xcenter", "xcentre", "centerx", "centrex", "cx", "xc"),
    ("ycenter", "ycentre", "centery", "centrey", "cy", "yc"),
)
_STARTS = (
    ("x", "bboxx", "boxx", "xmin", "left", "x1"),
    ("y", "bboxy", "boxy", "ymin", "top", "y1"),
)
_LENGTHS = (
    ("w", "bboxwidth", "bboxw", "boxwidth", "width"),
    ("h", "bboxheight", "bboxh", "boxheight", "height"),
)
_WHOLE = ("bbox", "box", "boundingbox", "bounds", "coordinates")
_OF_MASKS = frozenset(("mask", "masks", "rle", "segmentation"))
_NUMBERS = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|-?\.\d+")
_NUMBER = re.compile(rf"\s*(?:{_NUMBERS.pattern})\s*\Z")
_PLAIN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The places of columns; `sides` are those of the four numbers, or of the one that has all of them.

    `form` is what the numbers are, `certain` where the headings say so; `has_head` tells of a first row of
    headings. `split`, `crowd` and `label` are None where there is no such column.
    """

    image: int
    sides: tuple[int, ...]
    form: BoxForm
    label: int | None
    certain: bool = True
    units: Units = "pixels"
    split: int | None = None
    crowd: int | None = None
    has_head: bool = True

    def numbers(self, row: Row) -> list[str]:
        """The four numbers of a row, as texts; all empty where it has no box."""
        if len(self.sides) == 1:
            return _NUMBERS.findall(row[self.sides[0]]) or [""] * 4
        return [row[place].strip() for place in self.sides]

    @property
    def width(self) -> int:
        """How many cells a row has at least."""
        places = (
            self.image,
            *self.sides,
            *(one for one in (self.label, self.split, self.crowd) if one is not None),
        )
        return max(places) + 1


def columns_of(rows: Sequence[Row], is_image: IsImage) -> Columns | None:
    """The columns of a table; None where it lists no boxes of the upload's images."""
    if len(rows) < 1:
        return None
    return _by_headings(rows, is_image) or _without_headings(rows, is_image)


def _by_headings(rows: Sequence[Row], is_image: IsImage) -> Columns | None:
    heads = [_PLAIN.sub("", head.casefold()) for head in rows[0]]
    tried = [row for row in rows[1 : TRIED + 1] if len(row) >= len(heads)]
    found = _sides(heads)
    if found is None or not tried or any(heading_words(head) & _OF_MASKS for head in rows[0]):
        return None
    form, sides, certain = found
    free = [place for place in range(len(heads)) if place not in sides]
    hits = {place: sum(is_image(row[place]) for row in tried) for place in free}
    named = [place for place in _named(heads, _IMAGES, free) if 2 * hits[place] >= len(tried)]
    image = next(iter(named), None)
    if image is None:
        image = max(free, key=lambda place: hits[place], default=None)
        if image is None or 2 * hits[image] < len(tried):
            return None
    rest = [place for place in free if place != image]
    labels = _named(heads, _CLASSES, rest)
    return Columns(
        image=image,
        sides=sides,
        form=form,
        certain=certain,
        units="fractions" if {"imageid", "labelname", "xmin"} <= set(heads) else "pixels",
        label=next((one for one in labels if not _are_numbers(tried, one)), next(iter(labels), None)),
        split=next(iter(_named(heads, _SPLITS, rest)), None),
        crowd=next(iter(_named(heads, _CROWDS, rest)), None),
    )


def _sides(heads: Sequence[str]) -> tuple[BoxForm, tuple[int, ...], bool] | None:
    """What the numbers are, the places of these, and whether the headings say it for certain."""
    places = list(range(len(heads)))
    corners = _first_of_each(heads, _CORNERS)
    if corners is not None:
        return "xyxy", corners, True
    centres = _first_of_each(heads, (*_CENTRES, *_LENGTHS))
    if centres is not None:
        return "cxcywh", centres, True
    lengths = _first_of_each(heads, (*_STARTS, *_LENGTHS))
    if lengths is not None:
        return "xywh", lengths, heads[lengths[0]] not in ("x", "bboxx", "boxx")
    whole = _named(heads, _WHOLE, places)
    return ("xywh", (whole[0],), False) if whole else None


def _first_of_each(heads: Sequence[str], sets: Sequence[Sequence[str]]) -> tuple[int, ...] | None:
    found = [next(iter(_named(heads, names, range(len(heads)))), None) for names in sets]
    places = tuple(place for place in found if place is not None)
    return places if len(set(places)) == len(sets) else None


def _named(heads: Sequence[str], names: Sequence[str], places: Sequence[int]) -> list[int]:
    """The places that are headed by these names, in the order of the names."""
    return [place for name in names for place in places if heads[place] == name]


def _without_headings(rows: Sequence[Row], is_image: IsImage) -> Columns | None:
    """The columns of a table without headings: an image, four numbers beside each other or two and two, a
    class: https://github.com/fizyr/keras-retinanet#csv-datasets."""
    tried = [row for row in rows[:TRIED] if len(row) == len(rows[0])]
    width = len(rows[0])
    if width < 5 or 2 * len(tried) < len(rows[:TRIED]):
        return None
    hits = [sum(is_image(row[place]) for row in tried) for place in range(width)]
    image = max(range(width), key=lambda place: (hits[place], -place))
    boxed = [row for row in tried if any(cell.strip() for place, cell in enumerate(row) if place != image)]
    if 2 * hits[image] < len(tried) or not boxed:
        return None
    sides = tuple(place for place in range(width) if place != image and _are_numbers(boxed, place))
    others = [place for place in range(width) if place not in (image, *sides)]
    labels = [place for place in others if any(row[place].strip() for row in boxed)]
    split = next(
        (one for one in labels if all(known_split(row[one].strip().casefold()) for row in boxed)), None
    )
    labels = [one for one in labels if one != split]
    if len(sides) == 5 and not labels:  # the number of a class, at either end
        labels, sides = ([sides[-1]], sides[:4]) if sides[0] == image + 1 else ([sides[0]], sides[1:])
        labels = labels if all(row[labels[0]].strip().isdecimal() for row in boxed) else []
    if len(sides) != 4 or len(labels) != 1 or not _are_boxes(boxed, sides):
        return None
    return Columns(
        image=image, sides=sides, form="xyxy", certain=False, label=labels[0], split=split, has_head=False
    )


def _are_numbers(rows: Sequence[Row], place: int) -> bool:
    return all(_NUMBER.match(row[place]) for row in rows)


def _are_boxes(rows: Sequence[Row], sides: Sequence[int]) -> bool:
    """Whether four numbers are no flags of labels."""
    return any(row[place].strip() not in ("0", "1") for row in rows for place in sides)
