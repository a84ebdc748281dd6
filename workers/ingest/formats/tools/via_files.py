"""The files of VIA: the record of each image, whether it comes from JSON or from CSV."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.problems import Refused
from workers.ingest.text.sniff import mentions
from workers.ingest.text.typed_json import MAX_JSON, parse_json, text

Record = tuple[str, object]
"""Where it is in the file, and the image's entry with `filename` and `regions`."""

_PROJECT = "_via_img_metadata"
_KEYS = (b'"filename"', b'"regions"', b'"shape_attributes"')
_SHAPE, _ATTRIBUTES = "region_shape_attributes", "region_attributes"
_HEADER_BYTES = 1 << 12


def images_key(source: Source, member: Member) -> str | None:
    """The key under which a JSON file of VIA has its images, empty at the top; None for another file."""
    if mentions(source, member, f'"{_PROJECT}"'.encode()):
        return _PROJECT
    return "" if mentions(source, member, *_KEYS) else None


def is_csv(source: Source, member: Member) -> bool:
    """Whether a file begins with the header of VIA's CSV."""
    try:
        with source.open(member) as file:
            return _SHAPE.encode() in file.read(_HEADER_BYTES)
    except Refused:
        return False


def read_csv(file: BinaryIO, size: int) -> Iterator[Record]:
    """The images of exported annotations, of `size` bytes in all. Raises Refused."""
    if size > MAX_JSON:
        raise Refused(
            "annotation_too_large",
            f"The file has {size} bytes; at most {MAX_JSON} are read.",
            "Export the annotations as JSON, which may be larger.",
        )
    images: dict[str, list[object]] = {}
    rows = csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline=""))
    try:
        header = [name.strip().lstrip("#") for name in next(rows, [])]
        for number, values in enumerate(rows, start=2):
            row = dict(zip(header, values, strict=False))
            regions = images.setdefault(text(row.get("filename"), f"line {number}: filename"), [])
            shape = row.get(_SHAPE, "").strip()
            if shape not in ("", "{}"):
                attributes = row.get(_ATTRIBUTES, "").strip() or "{}"
                regions.append({"shape_attributes": _cell(shape), "region_attributes": _cell(attributes)})
    except (csv.Error, UnicodeDecodeError) as error:
        raise Refused(
            "annotation_csv", f"The file cannot be read as CSV: {error}.", "Export it again, as JSON."
        ) from error
    for name, regions in images.items():
        yield name, {"filename": name, "regions": regions}


def _cell(value: str) -> object:
    """The JSON of a cell; broken JSON stays text, which no region is read from."""
    try:
        return parse_json(value.encode("utf-8", "surrogatepass"))
    except Refused:
        return value
