"""Masks whose images are not in the upload."""

import pytest

from tests.ingest.made import Bench, codes, drawn, encoded, mask, named, photo

COUNT = 6
LONE = 2
WAYS = {
    "an ending": ("d/{}.png", "d/{}_mask.png"),
    "a beginning": ("d/{}.png", "d/gt_{}.png"),
    "a number behind": ("d/{}.jpg", "d/{}_mask_1.png"),
    "two words": ("d/b ({}).png", "d/b ({})_Ground Truth.png"),
    "a folder below": ("d/{}.png", "d/map/{}_MASK.tif"),
    "an unknown folder": ("images/{}.png", "x/{}_seg.png"),
    "a folder": ("images/{}.png", "masks/{}.png"),
    "words for both": ("d/{}_img.png", "d/{}_mask.png"),
    "PNG beside JPEG": ("d/{}.jpg", "d/{}.png"),
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("unmasked", [None, "background"])
def test_a_mask_is_never_called_an_image(bench: Bench, name: str, unmasked: str | None) -> None:
    image, truth = WAYS[name]
    files = {truth.format(number): encoded(drawn(number, 255)) for number in range(COUNT)}
    for number in range(COUNT):
        if number != LONE:
            kind = "JPEG" if image.endswith("jpg") else "PNG"
            files[image.format(number)] = encoded(photo(number, 48, 48), kind)
    result = bench.run(files, unmasked=unmasked)
    assert result.summary is not None, result.questions or result.problems
    assert result.summary.images == COUNT - 1
    assert named(result.problems) == [("mask_without_image", truth.format(LONE))]


def test_images_that_are_called_as_masks_are_have_masks(bench: Bench) -> None:
    files = {f"faces/with_mask_{number}.jpg": encoded(photo(number), "JPEG") for number in range(4)}
    files |= {f"faces/with_mask_{number}_seg.png": encoded(mask(0, 1)) for number in range(4)}
    assert bench.run(files).summary is not None
    assert len(bench.arrays()) == 4


@pytest.mark.parametrize("name", ["标签_{}", "label{}", "{}_map"])
def test_what_lies_in_a_folder_of_images_is_one(bench: Bench, name: str) -> None:
    names = [*(name.format(number) for number in range(2)), "cat", "dog"]
    files = {f"images/{one}.png": encoded(photo(number)) for number, one in enumerate(names)}
    result = bench.run(files | {f"masks/{one}.png": encoded(mask(0, 1)) for one in names})
    assert set(bench.arrays()) == set(names)
    assert result.problems == ()


@pytest.mark.parametrize("path", ["masks/{}.png", "d/{}_mask.png", "gt/{}_mask.png"])
def test_masks_alone_are_no_set(bench: Bench, path: str) -> None:
    result = bench.run({path.format(number): encoded(mask(0, 1)) for number in range(5)})
    assert codes(result)


@pytest.mark.parametrize("mark", ["_manual1", "_mask_1", "_1stHO", "_expert 2"])
def test_a_number_behind_a_mask_is_not_the_name_of_its_image(bench: Bench, mark: str) -> None:
    numbers = [1, 2, 3, 4, 7, 10, 11]
    files = {f"IMAGES/{number}.jpeg": encoded(photo(number, 48, 48), "JPEG") for number in numbers}
    files |= {f"MASKS/{number}{mark}.png": encoded(drawn(number, 1)) for number in (1, 2, 3, 5, 10, 11)}
    result = bench.run(files, unmasked="leave_out")
    assert set(bench.arrays()) == {"1", "2", "3", "10", "11"}
    assert sorted(codes(result, "warning")) == [
        "image_without_mask",
        "image_without_mask",
        "mask_without_image",
    ]
