"""Small pictures with a known truth: textured photographs of blobs, and masks of them in many codes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

IGNORED = 255
"""The class number of a pixel that counts as no class."""

COLORS = ((0, 0, 0), (128, 64, 128), (70, 140, 70), (220, 20, 60), (0, 130, 180), (250, 170, 30))
"""What renderings show of background and of the classes, RGB."""

_FORMATS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "tif": "TIFF",
    "tiff": "TIFF",
    "bmp": "BMP",
    "gif": "GIF",
}
_TRIES = 60


@dataclass(frozen=True)
class Scene:
    """`photo` is (H, W, 3) uint8 RGB; `objects` (H, W) uint8 with the number of the object, from 1, or 0.

    `kinds` are the classes of the objects, from 1, in order.
    """

    photo: Array
    objects: Array
    kinds: tuple[int, ...]

    @property
    def labels(self) -> Array:
        """The class of each pixel, (H, W) uint8; 0 is background."""
        return np.array((0, *self.kinds), np.uint8)[self.objects]

    def part(self, wanted: Sequence[int]) -> Array:
        """The class of each pixel, of these objects alone; 0 is elsewhere."""
        return np.where(np.isin(self.objects, wanted), self.labels, 0).astype(np.uint8)


def scene(seed: int, size: tuple[int, int], kinds: Sequence[int]) -> Scene:
    """A photograph of (width, height) with an object of each of these classes, none touching another.

    Where there is no room, the last ones are left out.
    """
    random = np.random.default_rng(seed)
    width, height = size
    objects = np.zeros((height, width), np.uint8)
    placed: list[int] = []
    for kind in kinds:
        blob = _free_place(random, objects)
        if blob is not None:
            placed.append(kind)
            objects[blob] = len(placed)
    return Scene(_photo(random, objects, placed), objects, tuple(placed))


def _free_place(random: np.random.Generator, objects: Array) -> Array | None:
    """Pixels of an ellipse or a rectangle that keeps two pixels away from all others."""
    height, width = objects.shape
    y, x = np.mgrid[:height, :width]
    for _ in range(_TRIES):
        a, b = random.integers(3, 6, 2)
        cx, cy = random.integers(a + 1, width - a - 1), random.integers(b + 1, height - b - 1)
        dx, dy = np.abs(x - cx) / a, np.abs(y - cy) / b
        blob = (dx**2 + dy**2 <= 1) if random.random() < 0.7 else (np.maximum(dx, dy) <= 0.85)
        near = objects[max(cy - b - 2, 0) : cy + b + 3, max(cx - a - 2, 0) : cx + a + 3]
        if blob.any() and not near.any():
            return np.asarray(blob)
    return None


def _photo(random: np.random.Generator, objects: Array, kinds: Sequence[int]) -> Array:
    height, width = objects.shape
    coarse = random.integers(40, 170, (height // 8 + 1, width // 8 + 1, 3)).astype(np.uint8)
    base = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    tint = random.integers(-25, 25, (len(kinds) + 1, 3))
    lift = np.array([0, *(45 + 12 * kind for kind in kinds)])[:, None] + tint
    lift[0] = 0
    noisy = base + lift[objects] + random.integers(-12, 13, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def flat_photo(seed: int, size: tuple[int, int]) -> Array:
    """A photograph without objects."""
    return scene(seed, size, ()).photo


def picture(pixels: Array | Image.Image, ending: str) -> bytes:
    """A picture file in the format of that ending, such as `png`."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    kind = _FORMATS[ending.lower()]
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": 92} if kind == "JPEG" else {}))
    return buffer.getvalue()


def shown(data: bytes) -> Array:
    """What a picture file shows, (H, W, 3) uint8 RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def overlay(photo: Array, labels: Array) -> Array:
    """The photograph with its classes in colour, as previews show them."""
    tinted = (photo.astype(int) + 2 * _colored(labels).astype(int)) // 3
    return np.asarray(np.where((labels > 0)[..., None], tinted, photo), np.uint8)


def rendering(labels: Array) -> Array:
    """The classes in colour, (H, W, 3) uint8."""
    return _colored(labels)


def outline(labels: Array) -> Array:
    """The edges of the objects, 0 and 255."""
    inside = labels > 0
    edge = np.zeros_like(inside)
    edge[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    edge[1:] |= inside[1:] != inside[:-1]
    return (edge * 255).astype(np.uint8)


def depth(seed: int, size: tuple[int, int]) -> Array:
    """A smooth picture of grey levels, (H, W) uint8."""
    random = np.random.default_rng(seed)
    coarse = random.integers(20, 230, (3, 4)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.uint8)


def view_field(size: tuple[int, int]) -> Array:
    """A disc that is the same in all pictures: where the camera sees something, 0 and 255."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) / (width / 2.1)) ** 2 + ((y - height / 2) / (height / 2.1)) ** 2 <= 1
    return np.asarray(inside * 255, np.uint8)


def _colored(labels: Array) -> Array:
    table = np.zeros((256, 3), np.uint8)
    table[: len(COLORS)] = COLORS
    table[IGNORED] = (224, 224, 192)
    return np.asarray(table[labels])


def _palette(image: Array, table: Array) -> Image.Image:
    indexed = Image.fromarray(image)
    indexed.putpalette(table.astype(np.uint8).tobytes())
    return indexed


def _black_and_white(labels: Array) -> Image.Image:
    table = np.zeros((256, 3), np.uint8)
    table[1] = 255
    return _palette((labels > 0).astype(np.uint8), table)


def _levels(labels: Array) -> Array:
    return np.array([0, 128, 255], np.uint8)[labels]


BINARY_CODES = {
    "0/255": lambda labels: ((labels > 0) * 255).astype(np.uint8),
    "0/1": lambda labels: (labels > 0).astype(np.uint8),
    "one bit": lambda labels: Image.fromarray(labels > 0),
    "grey in rgb": lambda labels: np.repeat(((labels > 0) * 255).astype(np.uint8)[..., None], 3, axis=2),
    "white in a palette": _black_and_white,
}
"""Ways to write a mask of one class; each takes the class of each pixel, 0 or 1."""

CLASS_CODES = {
    "ids": lambda labels: labels,
    "colors": _colored,
    "palette": lambda labels: _palette(labels, _colored(np.arange(256, dtype=np.uint8))),
}
"""Ways to write a mask of several classes."""

LEVEL_CODES = {"three greys": _levels}
"""Ways to write a mask of two classes and background."""

OBJECT_CODES = {
    "object ids": lambda objects: objects,
    "object ids in 16 bits": lambda objects: objects.astype(np.uint16),
}
"""Ways to write a mask of objects; each takes the number of the object of each pixel."""
