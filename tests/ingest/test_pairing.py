"""Which file is an image, which is its mask, and in which split they are."""

import numpy as np
import pytest

from tests.ingest.made import Bench, codes, encoded, mask, photo
from workers.ingest.pipeline import IngestResult

IMAGE, MASK = encoded(photo()), encoded(mask(0, 1))


def run(bench: Bench, images: list[str], masks: list[str], *others: str) -> IngestResult:
    files = {name: encoded(photo(seed)) for seed, name in enumerate(images)}
    files |= dict.fromkeys(masks, MASK) | dict.fromkeys(others, IMAGE)
    return bench.run(files)


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["images/a.jpg", "images/b.jpg"], ["masks/a.png", "masks/b.png"]),
        (
            ["my set/x/images/a.jpg", "my set/x/images/b.jpg"],
            ["my set/x/masks/a.png", "my set/x/masks/b.png"],
        ),
        (["JPEGImages/a.jpg", "JPEGImages/b.jpg"], ["SegmentationClass/a.png", "SegmentationClass/b.png"]),
        (["images/a.jpg", "images/b.jpg"], ["annotations/trimaps/a.png", "annotations/trimaps/b.png"]),
        (["a.jpg", "b.jpg"], ["labels/a.png", "labels/b.png"]),
        (["a.jpg", "b.jpg"], ["a_mask.png", "b_mask.png"]),
        (["data/a.png", "data/b.png"], ["data/a_annotation.png", "data/b_label.png"]),
        (["a_image.png", "b_image.png"], ["a_annotation.png", "b_annotation.png"]),
        (["a.jpg", "b.jpg"], ["a.png", "b.png"]),
        (["images/A.JPG", "images/b.jpg"], ["masks/a.PNG", "masks/B.png"]),
        (["images/a_image.jpg", "images/b.jpg"], ["masks/a_image.png", "masks/b_mask.png"]),
        (["pets/images/a.jpg", "pets/images/b.jpg"], ["masks/a.png", "masks/b.png"]),
    ],
)
def test_layouts(bench: Bench, images: list[str], masks: list[str]) -> None:
    result = run(bench, images, masks)
    assert result.problems == ()
    assert [name.casefold().removesuffix("_image") for name in bench.arrays()] == ["a", "b"]


@pytest.mark.parametrize(
    "pattern",
    [
        "{split}/{role}/{name}",
        "{role}/{split}/{name}",
        "top/{split}_{role}/{name}",
        "top/{split}/x/{role}/{name}",
    ],
)
@pytest.mark.parametrize("val", ["val", "valid", "Validation"])
def test_splits_around_or_inside(bench: Bench, pattern: str, val: str) -> None:
    names = [("train", "0"), ("train", "1"), (val, "0"), ("test", "0")]
    images = [pattern.format(split=s, role="images", name=f"{n}.jpg") for s, n in names]
    masks = [pattern.format(split=s, role="masks", name=f"{n}.png") for s, n in names]
    result = run(bench, images, masks)
    assert result.problems == ()
    assert {s.name: s.split for s in bench.prepared.samples} == {
        "train/0": "train",
        "train/1": "train",
        "val/0": "val",
        "test/0": "test",
    }


def test_glued_split_and_role(bench: Bench) -> None:
    result = run(bench, ["train/a.png", "val/b.png"], ["trainannot/a.png", "valannot/b.png"])
    assert result.problems == ()
    assert result.summary is not None
    assert result.summary.splits == {"train": 1, "val": 1}


def test_same_names_in_two_folders_stay_apart(bench: Bench) -> None:
    two = encoded(mask(1, 1, 0))
    bench.run(
        {
            "day1/images/0.jpg": IMAGE,
            "day1/masks/0.png": MASK,
            "day2/images/0.jpg": encoded(photo(1)),
            "day2/masks/0.png": two,
        }
    )
    arrays = bench.arrays()
    assert set(arrays) == {"day1/0", "day2/0"}
    assert arrays["day1/0"][1].sum() == 24
    assert arrays["day2/0"][1].sum() == 32


def test_a_mask_is_never_taken_from_another_folder(bench: Bench) -> None:
    result = run(bench, ["day1/images/0.jpg"], ["day2/masks/0.png"])
    assert codes(result) == ["no_pairs", "image_without_mask", "mask_without_image"]


def test_an_exact_name_wins_over_a_near_one(bench: Bench) -> None:
    result = run(bench, ["images/a.jpg", "images/a_image.jpg"], ["masks/a.png", "masks/a_image.png"])
    assert result.problems == ()


def test_a_mask_without_its_image_is_not_what_other_masks_are_of(bench: Bench) -> None:
    images = [f"orig/{number}.jpg" for number in range(6)]
    masks = [f"orig/bin/gt_{number}.tif" for number in range(7)]
    result = run(bench, images, masks)
    assert (result.questions, codes(result)) == ((), [])
    assert set(bench.arrays()) == {str(number) for number in range(6)}


