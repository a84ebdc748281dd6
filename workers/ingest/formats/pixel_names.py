"""Reads `_classes.csv`, in which Roboflow names the values of its "semantic segmentation masks"."""

import csv

from workers.ingest.formats.base import Source
from workers.ingest.formats.text_files import text_of

_FILE = "_classes.csv"
_HEADER = "pixel value"


def read_pixel_names(source: Source) -> dict[int, str] | None:
    """Names by value; None where no such file is there, or it is one of another kind. Raises Refused."""
    rows = list(csv.reader((text_of(source, _FILE) or "").splitlines(), skipinitialspace=True))
    if not rows or not rows[0] or rows[0][0].strip().casefold() != _HEADER:
        return None
    named = [(row[0].strip(), row[1].strip()) for row in rows[1:] if len(row) > 1]
    return {int(value): name for value, name in named if value.isdecimal() and int(value) <= 0xFF and name}
