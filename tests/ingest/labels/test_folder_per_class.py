"""Folders that name the classes of the images in them."""

import numpy as np
import pytest

from tests.ingest.labels.folder_sets import asked, in_folders, labels, loose, picture, splits, summary
from tests.ingest.made import Bench, codes, encoded, mask, photo


def test_each_folder_is_a_class(bench: Bench) -> None:
    bench.run(in_folders("cat", "dog", each=5))
    found = summary(bench)
    assert (found.kinds, found.task, found.images) == (("labels",), "multiclass", 10)
    assert [(info.name, info.images, info.share) for info in found.classes] == [
        ("cat", 5, 0.5),
        ("dog", 5, 0.5),
    ]
    assert found.reading is not None
    assert found.reading.format == "folder_per_class"
    assert found.reading.guesses == ("the folders cat/, dog/ name the classes of the images in them",)
    assert set(labels(bench).values()) == {("cat",), ("dog",)}
    assert sorted(path.name for path in bench.version.iterdir()) == ["images.bin", "index.json"]


def test_pixels_are_those_of_the_files(bench: Bench) -> None:
    pixels = [photo(number, 20, 24) for number in range(4)]
    bench.run({f"{'ab'[place % 2]}/{place}.png": encoded(one) for place, one in enumerate(pixels)})
    prepared = bench.prepared
    for sample in prepared.samples:
        assert np.array_equal(prepared.image(sample), pixels[int(sample.name[-1])])


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (("train/cat", "train/dog", "val/cat", "val/dog"), {"train", "val"}),
        (("cat/train", "dog/train", "cat/test", "dog/test"), {"train", "val", "test"}),
        (("set/training_set/cat", "set/training_set/dog", "set/test_set/cat", "set/test_set/dog"), None),
        (("Train/images/cat", "Train/images/dog", "Valid/images/cat", "Valid/images/dog"), {"train", "val"}),
    ],
)
def test_folders_of_splits_are_none_of_classes(
    bench: Bench, folders: tuple[str, ...], expected: set[str] | None
) -> None:
    bench.run(in_folders(*folders, each=4))
    assert [info.name for info in summary(bench).classes] == ["cat", "dog"]
    for name, (label,) in labels(bench).items():
        assert label in name.split("/")
    assert set(splits(bench).values()) == (expected or {"train", "val", "test"})


@pytest.mark.parametrize(
    "names",
    [
        ("photo", "sketch"),
        ("seg fault", "target practice"),
        ("Katze", "Hund"),
        ("猫", "犬"),
        ("raw", "cooked"),
    ],
)
def test_classes_are_called_as_their_folders(bench: Bench, names: tuple[str, str]) -> None:
    bench.run(in_folders(*names), format="folder_per_class")
    assert sorted(info.name for info in summary(bench).classes) == sorted(names)


@pytest.mark.parametrize(
    "names", [("0", "1", "2"), ("class_1", "class_2"), ("patient 7", "patient 12"), ("2020", "2021")]
)
def test_numbered_folders_are_asked_about(bench: Bench, names: tuple[str, ...]) -> None:
    files = in_folders(*names)
    bench.run(files)
    assert asked(bench) == ["folder_labels"]
    bench.run(files, format="folder_per_class")
    assert [info.name for info in summary(bench).classes] == list(names)
    bench.run(files, on_question="assume")
    assert "folder_labels" in codes(summary_result(bench), "warning")
    bench.run(files, format="pictures")
    assert codes(summary_result(bench)) == ["no_pairs"]


def test_wordnet_numbers_are_classes(bench: Bench) -> None:
    bench.run(in_folders("n01440764", "n02102040"))
    assert [info.name for info in summary(bench).classes] == ["n01440764", "n02102040"]


def test_folders_with_the_same_files_may_be_views(bench: Bench) -> None:
    files = {
        f"{folder}/{number}.jpg": picture(10 * place + number)
        for place, folder in enumerate(("rgb view", "night"))
        for number in range(4)
    }
    bench.run(files)
    assert asked(bench) == ["folder_labels"]


