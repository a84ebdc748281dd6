"""Masks of their image's proportions and another size."""

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded, photo
from tests.ingest.scenes import HEIGHT, WIDTH, answers, classes, names_of, objects, photo_of
from workers.ingest.pictures.mask_fit import same_proportions

SIZES = [(80, 60), (320, 240), (53, 40), (159, 119), (100, 75)]


def resized(mask: Array, size: tuple[int, int]) -> Array:
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))


def set_of(
    size: tuple[int, int] | None, *, scaled: int = 6, images: int = 6
) -> tuple[dict[str, bytes], list[Array]]:
    """Images with masks, the first `scaled` of which have another size."""
    masks = [classes((1, 2), 2, seed) for seed in range(images)]
    files = {}
    for number, mask in enumerate(masks):
        sent = resized(mask, size) if size and number < scaled else mask
        files[f"s/images/{number}.png"] = encoded(photo_of(mask, number))
        files[f"s/masks/{number}.png"] = encoded(sent)
    return files, masks


@pytest.mark.parametrize("size", SIZES)
def test_it_is_asked_and_resampled(bench: Bench, size: tuple[int, int]) -> None:
    files, masks = set_of(size)
    asked = bench.run(files)
    [question] = asked.questions
    assert question.code == "mask_size"
    assert f"{size[0]}x{size[1]}" in question.text
    assert "160x120" in question.text
    assert [choice.key for choice in question.choices] == ["resample"]
    answered = answers(bench, files)["resample"]
    assert set(names_of(answered)) == {0, 1, 2}
    same = [np.mean(mask == masks[int(name)]) for name, (_, mask) in bench.arrays().items()]
    assert min(same) > 0.97


def test_of_some_it_is_asked_and_they_may_be_left_out(bench: Bench) -> None:
    files, _ = set_of((80, 60), scaled=4)
    results = answers(bench, files)
    assert [result.summary.images for result in results.values() if result.summary] == [6, 2]
    assert codes(results["refuse"], "warning").count("mask_size_left_out") == 4


@pytest.mark.parametrize("mode", ["palette", "rgb", "16 bits"])
def test_masks_of_every_kind_are_resampled(bench: Bench, mode: str) -> None:
    files, masks = set_of(None)
    for number, mask in enumerate(masks):
        small = resized(mask, (80, 60))
        image = Image.frombytes("P", (80, 60), small.tobytes())
        image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        kinds = {"palette": image, "rgb": image.convert("RGB"), "16 bits": small.astype(np.uint16)}
        files[f"s/masks/{number}.png"] = encoded(kinds[mode])
    result = bench.run(files, mask_size="resample")
    assert len(names_of(result)) == 3
    assert bench.arrays()["0"][1].shape == (HEIGHT, WIDTH)


def test_small_ids_of_objects_are_resampled(bench: Bench) -> None:
    files = {}
    for number in range(8):
        ids = objects(2 + number, number)
        files[f"images/{number}.png"] = encoded(photo_of(ids, number))
        files[f"masks/{number}.png"] = encoded(resized(ids.astype(np.uint8), (80, 60)))
    result = bench.run(files, mask_size="resample", objects="one_class")
    assert names_of(result) == {0: "background", 1: "object"}


def test_few_of_another_size_are_errors_that_name_the_way_out(bench: Bench) -> None:
    files, _ = set_of((80, 60), scaled=1)
    result = bench.run(files)
    assert [(one.code, one.file) for one in result.problems] == [("mask_size", "s/masks/0.png")]
    assert "80x60" in result.problems[0].message
    assert "160x120" in result.problems[0].message
    assert "`mask_size: resample`" in result.problems[0].remedy
    assert bench.run(files, mask_size="resample").summary is not None


@pytest.mark.parametrize("options", [{}, {"mask_size": "resample"}])
def test_other_proportions_are_errors(bench: Bench, options: dict[str, str]) -> None:
    files, _ = set_of((80, 80))
    result = bench.run(files, **options)
    assert set(codes(result)) == {"mask_size"}
    assert "resample" not in result.problems[0].remedy


def test_none_is_left_where_all_are_refused(bench: Bench) -> None:
    files, _ = set_of((80, 60))
    assert codes(bench.run(files, mask_size="refuse")) == ["mask_size"]


def test_a_small_mask_of_a_turned_image_turns_with_it(bench: Bench) -> None:
    files, masks = set_of(None)
    for number, mask in enumerate(masks):
        files[f"s/images/{number}.png"] = encoded(photo_of(mask, number), "JPEG", orientation=6)
        files[f"s/masks/{number}.png"] = encoded(resized(mask, (80, 60)))
    bench.run(files, mask_size="resample")
    turned = bench.arrays()["0"][1]
    assert turned.shape == (WIDTH, HEIGHT)
    assert np.mean(turned == np.rot90(masks[0], -1)) > 0.97


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((80, 60), (160, 120), True),
        ((256, 256), (1024, 1024), True),
        ((53, 40), (160, 120), True),
        ((1920, 1080), (640, 361), True),
        ((101, 101), (128, 128), True),
        ((80, 60), (120, 160), False),
        ((8, 6), (7000, 7000), False),
        ((512, 512), (640, 480), False),
        ((1024, 1000), (1024, 1024), False),
    ],
)
def test_proportions(one: tuple[int, int], other: tuple[int, int], same: bool) -> None:
    assert same_proportions(one, other) == same
    assert same_proportions(other, one) == same


@pytest.mark.parametrize("pattern", ["masks/{cls}/{number}.png", "masks/{number}_{cls}.png"])
@pytest.mark.parametrize("count", [2, 9])
def test_smaller_masks_of_one_class_each(bench: Bench, pattern: str, count: int) -> None:
    """Of at most 8 classes they may overlap, of more they may not."""
    names = ["cat", "dog", "owl", "fox", "bee", "ant", "cow", "pig", "hen"][:count]
    files = {}
    for number in range(4):
        drawn = np.zeros((40, 60), np.uint8)
        for value in range(1, count + 1):
            drawn[4 * value : 4 * value + 4, 10 + number : 40] = value
        files[f"images/{number}.png"] = encoded(photo(number, 40, 60))
        for value, name in enumerate(names, start=1):
            shown = (drawn[1::2, 1::2] == value).astype(np.uint8) * 255
            files[pattern.format(cls=name, number=number)] = encoded(shown)
    [question] = bench.run(files).questions
    assert question.code == "mask_size"
    result = bench.run(files, mask_size="resample")
    assert result.summary is not None
    assert [info.name for info in result.summary.classes] == ["background", *sorted(names)]
    _, values = bench.arrays()["0"]
    assert [len(np.unique(values[4 * row : 4 * row + 4])) for row in range(1, count + 1)] == [2] * count
    assert codes(bench.run(files, mask_size="refuse")) == ["mask_size"]
