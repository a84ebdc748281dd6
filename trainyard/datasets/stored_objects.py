"""objects.bin of a prepared version: one record of a fixed size for each object, for the API and for workers.

    float32 x 4   left, top, right, bottom: pixels of the image as prepared, half-open
    uint64        where the outline begins in outlines.bin, in bytes; 0 without one
    uint32        bytes of the outline; 0 without one
    uint16        class, by its place in the index' `object_classes`
    uint8         1 where it is a crowd: several objects of the class, which nobody has told apart
    uint8         0

All are little-endian. outlines.bin has COCO's compressed run lengths, one after the other.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OBJECTS_FILE, OUTLINES_FILE = "objects.bin", "outlines.bin"

RECORD = struct.Struct("<4fQIHBx")

MAX_OBJECT_CLASSES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredObject:
    """An object of an image: its box in pixels of the image as prepared, its class and whether it is a crowd.

    `outline_offset` and `outline_bytes` are where its outline lies; no bytes where it has none.
    """

    box: tuple[float, float, float, float]
    index: int
    crowd: bool
    outline_offset: int
    outline_bytes: int


def stored_objects(folder: Path, first: int, count: int) -> Iterator[StoredObject]:
    """So many objects of a version from the record `first` on; raises OSError."""
    if not count:
        return
    with (folder / OBJECTS_FILE).open("rb") as file:
        file.seek(first * RECORD.size)
        data = file.read(count * RECORD.size)
    for left, top, right, bottom, offset, length, index, crowd in RECORD.iter_unpack(data):
        yield StoredObject(
            box=(left, top, right, bottom),
            index=index,
            crowd=bool(crowd),
            outline_offset=offset,
            outline_bytes=length,
        )
