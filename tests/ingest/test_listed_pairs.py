"""Lists that name images with their masks are obeyed, also where names alone would pair others; numbers with
a sign, and folders joined into names, are never exchanged in silence."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import answers, classes, upload_of

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


DOUBTFUL: dict[str, tuple[str, bytes]] = {
    "unknown headings": ("link.csv", rows(",", "{}", "{}", "foo,bar")),
    "no headings": ("link.csv", rows(",", "{}", "{}")),
    "tabs": ("link.tsv", rows("\t", "{}", "{}", "a1\ta2")),
    "padded": ("table.csv", rows(";", "{:03}", "{:03}", "foo;bar")),
    "spaces": ("order.txt", rows(" ", "{}", "{}")),
}


@pytest.mark.parametrize("form", DOUBTFUL)
def test_columns_that_may_pair_are_asked_about(bench: Bench, form: str) -> None:
    name, text = DOUBTFUL[form]
    called = "{:03}.png" if form == "padded" else "{}.png"
    files, masks = set_of(f"images/{called}".format, lambda one: "masks/" + called.format(TURNED[one]))
    found = answers(bench, files | {name: text}, processes=1)
    assert list(found) == ["listed", "equal"]
    assert bench.run(files | {name: text}, pair_numbers="listed", processes=1).questions == ()
    shown = [mask for _, mask in bench.arrays().values()]
    for mask, labels in zip(shown, masks, strict=True):
        np.testing.assert_array_equal(mask, labels)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"{one},{one}" for one in range(COUNT)),  # the same as names say
        "\n".join(f"{one},{one % 3}" for one in range(COUNT)),
        "\n".join(f"{one},{100 + one}" for one in range(COUNT)),
        "\n".join(["image,age", *(f"{one},{other}" for one, other in TURNED.items())]),
        "\n".join(["image_id,x,y", *(f"{one},{other},0" for one, other in TURNED.items())]),
    ],
)
def test_other_columns_of_numbers_pair_nothing(bench: Bench, text: str) -> None:
    files, _ = set_of("images/{}.png".format, "masks/{}.png".format)
    result = bench.run(files | {"table.csv": text.encode()}, processes=1)
    assert result.questions == ()
    assert result.summary is not None


def test_pairs_of_a_list_that_is_not_there_are_refused(bench: Bench) -> None:
    files, _ = set_of("images/{}.png".format, "masks/{}.png".format)
    assert codes(bench.run(files, pair_numbers="listed")) == ["pair_numbers_absent"]
