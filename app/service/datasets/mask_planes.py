"""Pixels of prepared files for pictures of samples: rows of images, and masks of one plane or of several.

Of a pixel with several classes each has a bit; eight classes are a plane (workers/prepared/planes.py).
"""

import mmap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

from app.service.datasets.samples import PreparedIndex, SampleInfo
from trainyard.datasets.prepared_index import PreparedClass, mask_file
from trainyard.storage.errors import storage_error

ROWS_PER_PIXEL = 2
"""Rows read for each row of the picture, where the image has more."""
BITS = 8
"""Classes of a plane."""
_BLACK = (0, 0, 0)
_EDGE = 3


def read_rows(path: Path, offset: int, sample: SampleInfo, channels: int, height: int) -> tuple[bytes, int]:
    """The sample's pixels, of a tall one only every n-th row, and how many rows these are; raises
    StorageUnavailable."""
    step = max(1, sample.height // (height * ROWS_PER_PIXEL))
    length = sample.width * channels
    starts = range(offset, offset + sample.height * length, step * length)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return b"".join(mapped[start : start + length] for start in starts), len(starts)
    except OSError as error:
        raise storage_error(f"{path.name} could not be read", error) from error


def read_planes(index: PreparedIndex, sample: SampleInfo, size: tuple[int, int]) -> list[Image.Image]:
    """The planes of a sample's mask, made that size to the nearest pixel; raises StorageUnavailable."""
    planes = index.mask_planes
    offset = planes * sample.mask_offset
    data, rows = read_rows(index.folder / mask_file(planes), offset, sample, planes, size[1])
    return [
        Image.frombytes("L", (sample.width, rows), data[place::planes]).resize(size, Image.Resampling.NEAREST)
        for place in range(planes)
    ]


def joined(planes: Sequence[Image.Image]) -> Image.Image:
    """Planes one below the other."""
    width, height = planes[0].size
    whole = Image.new("L", (width, height * len(planes)))
    for place, plane in enumerate(planes):
        whole.paste(plane, (0, place * height))
    return whole


def tinted(
    image: Image.Image, planes: Sequence[Image.Image], classes: Sequence[PreparedClass], tint: int
) -> Image.Image:
    """The image under the colours of its classes, so strongly of 255, and in full at the edges of each; where
    several are, the later one has half."""
    colors, covered, edges = (Image.new(mode, image.size) for mode in ("RGB", "L", "L"))
    for one in classes:
        if one.color == _BLACK:
            continue
        bit = one.index % BITS
        there = planes[one.index // BITS].point([255 if value >> bit & 1 else 0 for value in range(256)])
        plain = Image.new("RGB", image.size, one.color)
        mixed = Image.composite(Image.blend(colors, plain, 0.5), plain, covered)
        colors.paste(mixed, mask=there)
        covered = ImageChops.lighter(covered, there)
        inner = there.filter(ImageFilter.MinFilter(_EDGE))
        edges = ImageChops.lighter(edges, ImageChops.difference(there, inner))
    strength = ImageChops.lighter(covered.point([value * tint // 255 for value in range(256)]), edges)
    return Image.composite(colors, image, strength)
