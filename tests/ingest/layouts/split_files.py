"""Lists of the images of each split, in the forms in which sets carry them."""

import posixpath
from collections.abc import Callable
from dataclasses import replace

from tests.ingest.layouts.layout import Builder

SPLITS = ("train", "val", "test")

FILES = (
    "{}.txt",
    "ImageSets/Segmentation/{}.txt",
    "splits/{}.txt",
    "{}_list.txt",
    "lists/{}_ids.txt",
    "{}.csv",
)

Line = Callable[[str, str], str]
"""What a list says of an image and its mask."""

LINES: dict[str, Line] = {
    "stems": lambda image, _: posixpath.splitext(posixpath.basename(image))[0],
    "names": lambda image, _: posixpath.basename(image),
    "paths": lambda image, _: image,
    "pairs": lambda image, mask: f"{image} {mask}",
    "pairs by comma": lambda image, mask: f"{image},{mask}",
}


def add_lists(builder: Builder) -> None:
    """Give each pair a split, and write lists that say so, in the deepest folder that all lie in."""
    draw = builder.draw
    form = draw.pick("lists", tuple(LINES))
    file = draw.pick("list files", FILES)
    pairs = builder.pairs
    said = {image: LINES[form](image, one.masks[0]) for image, one in pairs.items()}
    has_space = any(" " in text for image, one in pairs.items() for text in (image, *one.masks))
    if len(set(said.values())) < len(said) or (form == "pairs" and has_space):
        form = draw.traits["lists"] = "paths"
    if file.endswith(".csv"):
        form = draw.traits["lists"] = "pairs by comma"
    top = posixpath.commonpath([*pairs, *(mask for one in pairs.values() for mask in one.masks)])
    names = SPLITS[: draw.one_of((2, 2, 3))]
    parts = {image: names[0 if i % 3 else i // 3 % len(names)] for i, image in enumerate(pairs)}
    for split in names:
        lines = [_line(form, image, pairs[image].masks[0], top) for image in parts if parts[image] == split]
        head = ["image,mask"] if file.endswith(".csv") else []
        builder.add(posixpath.join(top, file.format(split)), "\n".join([*head, *lines, ""]).encode())
    for image, split in parts.items():
        pairs[image] = replace(pairs[image], split=split)


def _line(form: str, image: str, mask: str, top: str) -> str:
    if not top:
        return LINES[form](image, mask)
    return LINES[form](posixpath.relpath(image, top), posixpath.relpath(mask, top))
