"""Layouts of published sets for classification, as they lie in public, with a few pictures made up."""

from collections.abc import Iterable

import pytest

from tests.ingest.labels.folder_sets import asked, labels, picture, splits, summary, table
from tests.ingest.made import Bench, codes


def made(paths: Iterable[str]) -> dict[str, bytes]:
    return {path: picture(number) for number, path in enumerate(paths)}


def listed(rows: Iterable[str]) -> bytes:
    return "\n".join(rows).encode()


def names(bench: Bench) -> list[str]:
    return [info.name for info in summary(bench).classes]


def test_food_101_with_lists_of_folders_and_names(bench: Bench) -> None:
    foods = ("apple_pie", "pizza", "sushi")
    numbers = {food: range(100 * k, 100 * k + 6) for k, food in enumerate(foods)}
    files = made(f"food-101/images/{food}/{n}.jpg" for food, some in numbers.items() for n in some)
    for split, part in (("train", slice(4)), ("test", slice(4, 6))):
        rows = (f"{food}/{n}" for food, some in numbers.items() for n in some[part])
        files[f"food-101/meta/{split}.txt"] = listed(rows)
    bench.run(files | {"food-101/meta/classes.txt": listed(foods)})
    assert names(bench) == list(foods)
    assert {name for name, split in splits(bench).items() if split == "test"} == {
        f"{food}/{100 * k + n}" for k, food in enumerate(foods) for n in (4, 5)
    }


def test_gtsrb_whose_table_says_what_its_numbered_folders_are(bench: Bench) -> None:
    paths = [f"Train/{label}/{label:05}_{n:05}.png" for label in range(3) for n in range(4)]
    cells = [(27, 26, 5, 5, 22, 20, path.split("/")[1], path) for path in paths]
    heads = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path"
    files = made(paths) | {"Train.csv": table(heads, cells)}
    asked = bench.run(files)
    assert [one.code for one in asked.questions] == ["format"]
    assert [one.key for one in asked.questions[0].choices] == ["folder_per_class", "box_table"]
    boxes = bench.run(files, format="box_table").summary
    assert boxes is not None
    assert boxes.kinds == ("boxes",)
    bench.run(files, on_question="assume")
    assert names(bench) == ["0", "1", "2"]


def test_ham10000_whose_table_says_much_besides(bench: Bench) -> None:
    paths = [f"HAM10000_images/ISIC_{24300 + n:07}.jpg" for n in range(12)]
    kinds, ways = ("nv", "mel", "bkl"), ("histo", "follow_up")
    cells = [
        (f"HAM_{n // 2}", f"ISIC_{24300 + n:07}", kinds[n % 3], ways[n % 2], 45.0 + n % 4) for n in range(12)
    ]
    bench.run(made(paths) | {"HAM10000_metadata.csv": table("lesion_id,image_id,dx,dx_type,age", cells)})
    assert names(bench) == ["bkl", "mel", "nv"]


def test_aptos_whose_sample_of_an_answer_is_no_label(bench: Bench) -> None:
    train, test = [f"{n:03}ab" for n in range(10)], [f"t{n:03}ab" for n in range(4)]
    files = made([*(f"train_images/{one}.png" for one in train), *(f"test_images/{one}.png" for one in test)])
    files["train.csv"] = table("id_code,diagnosis", [(one, n % 5) for n, one in enumerate(train)])
    files["test.csv"] = table("id_code", [(one,) for one in test])
    files["sample_submission.csv"] = table("id_code,diagnosis", [(one, 0) for one in test])
    bench.run(files)
    assert set(labels(bench)) == set(train)
    assert names(bench) == ["0", "1", "2", "3", "4"]


def test_celeba_whose_flags_are_of_minus_one_and_one(bench: Bench) -> None:
    files = made(f"img_align_celeba/{n:06}.jpg" for n in range(1, 9))
    rows = [f"{n:06}.jpg {(-1) ** n:2d} {1 if n % 3 else -1:2d}" for n in range(1, 9)]
    files["list_attr_celeba.txt"] = listed(["8", "Bald Smiling", *rows])
    parts = [f"{n:06}.jpg {0 if n < 6 else 1 if n < 8 else 2}" for n in range(1, 9)]
    files["list_eval_partition.txt"] = listed(parts)
    bench.run(files)
    assert summary(bench).task == "multilabel"
    assert labels(bench)["000002"] == ("Bald", "Smiling")
    assert labels(bench)["000003"] == ()
    assert [splits(bench)[f"00000{n}"] for n in (5, 6, 8)] == ["train", "val", "test"]


def test_intel_scenes_whose_folders_begin_with_a_word_of_masks(bench: Bench) -> None:
    scenes = ("buildings", "forest", "sea")
    paths = [
        f"seg_{split}/seg_{split}/{scene}/{scene}{split}{n}.jpg"
        for split in ("train", "test")
        for scene in scenes
        for n in range(3)
    ]
    bench.run(made([*paths, *(f"seg_pred/seg_pred/{n}.jpg" for n in range(3))]))
    assert names(bench) == list(scenes)
    assert set(splits(bench).values()) == {"train", "val", "test"}
    assert bench.result is not None
    assert codes(bench.result, "warning").count("image_without_label") == 3


def test_stl_whose_unlabelled_images_are_more(bench: Bench) -> None:
    paths = [f"stl/labeled/{name}/{name}{n}.png" for name in ("bird", "car") for n in range(4)]
    bench.run(made([*paths, *(f"stl/unlabeled/u{n}.png" for n in range(9))]))
    assert names(bench) == ["bird", "car"]
    assert len(labels(bench)) == 8


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("imagenette2/{split}/{name}", ("n01440764", "n02102040")),
        ("Images/{name}", ("n02085620-Chihuahua", "n02085782-Japanese_spaniel")),
        ("plantvillage/color/{name}", ("Apple___Apple_scab", "Corn_(maize)___healthy")),
        ("chest_xray/{split}/{name}", ("NORMAL", "PNEUMONIA")),
        ("hands/{split}/{name}", ("fist", "thumbs up")),
        ("CUB_200_2011/images/{name}", ("001.Black_footed_Albatross", "002.Laysan_Albatross")),
    ],
)
def test_folders_that_are_classes(bench: Bench, folder: str, expected: tuple[str, str]) -> None:
    paths = [
        f"{folder.format(split=split, name=name)}/{split}{expected.index(name)}{n}.jpg"
        for split in ("train", "val")
        for name in expected
        for n in range(3)
    ]
    bench.run(made(paths))
    assert names(bench) == sorted(expected)
    assert len(labels(bench)) == 12


def test_sun397_whose_first_folders_are_letters_is_asked_about(bench: Bench) -> None:
    scenes = ("abbey", "alley", "bakery")
    bench.run(made(f"SUN397/{scene[0]}/{scene}/sun_{scene}{n}.jpg" for scene in scenes for n in range(3)))
    assert asked(bench) == ["label_depth"]


def test_pets_whose_list_has_three_numbers_is_asked_about(bench: Bench) -> None:
    pets = [f"{breed}_{n}" for breed in ("Abyssinian", "beagle", "Bengal") for n in range(1, 6)]
    rows = [f"{pet} {1 + k // 5} {1 + (k // 5 == 1)} {1 + k // 5}" for k, pet in enumerate(pets)]
    files = made(f"images/{pet}.jpg" for pet in pets)
    files["annotations/list.txt"] = listed(["#Image CLASS-ID SPECIES BREED ID", *rows])
    bench.run(files)
    assert asked(bench) == ["label_columns"]
    bench.run(files, label_columns=["2"])
    assert names(bench) == ["1", "2", "3"]
