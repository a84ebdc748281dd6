"""Masks of one object each, whose names or folders say its class and count it; and folders that only part a
large set."""

from collections import Counter

import numpy as np
import pytest

from tests.ingest.made import Bench, encoded
from tests.ingest.scenes import objects, photo_of

CATS_AND_DOGS = ((1, 1, 2), (1, 2, 2), (1, 2), (2,), (1, 1, 1, 2), (2, 1))
"""The class of each object of an image."""
NAMES = {1: "cat", 2: "dog"}


def _set(template: str, kinds: tuple[tuple[int, ...], ...] = CATS_AND_DOGS) -> tuple[dict[str, bytes], list]:
    """A mask for each object; `{k}` counts within its class, `{j}` within its image, from 1."""
    files, truth = {}, []
    for number, classes in enumerate(kinds):
        ids = objects(len(classes), number)
        files[f"images/{number:03}.png"] = encoded(photo_of(ids, number))
        counted: Counter[int] = Counter()
        for place, kind in enumerate(classes, start=1):
            counted[kind] += 1
            name = template.format(
                n=number,
                c=NAMES[kind],
                k=counted[kind],
                j=place,
                h=f"{hash((number, place)) & 0xFFFFFFFF:08x}",
            )
            files[name] = encoded(((ids == place) * 255).astype(np.uint8))
        truth.append(np.array((0, *classes))[ids])
    return files, truth


@pytest.mark.parametrize(
    "template",
    [
        "masks/{c}/{n:03}_{k}.png",
        "masks/{n:03}_{c}_{k}.png",
        "masks/{n:03}_{c}{k}.png",
        "masks/{n:03}_{j}_{c}.png",
        "masks/{n:03} {c} ({k}).png",
        "masks/{n:03}/{c}_{k}.png",
        "masks/{n:03}/{c}/{k}.png",
        "masks/{c}/{n:03}/{k}.png",
        "masks/{n:03}/{c}_{h}.png",
        "masks/{n:03}_{c}_{h}.png",
    ],
)
def test_objects_are_of_the_class_that_their_masks_name(bench: Bench, template: str) -> None:
    files, truth = _set(template)
    result = bench.run(files)
    assert result.summary is not None, (result.problems, result.questions)
    assert [one.name for one in result.summary.classes] == ["background", "cat", "dog"]
    for (_, mask), labels in zip(bench.arrays().values(), truth, strict=True):
        np.testing.assert_array_equal(mask, labels)
    assert result.summary.reading is not None
    assert result.summary.reading.classes == "the names of masks and of their folders"


def test_numbers_that_all_images_have_are_part_of_names(bench: Bench) -> None:
    files, _ = _set("masks/{n:03}_{c}_{k}.png", kinds=((1, 1, 2),) * 4)
    result = bench.run(files)
    assert result.summary is not None
    assert [one.name for one in result.summary.classes[1:]] == ["cat_1", "cat_2", "dog_1"]


@pytest.mark.parametrize(
    "template",
    [
        "masks/0/{n:05}_{c}.png",
        "masks/part{part}/{n:05}_{c}.png",
        "masks/all/{n:05}_{c}.png",
        "masks/0/{c}_{n:05}.png",
    ],
)
def test_folders_that_part_the_masks_name_no_class(bench: Bench, template: str) -> None:
    """As CelebAMask-HQ, with 2,000 images to a folder, and not every part in each."""
    files = {}
    for number, names in enumerate((("hair", "l_eye"), ("hair",), ("hair", "r_eye"), ("l_eye", "hair"))):
        ids = objects(len(names), number)
        files[f"photos/{number}.jpg"] = encoded(photo_of(ids, number), "JPEG")
        for place, name in enumerate(names, start=1):
            path = template.format(n=number, part=number // 2, c=name)
            files[path] = encoded(((ids == place) * 255).astype(np.uint8))
    result = bench.run(files)
    assert result.summary is not None, (result.problems, result.questions)
    assert {one.name: one.images for one in result.summary.classes[1:]} == {"hair": 4, "l_eye": 2, "r_eye": 1}


@pytest.mark.parametrize("words", [("hair", "skin"), ("roof", "wall", "door")])
def test_folders_of_whole_sets_name_no_class(bench: Bench, words: tuple[str, ...]) -> None:
    """Of two folders, each image in one and its masks in the other, none is a label."""
    files = {}
    for number in range(8):
        ids = objects(len(words), number)
        files[f"Faces-HQ/Faces-img/{number}.jpg"] = encoded(photo_of(ids, number), "JPEG")
        for place, word in enumerate(words, start=1):
            mask = encoded(((ids == place) * 255).astype(np.uint8))
            files[f"Faces-HQ/Faces-mask-anno/0/{number:05}_{word}.png"] = mask
    result = bench.run(files)
    assert result.summary is not None, (result.problems, result.questions)
    assert {one.name: one.images for one in result.summary.classes[1:]} == dict.fromkeys(words, 8)


def test_folders_that_part_masks_of_objects_name_no_class(bench: Bench) -> None:
    files = {}
    for number in range(4):
        ids = objects(2 + number % 2, number)
        files[f"photos/{number}.jpg"] = encoded(photo_of(ids, number), "JPEG")
        for place in range(1, int(ids.max()) + 1):
            mask = encoded(((ids == place) * 255).astype(np.uint8))
            files[f"masks/part{number // 2}/{number}_{place}.png"] = mask
    result = bench.run(files)
    assert result.summary is not None, (result.problems, result.questions)
    assert [one.name for one in result.summary.classes[1:]] == ["object"]
