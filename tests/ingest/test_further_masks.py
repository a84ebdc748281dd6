"""Pictures that may be masks, too, are never left out in favour of others without a question."""

from collections.abc import Iterable

import numpy as np
import pytest

from tests.ingest.layouts.scenes import scene as drawn_scene
from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import answers, classes, objects, photo_of
from trainyard.datasets.record import MASKS

COUNT = 8
COLORS = np.array([(0, 0, 0), (200, 0, 0), (0, 0, 200)], np.uint8)


def scene(number: int) -> tuple[Array, Array]:
    """An image, and what two organs cover of it, as 0, 1 and 2."""
    mask = classes((1, 2), 2, seed=number)
    return photo_of(mask, number), mask


def organs(one: str, other: str, with_other: Iterable[int]) -> dict[str, bytes]:
    """Masks of one organ each in a folder of its own; all images but one have the first, some the other."""
    files = {}
    for number in range(COUNT):
        image, mask = scene(number)
        files[f"images/case{number}.jpg"] = encoded(image, "JPEG")
        if number:
            files[f"{one}/case{number}.png"] = encoded((mask == 1) * np.uint8(255))
        if number in with_other or not number:
            files[f"{other}/case{number}.png"] = encoded((mask == 2) * np.uint8(255))
    return files


@pytest.mark.parametrize("with_other", [range(3), range(2, COUNT)], ids=["few", "most"])
@pytest.mark.parametrize(("one", "other"), [("liver", "spleen"), ("Nerven", "Gefäße")])
def test_a_second_folder_of_masks_is_asked_about(
    bench: Bench, one: str, other: str, with_other: Iterable[int]
) -> None:
    files = organs(one, other, with_other)
    [question] = bench.run(files, processes=1).questions
    assert question.code == "masks_ambiguous"
    [whole] = [choice.options for choice in question.choices if "class_masks" in choice.options]
    assert whole["class_masks"].keys() == {one, other}
    result = bench.run(files, processes=1, **whole)
    assert result.summary is not None
    assert result.summary.images == COUNT
    names = {found.name: found.images for found in result.summary.classes}
    assert (names[one], names[other]) == (COUNT - 1, len({0, *with_other}))


@pytest.mark.parametrize("beside", ["edges", "outlines_v2", "contours"])
@pytest.mark.parametrize("folder", ["annotations", "masks", "GT"])
def test_looks_never_pass_over_a_folder_called_as_masks(bench: Bench, folder: str, beside: str) -> None:
    """Its pictures have numbers of their own in their names; the others are called as the images are."""
    files = {}
    for number in range(COUNT):
        image, mask = scene(number)
        edges = np.diff((mask > 0).astype(np.int8), axis=1, prepend=0) != 0
        files[f"img ({number})_0000.bmp"] = encoded(image, "BMP")
        files[f"{folder}/img ({number})_manual1.png"] = encoded((mask > 0) * np.uint8(255))
        files[f"{beside}/img ({number})_0000.png"] = encoded(edges * np.uint8(255))
    shares = [float((scene(number)[1] > 0).mean()) for number in range(COUNT)]
    for options in ({}, {"images": "img*.bmp", "masks": f"{folder}/*"}):
        result = bench.run(files, processes=1, **options)
        assert result.summary is not None
        assert result.summary.images == COUNT
        assert result.summary.classes[1].share == pytest.approx(float(np.mean(shares)))


def test_masks_that_names_do_not_pair_are_an_error_though_others_look_like_masks(bench: Bench) -> None:
    files = {}
    for number in range(COUNT):
        image, mask = scene(number)
        edges = np.diff((mask > 0).astype(np.int8), axis=1, prepend=0) != 0
        files[f"img{number}.bmp"] = encoded(image, "BMP")
        files[f"annotations/x{(number * 7 + 3) % 31}.png"] = encoded((mask > 0) * np.uint8(255))
        files[f"edges/img{number}.png"] = encoded(edges * np.uint8(255))
    result = bench.run(files, processes=1)
    assert "mask_without_image" in codes(result)


def test_masks_and_their_coloured_copies_are_no_parts_of_one(bench: Bench) -> None:
    colors = np.array([[0, 0, 0], [200, 60, 40], [40, 60, 200]], np.uint8)
    files = {}
    for number in range(COUNT):
        image, mask = scene(number)
        files[f"img/case_{number:04}_raw.bmp"] = encoded(image, "BMP")
        files[f"mask/case_{number:04}_map.png"] = encoded(mask)
        files[f"masks_color/case_{number:04}_raw.png"] = encoded(colors[mask])
    result = bench.run(files, processes=1)
    assert result.summary is not None
    assert [found.images for found in result.summary.classes] == [COUNT] * 3


def test_masks_of_classes_in_folders_and_names_of_their_own_are_asked_about(bench: Bench) -> None:
    files = {}
    for number in range(COUNT):
        image, mask = scene(number)
        files[f"images/{number}.png"] = encoded(image)
        files[f"masks_liver/{number}_liver.png"] = encoded((mask == 1) * np.uint8(255))
        files[f"masks_spleen/{number}_spleen.png"] = encoded((mask == 2) * np.uint8(255))
    found = answers(bench, files)
    assert any(one.summary is not None and len(one.summary.classes) == 3 for one in found.values())


