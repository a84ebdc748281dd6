"""Lists that name images with their masks are obeyed, also where names alone would pair others; numbers with
a sign, and folders joined into names, are never exchanged in silence."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, encoded
from tests.ingest.scenes import classes, upload_of

COUNT = 10
TURNED = {image: image * 3 % COUNT for image in range(COUNT)}
"""The mask of each image, both by the numbers that they are called by."""


def rows(between: str, image: str = "{}.png", mask: str = "{}.png", heads: str = "") -> bytes:
    lines = [between.join((image.format(one), mask.format(other))) for one, other in TURNED.items()]
    return "\n".join([heads, *lines] if heads else lines).encode()


LISTS: dict[str, tuple[str, bytes]] = {
    "table": ("pairs.csv", rows(",", heads="image,mask")),
    "German": ("Zuordnung.csv", rows(";", heads="Bild;Maske")),
    "French": ("liste.csv", rows(";", heads="image;masque")),
    "Chinese": ("对应.csv", rows(",", heads="图像,掩码")),
    "masks first": (
        "pairs.csv",
        b"mask,image\n" + b"\n".join(f"{other}.png,{one}.png".encode() for one, other in TURNED.items()),
    ),
    "paths": ("pairs.csv", rows(",", "images/{}.png", "masks/{}.png", "a,b")),
    "text": ("mapping.txt", rows("\t")),
    "objects": (
        "meta.json",
        json.dumps(
            [{"image": f"{one}.png", "mask": f"{other}.png"} for one, other in TURNED.items()]
        ).encode(),
    ),
    "lines of objects": (
        "metadata.jsonl",
        "\n".join(
            json.dumps({"file_name": f"images/{one}.png", "label": f"masks/{other}.png"})
            for one, other in TURNED.items()
        ).encode(),
    ),
}


def set_of(
    image: Callable[[int], str], mask: Callable[[int], str], count: int = COUNT
) -> tuple[dict[str, bytes], list[Array]]:
    masks = [classes([1], 3, seed) for seed in range(count)]
    made = upload_of(map(encoded, masks), masks)
    files = {image(one): made[f"images/{one:03}.png"] for one in range(count)}
    return files | {mask(one): encoded(masks[one]) for one in range(count)}, masks


@pytest.mark.parametrize("form", LISTS)
def test_lists_tell_which_mask_is_whose(bench: Bench, form: str) -> None:
    name, text = LISTS[form]
    files, masks = set_of("images/{}.png".format, lambda one: f"masks/{TURNED[one]}.png")
    result = bench.run(files | {name: text}, processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.reading is not None
    assert "lists" in result.summary.reading.pairs
    for found, (_, mask) in bench.arrays().items():
        assert (mask == masks[int(found)]).all()


def test_a_table_that_counts_its_rows_pairs_nothing(bench: Bench) -> None:
    """The first column may be names of pictures, too."""
    files, masks = set_of("images/{}.png".format, "masks/{}.png".format)
    counted = "\n".join(f"{COUNT - 1 - one},{one}.png" for one in range(COUNT))
    result = bench.run(files | {"index.csv": f"id,image\n{counted}".encode()}, processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    for found, (_, mask) in bench.arrays().items():
        assert (mask == masks[int(found)]).all()


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/t_{}_{}.png", "masks/t_{}_{}.png"),
        ("{}/img_{}.png", "masks/{}_{}.png"),
    ],
)
@pytest.mark.parametrize("least", [0, -2])
def test_exchanged_numbers_are_asked_about(bench: Bench, image: str, mask: str, least: int) -> None:
    places = [(one + least, other + least) for one in range(4) for other in range(4)]
    files, _ = set_of(
        lambda one: image.format(*places[one]), lambda one: mask.format(*places[one][::-1]), len(places)
    )
    result = bench.run(files, processes=1)
    assert result.summary is None
    assert [one.code for one in result.questions] == ["pair_numbers"]


def test_lists_of_splits_in_yaml(bench: Bench) -> None:
    files, _ = set_of("images/{}.png".format, "masks/{}.png".format)
    parts = {"train": range(6), "val": range(6, 8), "test": range(8, 10)}
    lines = (
        f"{name}:\n" + "".join(f"  - images/{one}.png\n" for one in some) for name, some in parts.items()
    )
    result = bench.run(files | {"split.yaml": "".join(lines).encode()}, processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.splits == {"train": 6, "val": 2, "test": 2}


def test_a_field_of_view_beside_masks_that_names_do_not_tell(bench: Bench) -> None:
    """As DRIVE lies in one folder: `_manual1` is the label, `_training_mask` what the camera saw."""
    files, masks = set_of("{}_training.png".format, "{}_manual1.png".format)
    view = np.zeros_like(masks[0])
    view[3:-3, 3:-3] = 255
    files |= {f"{one}_training_mask.png": encoded(view) for one in range(COUNT)}
    result = bench.run(files, processes=1)
    assert [one.code for one in result.questions] == ["masks_ambiguous"]