def test_images_alone_may_lack_a_file_of_annotations(bench: Bench) -> None:
    [problem] = bench.run({"0.png": encoded(photo(0)), "1.png": encoded(photo(1))}).problems
    assert problem.code == "no_pairs"
    assert "`annotation`" in problem.remedy


def test_few_lone_files_are_warnings(bench: Bench) -> None:
    images = ["images/a.jpg", "images/b.jpg", "images/alone.jpg"]
    result = run(bench, images, ["masks/a.png", "masks/b.png", "masks/lone.png"])
    assert [(p.severity, p.code, p.file) for p in result.problems] == [
        ("warning", "image_without_mask", "images/alone.jpg"),
        ("warning", "mask_without_image", "masks/lone.png"),
    ]


def test_many_lone_images_are_a_question(bench: Bench) -> None:
    images = [f"images/{index}.jpg" for index in range(5)]
    result = run(bench, images, ["masks/0.png", "masks/1.png"])
    [question] = result.questions
    assert (question.code, [one.key for one in question.choices]) == ("unmasked", ["leave_out", "background"])
    assert [one.count for one in question.choices] == [3, 3]


@pytest.mark.parametrize("extra", ["images/a.bmp", "masks/a.gif"])
def test_two_files_for_one_name_are_an_error(bench: Bench, extra: str) -> None:
    result = run(bench, ["images/a.jpg", "images/b.jpg"], ["masks/a.png", "masks/b.png"], extra)
    assert codes(result) == ["duplicate_name"]
    assert extra in result.problems[0].message


def test_pictures_elsewhere_are_left_out_with_a_warning(bench: Bench) -> None:
    result = run(bench, ["images/a.jpg", "images/b.jpg"], ["masks/a.png", "masks/b.png"], "overlay/a.png")
    assert codes(result, "warning") == ["file_outside_folders"]


def test_problems_of_one_kind_are_one_with_a_count_and_examples(bench: Bench) -> None:
    result = run(bench, [f"images/{index:03}.jpg" for index in range(300)], ["masks/z.png"])
    counts = {one.code: one.count for one in result.problems}
    assert counts == {"no_pairs": 1, "image_without_mask": 300, "mask_without_image": 1}
    images = next(one for one in result.problems if one.code == "image_without_mask")
    assert images.file == "images/000.jpg"
    assert images.examples == tuple(f"images/{index:03}.jpg" for index in range(10))


@pytest.mark.parametrize(
    ("folder", "split"), [("train_val", "train"), ("trainval", "train"), ("val2017", "val")]
)
def test_folders_of_splits_by_other_names(bench: Bench, folder: str, split: str) -> None:
    parts = [("train2017", "0"), (folder, "1"), (folder, "2"), (folder, "3")]
    images = [f"images/{part}/{name}.jpg" for part, name in parts]
    result = run(bench, images, [f"masks/{part}/{name}.png" for part, name in parts])
    assert codes(result) == []
    assert result.summary is not None
    assert result.summary.splits.get(split, 0) >= 2
    assert result.problems == ()


def test_a_split_that_has_no_masks_is_left_out(bench: Bench) -> None:
    images = ["train/images/0.jpg", "val/images/1.jpg", *(f"test/images/{name}.jpg" for name in "abcde")]
    result = run(bench, images, ["train/masks/0.png", "val/masks/1.png"])
    problem = next(one for one in result.problems if one.code == "split_without_masks")
    assert (problem.severity, codes(result)) == ("warning", [])
    assert "5 image(s) of the split test" in problem.message


def test_masks_of_one_class_each_beside_their_image(bench: Bench) -> None:
    files = {}
    for name in "abc":
        files[f"{name}/images/scan.png"] = encoded(photo(ord(name)))
        files[f"{name}/masks/liver.png"] = encoded(mask(255, 0, 0, 0, 0, 0))
        files[f"{name}/masks/spleen.png"] = encoded(mask(0, 0, 0, 0, 0, 255))
    del files["c/masks/spleen.png"]
    result = bench.run(files)
    assert result.problems == ()
    assert result.summary is not None
    assert [info.name for info in result.summary.classes] == ["background", "liver", "spleen"]
    np.testing.assert_array_equal(bench.arrays()["a/scan"][1], mask(1, 0, 0, 0, 0, 2))


def test_masks_of_one_object_each(bench: Bench) -> None:
    top = mask(255, 0, 0, 0, 0, 0)
    files = {}
    for name in "ab":
        files[f"{name}/images/{name}.png"] = encoded(photo(ord(name)))
        files |= {f"{name}/masks/7{name}.png": encoded(top), f"{name}/masks/8.png": encoded(top[::-1].copy())}
    result = bench.run(files)
    assert result.problems == ()
    assert result.summary is not None
    assert [info.name for info in result.summary.classes] == ["background", "object"]
    np.testing.assert_array_equal(bench.arrays()["a/a"][1], mask(1, 0, 0, 0, 0, 1))
