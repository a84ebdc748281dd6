"""Numbers in other places, or counted from elsewhere, in formats that know their folders."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.test_pair_numbers import hidden, seen

Draw = Callable[[int], tuple[Array, Array]]
ROAD, CAR = 7, 26
COLORS = "0 0 0 Background\n128 0 128 Car\n"
CONFIG = json.dumps(
    {"labels": [{"name": name, "readable": name, "color": [0, 0, 0]} for name in ("ground", "object")]}
)

LAYOUTS: dict[str, tuple[str, str, dict[str, bytes]]] = {
    "cityscapes": (
        "leftImg8bit/train/ulm/ulm_{0:06}_{1:06}_leftImg8bit.png",
        "gtFine/train/ulm/ulm_{0:06}_{1:06}_gtFine_labelIds.png",
        {},
    ),
    "kitti": ("training/image_2/{0:06}_{1:02}.png", "training/semantic/{0:06}_{1:02}.png", {}),
    "camvid": ("images/s_{0}_{1}.png", "labels/s_{0}_{1}_L.png", {"label_colors.txt": COLORS.encode()}),
    "mapillary": (
        "training/images/t_{0}_{1}.png",
        "training/v1.2/labels/t_{0}_{1}.png",
        {"config_v1.2.json": CONFIG.encode()},
    ),
    "voc": ("JPEGImages/{0}_{1}.png", "SegmentationClass/{0}_{1}.png", {}),
}


def written(name: str, labels: Array) -> bytes:
    """A mask of the format that shows the labels 0 and 1."""
    if name in ("cityscapes", "kitti"):
        return encoded(np.where(labels > 0, np.uint8(CAR), np.uint8(ROAD)))
    if name == "camvid":
        return encoded(np.where((labels > 0)[..., None], np.uint8([128, 0, 128]), np.uint8(0)))
    return encoded(labels)


def made(
    name: str, draw: Draw, called: Callable[[int, int], tuple[int, int]]
) -> tuple[dict[str, bytes], dict[bytes, Array]]:
    """Sixteen images of rows and columns, their masks as `called`, and the objects of each image."""
    image_path, mask_path, files = LAYOUTS[name]
    files, truth = dict(files), {}
    for row in range(1, 5):
        for column in range(1, 5):
            image, labels = draw(4 * row + column)
            files[image_path.format(row, column)] = encoded(image)
            files[mask_path.format(*called(row, column))] = written(name, labels)
            truth[image.tobytes()] = labels > 0
    return files, truth


CLASSES = {
    "folders": ("masks/{2}/{0}_{1}.png", "{}/*"),
    "endings": ("masks/{0}_{1}_{2}.png", "*_{}.png"),
    "folders of images": ("masks/{0}_{1}/{2}.png", "{}.png"),
}


def of_classes(
    name: str, draw: Draw, called: Callable[[int, int], tuple[int, int]]
) -> tuple[dict[str, bytes], dict[bytes, Array]]:
    """As `made`, with the left and the right half of a mask as two classes in files of their own."""
    files, truth = {}, {}
    for row in range(1, 5):
        for column in range(1, 5):
            image, labels = draw(4 * row + column)
            files[f"images/{row}_{column}.png"] = encoded(image)
            left = np.arange(labels.shape[1]) < labels.shape[1] // 2
            for kind, half in (("near", left), ("far", ~left)):
                part = np.where((labels > 0) & half, np.uint8(255), np.uint8(0))
                files[CLASSES[name][0].format(*called(row, column), kind)] = encoded(part)
            truth[image.tobytes()] = labels > 0
    return files, truth


def patterns(name: str) -> dict[str, str]:
    return {kind: CLASSES[name][1].format(kind) for kind in ("near", "far")}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("draw", [seen, hidden])
@pytest.mark.parametrize("by_option", [False, True])
def test_masks_of_classes_whose_numbers_are_exchanged(
    bench: Bench, name: str, draw: Draw, by_option: bool
) -> None:
    files, truth = of_classes(name, draw, lambda row, column: (column, row))
    options = {"class_masks": patterns(name)} if by_option else {}
    [question] = bench.run(files, **options).questions
    assert question.code == "pair_numbers"
    assert draw is hidden or question.choices[0].key == "exchanged"
    assert bench.run(files, pair_numbers="exchanged", **options).summary is not None
    for image, mask in bench.arrays().values():
        assert ((mask > 0) == truth[image.tobytes()]).all()


@pytest.mark.parametrize("name", ["folders", "endings"])
@pytest.mark.parametrize("draw", [seen, hidden])
def test_masks_of_classes_that_are_counted_from_elsewhere(bench: Bench, name: str, draw: Draw) -> None:
    files, truth = of_classes(name, draw, lambda row, column: (row, column + 1))
    assert codes(bench.run(files)) == ["masks_ambiguous"]
    result = bench.run(files, class_masks=patterns(name))
    assert [one.code for one in result.questions] == ([] if result.summary else ["pair_numbers"])
    assert bench.run(files, pair_numbers="in_order", class_masks=patterns(name)).summary is not None
    for image, mask in bench.arrays().values():
        assert ((mask > 0) == truth[image.tobytes()]).all()
    assert len(bench.arrays()) == 16


@pytest.mark.parametrize("name", CLASSES)
def test_masks_of_classes_of_equal_numbers(bench: Bench, name: str) -> None:
    files, truth = of_classes(name, seen, lambda row, column: (row, column))
    assert bench.run(files).questions == ()
    for image, mask in bench.arrays().values():
        assert ((mask > 0) == truth[image.tobytes()]).all()


def check(bench: Bench, truth: dict[bytes, Array]) -> None:
    names = [one.name for one in bench.prepared.classes]
    for image, mask in bench.arrays().values():
        objects = truth[image.tobytes()]
        assert len({names[index] for index in mask[objects]}) == 1
        assert set(mask[objects]).isdisjoint(mask[~objects])


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("draw", [seen, hidden])
def test_equal_numbers_are_paired(bench: Bench, name: str, draw: Draw) -> None:
    files, truth = made(name, draw, lambda row, column: (row, column))
    result = bench.run(files, pair_numbers="equal" if draw is hidden else None)
    assert (result.questions, codes(result)) == ((), [])
    assert result.summary is not None
    assert result.summary.reading is not None
    assert (result.summary.images, result.summary.reading.format) == (16, name)
    check(bench, truth)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("draw", [seen, hidden])
def test_exchanged_numbers_are_asked_about(bench: Bench, name: str, draw: Draw) -> None:
    files, truth = made(name, draw, lambda row, column: (column, row))
    [question] = bench.run(files).questions
    assert question.code == "pair_numbers"
    assert (question.choices[0].key == "exchanged") == (draw is seen)
    assert bench.run(files, pair_numbers="exchanged").summary is not None
    check(bench, truth)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("draw", [seen, hidden])
def test_numbers_counted_from_elsewhere_are_told_or_asked_about(bench: Bench, name: str, draw: Draw) -> None:
    files, truth = made(name, draw, lambda row, column: (row, column - 1))
    result = bench.run(files)
    if result.summary is None:
        [question] = result.questions
        assert question.code == "pair_numbers"
        assert bench.run(files, pair_numbers="in_order").summary is not None
    else:
        assert draw is seen
    assert len(bench.arrays()) == 16
    check(bench, truth)