def test_cats_and_dogs_that_are_called_alike_are_classes(bench: Bench) -> None:
    """As in the set that is published so: the files are of sizes of their own."""
    files = {
        f"PetImages/{folder}/{number}.jpg": encoded(photo(number, 20 + number, 30 + place), "JPEG")
        for place, folder in enumerate(("Cat", "Dog"))
        for number in range(4)
    }
    bench.run(files)
    assert [info.name for info in summary(bench).classes] == ["Cat", "Dog"]


def test_a_folder_of_flat_pictures_may_be_masks(bench: Bench) -> None:
    files = in_folders("ortho", each=4)
    for number in range(4):
        files[f"klassen/{'wxyz'[number] * 3}.png"] = encoded(mask(0, 1, height=20, width=24) * np.uint8(200))
    bench.run(files)
    assert asked(bench) == ["folder_labels"]


def test_several_levels_are_asked_about(bench: Bench) -> None:
    files = in_folders("animals/cat", "animals/dog", "plants/rose", "plants/fern")
    bench.run(files)
    assert asked(bench) == ["label_depth"]
    bench.run(files, label_depth=2)
    assert [info.name for info in summary(bench).classes] == ["cat", "dog", "fern", "rose"]
    bench.run(files, label_depth=1)
    assert [info.name for info in summary(bench).classes] == ["animals", "plants"]
    bench.run(files, label_depth=3, format="folder_per_class")
    assert codes(summary_result(bench)) == ["label_depth_absent"]


def test_numbered_folders_within_classes_are_none(bench: Bench) -> None:
    bench.run(in_folders("benign/p1", "benign/p2", "malignant/p3", "malignant/p4"))
    assert [info.name for info in summary(bench).classes] == ["benign", "malignant"]


def test_images_outside_the_classes_are_left_out(bench: Bench) -> None:
    files = in_folders("train/cat", "train/dog") | {
        f"test/{number}.jpg": picture(90 + number) for number in range(2)
    }
    bench.run(files | in_folders("train/unlabeled", name="u{}.jpg"))
    assert [info.name for info in summary(bench).classes] == ["cat", "dog"]
    assert codes(summary_result(bench), "warning").count("image_without_label") == 5


def test_one_class_in_two_spellings(bench: Bench) -> None:
    bench.run(in_folders("train/Sea Lion", "train/dog", "test/sea_lion", "test/dog"))
    assert [info.name for info in summary(bench).classes] == ["dog", "sea_lion"]
    assert any("one class" in guess for guess in summary(bench).reading.guesses)  # type: ignore[union-attr]


def test_names_in_order_of_their_numbers(bench: Bench) -> None:
    bench.run(in_folders("c1 a", "c2 b", "c10 c"))
    assert [info.name for info in summary(bench).classes] == ["c1 a", "c2 b", "c10 c"]


@pytest.mark.parametrize("folders", [("images", "masks"), ("img", "annotations")])
def test_folders_of_masks_are_never_classes(bench: Bench, folders: tuple[str, str]) -> None:
    bench.run(in_folders(*folders))
    assert bench.result is not None
    assert bench.result.summary is None


def test_masks_whose_images_are_missing_have_no_labels(bench: Bench) -> None:
    masks = {
        f"{name}/gt/{name}{n}.png": mask(0, n % 3 + 1, height=20, width=24)
        for name in ("cat", "dog")
        for n in range(3)
    }
    bench.run({path: encoded(pixels * np.uint8(60)) for path, pixels in masks.items()})
    assert bench.result is not None
    assert bench.result.summary is None


def test_images_alone_have_no_labels(bench: Bench) -> None:
    bench.run(loose(5))
    assert codes(summary_result(bench)) == ["no_pairs"]
    bench.run(loose(5), format="folder_per_class")
    assert codes(summary_result(bench)) == ["no_labels"]


def test_options_of_masks_keep_labels_away(bench: Bench) -> None:
    bench.run(in_folders("cat", "dog"), unmasked="leave_out")
    assert codes(summary_result(bench)) == ["no_pairs"]


def test_a_pattern_chooses_the_images(bench: Bench) -> None:
    files = in_folders("a/cat", "a/dog") | in_folders("b/owl", "b/elk", name="x{}.jpg")
    bench.run(files, images="a/**/*.jpg", format="folder_per_class")
    assert [info.name for info in summary(bench).classes] == ["cat", "dog"]


def summary_result(bench: Bench):  # type: ignore[no-untyped-def]
    assert bench.result is not None
    return bench.result
