"""Pictures of samples: the image, its mask, the mask's colours laid over the image with a legend, or boxes.

Of an image with labels the legend names these; of one with boxes alone, boxes are laid over it.

Pixels are read from the prepared files, at most a few rows for each row of the picture, and made by Pillow:
the API carries no NumPy.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.service.datasets.box_drawing import draw_boxes
from app.service.datasets.mask_planes import joined, read_planes, read_rows, tinted
from app.service.datasets.samples import PreparedIndex, SampleInfo
from trainyard.datasets.prepared_index import IGNORE_INDEX
from trainyard.errors import InvalidRequest
from trainyard.lettering import draw_name

Layer = Literal["overlay", "image", "mask", "boxes"]
Color = tuple[int, int, int]

LONGEST = 512
"""Pixels of the longer side of a picture, its legend included."""
SHORTEST = 256
"""Smaller images are enlarged, pixel by pixel, to a longer side of about this."""
TINT = 128
"""How strongly colours are laid over an image, of 255."""
IGNORED = "ignored"
IGNORED_COLOR = (160, 160, 160)
PAPER, INK, BLACK = (255, 255, 255), (32, 32, 32), (0, 0, 0)
FONT_SIZE, LINE, SWATCH, GAP = 12, 18, 12, 6
COLUMN = 128
"""Pixels that a name in the legend has, at least."""
HATCH = 8
"""Pixels from one hatching line to the next."""


_Entry = tuple[tuple[str, ...], tuple[int, int, int]]
"""The names of a class, the first of which is shown that can be drawn, and its colour."""


@dataclass(frozen=True)
class _Legend:
    rows: Sequence[Sequence[_Entry]]
    columns: int

    @property
    def height(self) -> int:
        return len(self.rows) * LINE + GAP


def render(index: PreparedIndex, sample: SampleInfo, layer: Layer) -> bytes:
    """A PNG of at most LONGEST pixels a side.

    A mask's pixels are class indices, 255 where ignored; of a multilabel set, bit c is set for class c. With
    more than eight classes the picture has the planes of the mask, one below the other: bit c % 8 of plane
    c // 8.
    Raises InvalidRequest for the mask or boxes of a sample that has none.
    """
    has_masks = "masks" in index.kinds
    if layer == "boxes" and "boxes" not in index.kinds:
        raise InvalidRequest(
            f"The images of this set have {' and '.join(index.kinds)}, and no boxes.",
            errors={"layer": ["overlay or image: there are no boxes"]},
        )
    if layer == "image":
        return _png(_image(index.folder, sample, _fitted(sample, LONGEST)))
    if layer == "mask":
        if not has_masks:
            raise InvalidRequest(
                f"The images of this set have {' and '.join(index.kinds)}, and no masks.",
                errors={"layer": ["overlay or image: there is no mask"]},
            )
        if index.mask_planes > 1:
            size = _fitted(sample, LONGEST // index.mask_planes)
            return _png(joined(read_planes(index, sample, size)))
        return _png(_paletted(_mask(index, sample, _fitted(sample, LONGEST)), _colors(index)))
    width, height = _fitted(sample, LONGEST)
    legend = _legend(index, sample, width)
    if height + legend.height > LONGEST:
        width, height = _fitted(sample, LONGEST - legend.height)
    draw = _boxed if index.kinds[0] == "boxes" or layer == "boxes" else _overlay if has_masks else _plain
    return _png(_with_legend(draw(index, sample, (width, height)), legend))


def _plain(index: PreparedIndex, sample: SampleInfo, size: tuple[int, int]) -> Image.Image:
    return _image(index.folder, sample, size)


def _boxed(index: PreparedIndex, sample: SampleInfo, size: tuple[int, int]) -> Image.Image:
    picture = _image(index.folder, sample, size)
    scale = size[0] / sample.width, size[1] / sample.height
    draw_boxes(picture, scale, index.objects(sample) or ())
    return picture


def _fitted(sample: SampleInfo, tallest: int) -> tuple[int, int]:
    """Width and height of the picture of a sample."""
    longer = max(sample.width, sample.height)
    scale = min(LONGEST / sample.width, tallest / sample.height, max(1, SHORTEST // longer))
    return max(1, round(sample.width * scale)), max(1, round(sample.height * scale))


def _overlay(index: PreparedIndex, sample: SampleInfo, size: tuple[int, int]) -> Image.Image:
    """Colours over the image, full at the edges of regions; black ones would only darken it."""
    image = _image(index.folder, sample, size)
    if index.mask_planes > 1:
        return tinted(image, read_planes(index, sample, size), sample.classes, TINT)
    mask = _mask(index, sample, size)
    table = _colors(index)
    colors = _paletted(mask, table).convert("RGB")
    ignored = {IGNORE_INDEX} if _ignores(index) else set()
    plain = {value for value, color in table.items() if color == BLACK} | ignored
    shades = mask.point([0 if value in plain else TINT for value in range(256)])
    edges = ImageChops.difference(
        mask.filter(ImageFilter.MaxFilter(3)), mask.filter(ImageFilter.MinFilter(3))
    )
    outline = ImageChops.multiply(edges.point(_NONZERO), shades.point(_NONZERO))
    shown = Image.composite(colors, image, ImageChops.lighter(shades, outline))
    hatched = mask.point([255 if value in ignored else 0 for value in range(256)])
    return Image.composite(_hatched(shown), shown, hatched)


_NONZERO = [0] + [255] * 255


def _hatched(image: Image.Image) -> Image.Image:
    """The image in grey, with slanted lines."""
    grey = image.convert("L").convert("RGB")
    draw = ImageDraw.Draw(grey)
    for x in range(-grey.height, grey.width, HATCH):
        draw.line([(x, grey.height), (x + grey.height, 0)], fill=IGNORED_COLOR, width=2)
    return grey


def _image(folder: Path, sample: SampleInfo, size: tuple[int, int]) -> Image.Image:
    data, rows = read_rows(folder / "images.bin", sample.image_offset, sample, 3, size[1])
    raw = Image.frombytes("RGB", (sample.width, rows), data)
    enlarged = size[0] > sample.width
    return raw.resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX)


def _mask(index: PreparedIndex, sample: SampleInfo, size: tuple[int, int]) -> Image.Image:
    (mask,) = read_planes(index, sample, size)
    return mask


def _ignores(index: PreparedIndex) -> bool:
    """Whether IGNORE_INDEX stands for ignored pixels: in multilabel sets it is eight classes in one."""
    return index.task == "multiclass" and "masks" in index.kinds


def _colors(index: PreparedIndex) -> dict[int, Color]:
    """The colour of each value of masks; pixels of several classes have the mean of theirs."""
    if index.task == "multiclass":
        return {one.index: one.color for one in index.classes} | {IGNORE_INDEX: IGNORED_COLOR}
    fields = range(1 << len(index.classes))
    return {field: _mean([one.color for one in index.classes if field >> one.index & 1]) for field in fields}


def _mean(colors: Sequence[Color]) -> Color:
    """The mean of colours, BLACK of none."""
    if not colors:
        return BLACK
    red, green, blue = (round(sum(parts) / len(colors)) for parts in zip(*colors, strict=True))
    return red, green, blue


def _paletted(mask: Image.Image, colors: Mapping[int, Color]) -> Image.Image:
    """The mask as a palette image of these colours."""
    picture = mask.copy()
    picture.putpalette([part for value in range(256) for part in colors.get(value, PAPER)])
    return picture


def _legend(index: PreparedIndex, sample: SampleInfo, width: int) -> _Legend:
    """The classes of the sample, and `ignored` where it has such pixels, in as many columns as fit."""
    entries: list[_Entry] = [((one.name, f"class {one.index}"), one.color) for one in sample.classes]
    if _ignores(index) and index.kinds[0] == "masks" and _has_ignored(index, sample):
        entries.append(((IGNORED,), IGNORED_COLOR))
    columns = max(1, width // COLUMN)
    rows = [entries[start : start + columns] for start in range(0, len(entries), columns)]
    most = (LONGEST // 2) // LINE
    if len(rows) > most:
        hidden = len(entries) - (most * columns - 1)
        rows = [*rows[: most - 1], [*rows[most - 1][:-1], ((f"and {hidden} more",), PAPER)]]
    return _Legend(rows, columns)


def _has_ignored(index: PreparedIndex, sample: SampleInfo) -> bool:
    _, largest = _mask(index, sample, _fitted(sample, LONGEST)).getextrema()
    return largest == IGNORE_INDEX


def _with_legend(picture: Image.Image, legend: _Legend) -> Image.Image:
    width = max(picture.width, legend.columns * COLUMN)
    sheet = Image.new("RGB", (width, picture.height + legend.height), PAPER)
    sheet.paste(picture, ((width - picture.width) // 2, 0))
    draw = ImageDraw.Draw(sheet)
    room = width // legend.columns
    for row, entries in enumerate(legend.rows):
        for column, (names, color) in enumerate(entries):
            x, y = column * room + GAP, picture.height + GAP + row * LINE
            draw.rectangle(
                [x, y, x + SWATCH, y + SWATCH], fill=color, outline=INK if color != PAPER else PAPER
            )
            place, free = (x + SWATCH + GAP, y + SWATCH - 2), room - SWATCH - 3 * GAP
            draw_name(draw, place, names, size=FONT_SIZE, room=free, ink=INK)
    return sheet


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
