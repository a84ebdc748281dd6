"""The records of one COCO file: images, categories, and annotations with the regions that they draw.

Format: https://cocodataset.org/#format-data. Ids may be numbers or their text, as some exporters write them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from workers.ingest.problems import Refused
from workers.ingest.regions.masks import Polygon
from workers.ingest.regions.polygons import FAR, ring
from workers.ingest.regions.rle import Runs, read_rle
from workers.ingest.text.json_stream import records

Key = int | str

Size = tuple[int, int]

_LONGEST_ID = 18  # digits of a number that is read from text


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageRecord:
    """An image as the file lists it; `size` is (width, height), None where it is not stated."""

    key: Key
    file_name: str
    size: Size | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """A class as the file lists it."""

    key: Key
    name: str
    parent: str | None
    is_thing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """An object; `drawn` and `box` are the raw `segmentation` and `bbox`."""

    key: Key | None
    image: Key | None
    category: Key | None
    crowd: bool
    area: float | None
    drawn: object
    box: object

    @property
    def has_mask(self) -> bool:
        """Whether anything more than a box is there."""
        return self.drawn not in (None, [], {}, [[]], "")

    def region(self, value: int, size: Size | None) -> Polygon | Runs:
        """The region drawn, on an image of that size; raises Refused where it cannot be read."""
        if isinstance(self.drawn, Mapping):
            return _runs(self.drawn, value, size)
        if not isinstance(self.drawn, list):
            raise _broken(f"its segmentation is a {type(self.drawn).__name__}")
        outlines = self.drawn if isinstance(self.drawn[0], list) else [self.drawn]
        return Polygon(value=value, rings=tuple(ring(outline) for outline in outlines))

    def numbers(self) -> tuple[float, float, float, float]:
        """The four numbers of the box; raises Refused where there are none, or none of a picture."""
        try:
            x, y, width, height = (float(side) for side in self.box)  # type: ignore[attr-defined]
        except (TypeError, ValueError, OverflowError) as error:
            raise _broken("it has neither segmentation nor bbox") from error
        if not all(abs(side) <= FAR for side in (x, y, width, height)):
            raise _broken(f"a number of its bbox is not finite or beyond {FAR:.0f}")
        return x, y, width, height


@dataclass(frozen=True, kw_only=True, slots=True)
class Segments:
    """The segments of an image in its picture of ids, `mask`; the lists are one entry for each."""

    image: Key | None
    mask: str
    ids: list[int]
    categories: list[Key | None]
    crowds: list[bool]


def images(file: BinaryIO) -> Iterator[ImageRecord]:
    """The images; records that name no file are left out. Raises Refused where it is no JSON."""
    for record in _objects(file, "images"):
        key, name = _key(record.get("id")), record.get("file_name")
        if key is not None and isinstance(name, str) and name:
            yield ImageRecord(key=key, file_name=name, size=_size(record))


def categories(file: BinaryIO) -> Iterator[Category]:
    """The categories, of which the one without a name is named by its id. Raises Refused."""
    for record in _objects(file, "categories"):
        key, name, parent = _key(record.get("id")), record.get("name"), record.get("supercategory")
        if key is not None:
            yield Category(
                key=key,
                name=str(name) if isinstance(name, str | int) else f"category_{key}",
                parent=parent if isinstance(parent, str) else None,
                is_thing=_key(record.get("isthing")) == 1,
            )


def annotations(file: BinaryIO) -> Iterator[Annotation]:
    """The annotations. Raises Refused."""
    for record in _objects(file, "annotations"):
        yield Annotation(
            key=_key(record.get("id")),
            image=_key(record.get("image_id")),
            category=_key(record.get("category_id")),
            crowd=_key(record.get("iscrowd")) == 1,
            area=_area(record.get("area")),
            drawn=record.get("segmentation"),
            box=record.get("bbox"),
        )


def segments(file: BinaryIO) -> Iterator[Segments]:
    """The annotations of panoptic segmentation; those that name no picture are left out. Raises Refused."""
    for record in _objects(file, "annotations"):
        mask, listed = record.get("file_name"), record.get("segments_info")
        if isinstance(mask, str) and mask and isinstance(listed, list):
            entries = [entry for entry in listed if isinstance(entry, dict)]
            yield Segments(
                image=_key(record.get("image_id")),
                mask=mask,
                ids=[_segment_id(entry.get("id")) for entry in entries],
                categories=[_key(entry.get("category_id")) for entry in entries],
                crowds=[_key(entry.get("iscrowd")) == 1 for entry in entries],
            )


def _segment_id(value: object) -> int:
    number = _key(value)
    if isinstance(number, int) and 0 <= number < 1 << 24:
        return number
    raise _broken(f"a segment has the id {str(value)[:20]}, and not a colour from 0 to 16777215")


def _objects(file: BinaryIO, key: str) -> Iterator[dict[str, Any]]:
    return (record for record in records(file, key) if isinstance(record, dict))


def _key(value: object) -> Key | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else text
    return int(value) if isinstance(value, int) else None


def _area(value: object) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and 0 < value < FAR**2 else None  # type: ignore[arg-type, operator]


def _size(record: Mapping[str, Any]) -> Size | None:
    width, height = _key(record.get("width")), _key(record.get("height"))
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        return width, height
    return None


def _runs(drawn: Mapping[Any, Any], value: int, size: Size | None) -> Runs:
    runs = read_rle(value, drawn.get("counts"), drawn.get("size"))
    if size is not None and size != (runs.width, runs.height):
        raise _broken(f"its mask is {runs.width}x{runs.height} and its image {size[0]}x{size[1]} pixels")
    return runs


def _broken(what: str) -> Refused:
    return Refused("annotation_broken", f"An annotation cannot be read: {what}.", "Export it anew.")