def test_an_answer_is_not_asked_for_again(bench: Bench) -> None:
    """Numbers begin anew in each folder, so that masks fit images of other folders by their names, too."""
    files = {}
    for number in range(12):
        field, place = ("A", "1") if number < 6 else ("B", "2")
        path = f"field{field}/plot_{place}/img ({number % 6})"
        ids = objects(6, number)
        files[f"left/{path}.tif"] = encoded(photo_of(ids, number), "TIFF")
        if number not in (2, 7, 11):
            files[f"right/{path}-gt.png"] = encoded((ids > 0) * np.uint8(255))
    [question] = bench.run(files, processes=1).questions
    assert question.code == "masks_ambiguous"
    result = bench.run(files, processes=1, **question.choices[0].options)
    assert result.questions == ()
    assert result.summary is not None
    assert result.summary.images == 9


def test_maps_under_the_names_of_images_below_them_are_no_images(bench: Bench) -> None:
    files = {}
    for number in range(COUNT):
        image, mask = scene(number)
        files[f"01_train/day {number}_image.png"] = encoded(image)
        files[f"01_train/depth/day {number}_image.png"] = encoded(photo_of(mask, 90 + number)[..., 0])
        files[f"01_train/segmentations/day {number}_manual1.png"] = encoded(mask)
    result = bench.run(files, processes=1)
    assert result.questions == ()
    assert result.summary is not None
    assert {name.count("depth") for name in bench.arrays()} == {0}


def test_renderings_beside_masks_that_are_all_counted(bench: Bench) -> None:
    """Each image's only mask is called as the first of several."""
    files = {}
    for number in range(COUNT):
        image, mask = scene(number)
        name = f"tiles/Potsdam-{number // 3}-{number % 3}"
        files[f"{name}.jpg"] = encoded(image, "JPEG")
        files[f"{name}_mask0.bmp"] = encoded(mask, "BMP")
        files[f"{name}_masks_color.png"] = encoded(COLORS[mask])
    result = bench.run(files, processes=1)
    assert result.questions == ()
    assert result.summary is not None, result.problems
    assert (result.summary.images, len(result.summary.classes)) == (COUNT, 3)


def test_pictures_of_which_several_may_be_masks_are_no_classes(bench: Bench) -> None:
    """That nobody can say which are masks does not make the folders classes of images."""
    files = {}
    for group, images, masks in (("108", "1345", "1245"), ("115", "134", "123")):
        for number in sorted({*images, *masks}):
            seen = drawn_scene(int(group) + int(number), (48, 40), (1, 1))
            if number in images:
                files[f"{group}/film/Sample 000{number}.jpg"] = encoded(seen.photo, "JPEG")
            if number in masks:
                files[f"{group}/roto/Sample {number}.bmp"] = encoded(seen.labels * np.uint8(255), "BMP")
    result = bench.run(files, processes=1)
    assert {question.code for question in result.questions} <= {"masks_ambiguous", "unmasked"}
    assert result.summary is None or result.summary.kinds == MASKS


@pytest.mark.parametrize("group", ["{}", "site{}", "{}a/b", "day {}"])
def test_renderings_in_other_groups_are_no_masks_of_images_without(bench: Bench, group: str) -> None:
    files, paired = {}, set()
    for number in range(14):
        image, mask = scene(number)
        folder = group.format(1 + number // 7)
        name = f"{folder}/{number % 7:05}"
        files[f"{name}.png"] = encoded(image)
        if number not in (2, 3, 8):
            paired.add(name)
            files[f"{folder}/mask/{number % 7:05}_mask.png"] = encoded(COLORS[mask])
            files[f"{folder}/masks_color/{number % 7:05}.png"] = encoded(COLORS[mask])
    result = bench.run(files, processes=1)
    assert result.questions == ()
    assert result.summary is not None, result.problems
    assert len(bench.arrays()) == len(paired)
    assert codes(result, "warning").count("image_without_mask") == 3


COUNTED = {
    "own folders": ("x/case {n}/photo.jpg", "x/case {n}/lesion_{k}.png"),
    "one folder": ("x/scan{n}.jpg", "x/scan{n}_spot{k}.png"),
    "letters": ("x/scan{n}.jpg", "x/scan{n}_part {a}.png"),
}


@pytest.mark.parametrize("name", COUNTED)
def test_all_masks_that_only_a_count_tells_apart_may_be_meant(bench: Bench, name: str) -> None:
    image, mask = COUNTED[name]
    files, shown = {}, {}
    for n in range(6):
        ids = objects(3, n)
        wanted = 1 + n % 3
        files[image.format(n=n)] = encoded(photo_of(ids, n), "JPEG")
        for k in range(1, wanted + 1):
            files[mask.format(n=n, k=k, a="abc"[k - 1])] = encoded((ids == k) * np.uint8(255))
        shown[n] = int(((ids > 0) & (ids <= wanted)).sum())
    [question] = bench.run(files, processes=1).questions
    assert question.code == "masks_ambiguous"
    [union] = [choice for choice in question.choices if choice.key == "union"]
    assert question.choices[0] == union
    assert union.options == {"several_masks": "union"}
    result = bench.run(files, processes=1, **union.options)
    assert result.summary is not None, (result.problems, result.questions)
    found = sorted(int((mask > 0).sum()) for _, mask in bench.arrays().values())
    assert found == sorted(shown.values())
