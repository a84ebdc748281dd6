"""Files that are neither images nor masks of a set, as people leave them lying beside these."""

from collections.abc import Callable
from itertools import islice

import numpy as np
from PIL import Image

from tests.ingest.layouts.layout import Builder, Labelled
from tests.ingest.layouts.scenes import Array, depth, flat_photo, outline, overlay, picture, rendering, shown

Place = Callable[[str, str, str], str]
"""The path of a picture in a folder of that name, made of the image of that path, with that ending."""


def _small(photo: Array, _: Array, __: int) -> Array:
    image = Image.fromarray(photo)
    return np.asarray(image.resize((image.width // 2, image.height // 2)))


def _depth(photo: Array, _: Array, seed: int) -> Array:
    return depth(seed, (photo.shape[1], photo.shape[0]))


KINDS: dict[str, tuple[str, Callable[[Array, Array, int], Array]]] = {
    "overlays": ("png", lambda photo, labels, _: overlay(photo, labels)),
    "preview": ("jpg", lambda photo, labels, _: overlay(photo, labels)),
    "visualization": ("png", lambda photo, labels, _: np.hstack([photo, rendering(labels)])),
    "thumbs": ("jpg", _small),
    "depth": ("png", _depth),
    "edges": ("png", lambda _, labels, __: outline(labels)),
    "masks_color": ("png", lambda _, labels, __: rendering(labels)),
}
"""Folders of pictures of the same names, the ending of these, and what they show."""


def add_distractors(builder: Builder, place: Place) -> None:
    """A picture of one kind for each pair, or for the first few, in a folder of its own."""
    draw = builder.draw
    folder = draw.pick("distractors", tuple(KINDS))
    ending, drawn = KINDS[folder]
    pairs: list[tuple[str, Labelled]] = list(islice(builder.pairs.items(), 3 if draw.chance(0.3) else None))
    for number, (path, one) in enumerate(pairs):
        made = drawn(shown(builder.files[path]), one.labels, draw.seed * 100 + number)
        builder.add(place(folder, path, ending), picture(made, ending))


_SIGNS = ("{} (1)", "{}(1)", "{} - Copy", "{} copy", "Copy of {}", "{}_copy")


def add_copies(builder: Builder) -> None:
    """Copies of a few images, or of images and masks, as browsers and file managers make them."""
    draw = builder.draw
    sign = draw.pick("copies", _SIGNS)
    for image, one in list(builder.pairs.items())[: draw.one_of((1, 3))]:
        for path in (image, *one.masks)[: draw.one_of((1, 2))]:
            folder, slash, name = path.rpartition("/")
            stem, dot, ending = name.rpartition(".")
            builder.add(f"{folder}{slash}{sign.format(stem)}{dot}{ending}", builder.files[path])


CLUTTER = {
    "README.md": b"# A set\n\nSee the paper.\n",
    "LICENSE": b"CC BY 4.0\n",
    "Thumbs.db": b"\xd0\xcf\x11\xe0thumbs",
    ".DS_Store": b"\0\0\0\1Bud1",
    "metadata.csv": b"id,age\n1,34\n2,51\n",
    "make_masks.py": b"print('masks')\n",
    "paper.pdf": b"%PDF-1.4\n",
}


def add_clutter(builder: Builder) -> None:
    """Some files that are no pictures, what macOS adds, or one picture of the README."""
    draw = builder.draw
    draw.traits["clutter"] = "yes"
    for name in draw.random.sample(sorted(CLUTTER), 3):
        builder.add(name, CLUTTER[name])
    if draw.chance(0.4):
        for path in list(builder.pairs)[:3]:
            folder, _, name = path.rpartition("/")
            builder.add(
                "/".join(filter(None, ("__MACOSX", folder, f"._{name}"))), b"\0\5\x16\7\0\2\0\0Mac OS X"
            )
    if draw.chance(0.3):
        draw.traits["clutter"] = "with a picture"
        builder.add(
            draw.one_of(("teaser.png", "docs/figure1.png", "logo.png")),
            picture(flat_photo(draw.seed, (80, 24)), "png"),
        )
