"""Order and place of the words and numbers of paths count, and masks of an image are never its images."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, codes, encoded

SIDE = 40


def scene(number: int, *objects: int) -> tuple[Array, dict[int, Array]]:
    """A noisy picture that is told by `number`, and the mask of each object, 0/255."""
    image = np.random.default_rng(number).integers(0, 200, (SIDE, SIDE, 3), dtype=np.uint8)
    masks = {}
    for place in objects:
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[4 + 8 * place : 10 + 8 * place, number % 20 : number % 20 + 8] = 255
        masks[place] = mask
    return image, masks


def check(bench: Bench, truth: Mapping[str, tuple[int, tuple[int, ...]]]) -> None:
    """Each prepared sample is one of the scenes, with the mask of just its objects; none is lost."""
    scenes = {}
    for number, objects in truth.values():
        image, masks = scene(number, *objects)
        scenes[image.tobytes()] = sum(masks.values(), np.zeros((SIDE, SIDE), np.uint8)) > 0
    found = bench.arrays().values()
    assert len(found) == len(truth)
    for image, mask in found:
        np.testing.assert_array_equal(mask > 0, scenes[image.tobytes()])


def laid_out(
    count: int, image_path: Callable[[int], str], mask_path: Callable[[int], str]
) -> tuple[dict[str, bytes], dict[str, tuple[int, tuple[int, ...]]]]:
    files, truth = {}, {}
    for number in range(count):
        image, masks = scene(number, 0)
        files[image_path(number)] = encoded(image)
        files[mask_path(number)] = encoded(masks[0])
        truth[image_path(number)] = (number, (0,))
    return files, truth


LAYOUTS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "patients": (
        lambda n: f"d/patient{n % 4}/img/{n // 4}.png",
        lambda n: f"d/patient{n % 4}/seg/{n // 4}.png",
    ),
    "unknown words": (
        lambda n: f"d/p{n % 4}/vorne/{n // 4}.png",
        lambda n: f"d/p{n % 4}/hinten/{n // 4}.png",
    ),
    "roles above": (lambda n: f"frames/s{n % 4}/{n // 4}.png", lambda n: f"GT/s{n % 4}/{n // 4}.png"),
    "tiles": (lambda n: f"images/t_{n % 4}_{n // 4}.png", lambda n: f"labels/t_{n % 4}_{n // 4}_seg.png"),
    "tiles elsewhere": (lambda n: f"ortho/{n % 4}_{n // 4}.png", lambda n: f"klassen/{n % 4}_{n // 4}.png"),
    "suffix": (lambda n: f"P{n % 4}/{n // 4}.png", lambda n: f"P{n % 4}/{n // 4}_seg.png"),
    "case": (lambda n: f"A/Img/Case{n}.PNG", lambda n: f"A/Seg/case{n}_SEGMENTATION.png"),
    "padding": (lambda n: f"a/image/{n:04}.png", lambda n: f"a/anno/{n}.png"),
    "deep": (lambda n: f"a/b/c{n % 3}/d/x/{n}/img.png", lambda n: f"a/b/c{n % 3}/d/y/{n}/map.png"),
    "number in front": (lambda n: f"{n}/raw.png", lambda n: f"{n}/gt.png"),
    "below": (lambda n: f"Train/{n}.png", lambda n: f"Train/GT/{n}_gt.png"),
    "chinese": (lambda n: f"数据/图像/{n}.png", lambda n: f"数据/标注/{n}.png"),
    "russian": (lambda n: f"снимки/кадр {n}.png", lambda n: f"маски/кадр {n}.png"),
    "channel": (lambda n: f"imgs/c_{n:03}_0000.png", lambda n: f"lab/c_{n:03}.png"),
    "dots": (lambda n: f"i/a.{n}.v1.png", lambda n: f"i/a.{n}.v1.mask.png"),
    "two sites": (
        lambda n: f"siteA/img/{n}.png" if n < 6 else f"siteB/photos/{n}.png",
        lambda n: f"siteA/seg/{n}.png" if n < 6 else f"siteB/outline/{n}_o.png",
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_all_pairs_are_found(bench: Bench, name: str) -> None:
    files, truth = laid_out(12, *LAYOUTS[name])
    result = bench.run(files)
    assert codes(result) == [], result.problems
    assert result.questions == ()
    assert {one.code for one in result.problems} <= {"roles_inferred", "val_drawn"}
    check(bench, truth)


@pytest.mark.parametrize(
    "options", [{"masks": "seg/*"}, {"masks": "patient*/seg/*.png", "images": "patient*/img/*.png"}]
)
def test_patterns_pair_by_order_as_well(bench: Bench, options: dict[str, str]) -> None:
    files, truth = laid_out(12, *LAYOUTS["patients"])
    assert bench.run(files, **options).problems == ()
    check(bench, truth)


@pytest.mark.parametrize(
    "second",
    [
        "{n}_mask_1.png",
        "{n}_mask1.png",
        "{n}_Mask 2.png",
        "{n}-mask-001.png",
        "{n}_seg_1.png",
        "mask1_{n}.png",
        "mask_2_{n}.png",
    ],
)
def test_further_masks_of_an_image_are_part_of_its_mask(bench: Bench, second: str) -> None:
    first = "{n}_seg.png" if "seg" in second else "{n}_mask.png"
    files, truth = {}, {}
    for number in range(6):
        image, masks = scene(number, 0, 2)
        name = f"benign ({number})"
        files[f"BUSI/{name}.png"] = encoded(image)
        files["BUSI/" + first.format(n=name)] = encoded(masks[0])
        if number % 2:
            files["BUSI/" + second.format(n=name)] = encoded(masks[2])
        truth[name] = (number, (0, 2) if number % 2 else (0,))
    result = bench.run(files)
    assert result.problems == ()
    check(bench, truth)


OBJECTS = {
    "numbers": "masks/{image}_{place}.png",
    "a folder of the image": "masks/{image}/{place}.png",
    "hashes": "masks/{image}/{place:032x}.png",
    "a word and a number": "masks/{image}_obj{place}.png",
}


@pytest.mark.parametrize("pattern", OBJECTS.values(), ids=OBJECTS)
def test_one_file_for_each_object(bench: Bench, pattern: str) -> None:
    files, truth = {}, {}
    for number in range(6):
        objects = tuple(range(1 + number % 3))
        image, masks = scene(number, *objects)
        files[f"images/scan{number}.png"] = encoded(image)
        for place in objects:
            mark = 7919 * number + place if "032x" in pattern else place
            files[pattern.format(image=f"scan{number}", place=mark)] = encoded(masks[place])
        truth[str(number)] = (number, objects)
    result = bench.run(files)
    assert codes(result) == [], result.problems
    check(bench, truth)


@pytest.mark.parametrize(
    "pattern",
    ["masks/{n}/{k}.png", "masks/{n}/obj{k}.png", "masks/{n}/mask_{k}.png", "masks/{n}/{n}_{k}.png"],
)
@pytest.mark.parametrize("stem", ["image_{}", "im{}", "raw-{}", "IMG_{}_rgb"])
def test_a_folder_called_as_its_image_may_have_a_word_of_images(
    bench: Bench, pattern: str, stem: str
) -> None:
    files, truth = {}, {}
    for number in range(8):
        objects = tuple(range(1, 2 + number % 3))
        image, masks = scene(number, *objects)
        name = stem.format(number)
        files[f"images/{name}.png"] = encoded(image)
        files |= {pattern.format(n=name, k=k): encoded(mask) for k, mask in masks.items()}
        truth[name] = (number, objects)
    result = bench.run(files)
    assert codes(result) == [], result.problems
    check(bench, truth)


@pytest.mark.parametrize(
    "pattern",
    ["GT/{n}/{n}_{c}.png", "GT/{n}/SoftMap/{n}_{c}segSoftmap.png", "GT/{n}/{c}.png", "GT/{n}/masks/{c}.png"],
)
def test_classes_in_a_folder_of_each_image(bench: Bench, pattern: str) -> None:
    files = {}
    for number in range(8):
        image, masks = scene(number, 1, 2)
        name = f"drishtiGS_{number:03}"
        files[f"D/Training/Images/{name}.png"] = encoded(image)
        for cls, mask in zip(("OD", "cup"), masks.values(), strict=True):
            files["D/Training/" + pattern.format(n=name, c=cls)] = encoded(mask)
    found = bench.run(files).summary
    assert found is not None, bench.result
    names = [one.name for one in found.classes if one.images == 8]
    assert [name.removesuffix("segSoftmap") for name in names] == ["background", "OD", "cup"]


UNCERTAIN = {
    "a word and a number": "masks/{image}_obj{place}.png",
    "a word and a number in front": "masks/m{place}_{image}.png",
    "letters": "masks/{image}{letter}.png",
    "letters in a folder": "masks/{image}/{letter}.png",
    "a word and a number in a folder": "masks/{image}/object_{place}.png",
    "a folder called as another image": "masks/{image}/{place}.png",
    "readers": "masks/Reader {place}/{image}.png",
}


@pytest.mark.parametrize("name", UNCERTAIN)
def test_labels_that_may_count_objects_are_no_classes_in_silence(bench: Bench, name: str) -> None:
    files, truth = {}, {}
    for number in range(8):
        image, masks = scene(number, 0, 1, 2)
        stem = f"{number:03}" if "another image" in name else f"scan{number}"
        files[f"images/{stem}.png"] = encoded(image)
        for place, mask in masks.items():
            path = UNCERTAIN[name].format(image=stem, place=place, letter="abc"[place])
            files[path] = encoded(mask)
        truth[str(number)] = (number, (0, 1, 2))
    [question] = bench.run(files).questions
    assert question.code == "several_masks"
    of_one_annotator = [] if "another image" in name else ["masks_1", "masks_2", "masks_3"]
    assert [choice.key for choice in question.choices] == ["union", "classes", *of_one_annotator]
    assert codes(bench.run(files, **question.choices[0].options)) == []
    check(bench, truth)
    found = bench.run(files, **question.choices[1].options).summary
    assert found is not None
    assert len([one for one in found.classes if one.images == 8 and one.name != "background"]) == 3


def test_numbered_labels_with_gaps_are_asked_about(bench: Bench) -> None:
    files = {}
    for number in range(8):
        grades = ((3,), (4,), (3, 4), (4,))[number % 4]
        image, masks = scene(number, *grades)
        files[f"images/scan{number}.png"] = encoded(image)
        files |= {f"masks/scan{number}_grade{grade}.png": encoded(mask) for grade, mask in masks.items()}
    [question] = bench.run(files).questions
    assert question.code == "several_masks"
    assert "1 to 2 masks" in question.text


def test_as_many_numbered_masks_for_each_image_are_asked_about(bench: Bench) -> None:
    files, truth = {}, {}
    for number in range(6):
        image, masks = scene(number, 0, 2)
        files[f"images/{number}.png"] = encoded(image)
        files |= {f"masks/{number}_{place}.png": encoded(mask) for place, mask in masks.items()}
        truth[str(number)] = (number, (0, 2))
    [question] = bench.run(files).questions
    assert question.code == "several_masks"
    union, classes, *_ = question.choices
    assert (union.preview, classes.preview) == (True, True)
    assert bench.run(files, **union.options).summary is not None
    check(bench, truth)
    found = bench.run(files, **classes.options).summary
    assert found is not None
    assert [one.name for one in found.classes] == ["background", "0", "2"]


def test_folders_of_images_may_name_classes(bench: Bench) -> None:
    files, truth = {}, {}
    for number in range(8):
        image, masks = scene(number, 0)
        folder = ("benign", "malignant")[number % 2]
        files |= {
            f"b/{folder}/{number}.png": encoded(image),
            f"b/{folder}/{number}_mask.png": encoded(masks[0]),
        }
        truth[str(number)] = (number, (0,))
    files["b/normal/9.png"] = encoded(scene(9)[0])
    [question] = bench.run(files).questions
    assert question.code == "class_folders"
    ignore, classes = question.choices
    found = bench.run(files, **ignore.options)
    assert found.summary is not None
    assert found.summary.reading is not None
    assert "background" in found.summary.reading.guesses[0]
    check(bench, truth | {"9": (9, ())})
    found = bench.run(files, **classes.options)
    assert found.summary is not None
    assert {one.name: one.images for one in found.summary.classes} == {
        "background": 9,
        "benign": 4,
        "malignant": 4,
    }


@pytest.mark.parametrize("folder", ["{}crop", "tiles{}", "{}_x"])
def test_folders_of_splits_name_no_classes(bench: Bench, folder: str) -> None:
    files = {}
    for number in range(9):
        image, masks = scene(number, 0)
        path = f"{folder.format(('train', 'val', 'test')[number % 3])}/{number}"
        files |= {f"{path}.jpg": encoded(image, "JPEG"), f"{path}.png": encoded(masks[0])}
    result = bench.run(files)
    assert result.questions == ()
    assert result.summary is not None, result.problems
    assert {int(one.name[-1]): one.split for one in bench.prepared.samples} == {
        number: ("train", "val", "test")[number % 3] for number in range(9)
    }


@pytest.mark.parametrize("between", [" ", ",", "\t"])
def test_pairs_that_lists_name_go_before_names(bench: Bench, between: str) -> None:
    """The author numbered the masks of each split anew."""
    files, truth, lists = {}, {}, {"train": [], "val": []}
    for number in range(8):
        image, masks = scene(number, 0)
        shot, label = f"shots/{number}.jpg", f"truth/{(number + 3) % 8}.png"
        files |= {f"s/{shot}": encoded(image), f"s/{label}": encoded(masks[0])}
        truth[shot] = (number, (0,))
        lists["val" if number > 5 else "train"].append(f"{shot}{between}{label}")
    files |= {f"s/{split}.txt": "\n".join(lines).encode() for split, lines in lists.items()}
    found = bench.run(files).summary
    assert found is not None
    assert found.reading is not None
    assert found.reading.pairs.startswith("lists")
    assert found.reading.splits == "lists s/train.txt, s/val.txt"
    assert found.splits == {"train": 6, "val": 2}
    check(bench, truth)


def test_a_mask_in_colours_of_the_same_labels_is_no_other_reading(bench: Bench) -> None:
    files, truth = laid_out(6, lambda n: f"images/{n}.png", lambda n: f"masks/{n}.png")
    for number in range(6):
        mask = scene(number, 0)[1][0]
        files[f"masks_color/{number}.png"] = encoded(np.stack([mask, mask // 2, mask // 4], axis=-1))
    result = bench.run(files)
    assert result.questions == ()
    assert codes(result) == []
    check(bench, truth)


def test_names_that_contradict_looks_are_asked_about(bench: Bench) -> None:
    files, truth = laid_out(6, lambda n: f"masks/{n}.png", lambda n: f"images/{n}.png")
    [question] = bench.run(files).questions
    assert question.code == "roles_turned"
    assert bench.run(files, **question.choices[0].options).summary is not None
    check(bench, truth)


def test_photographs_are_no_masks(bench: Bench) -> None:
    files = {}
    for number in range(6):
        noise = scene(number)[0]
        files |= {
            f"images/{number}.png": encoded(noise),
            f"labels/{number}.png": encoded(noise[..., 0].copy()),
        }
    assert codes(bench.run(files)) == ["mask_smooth"]


def test_defects_that_only_the_test_split_shows(bench: Bench) -> None:
    """Good parts to train on, and defects of two kinds among those to test with."""
    files, truth = {}, {}
    for number in range(4):
        files[f"bottle/train/good/{number:03}.png"] = encoded(scene(number)[0])
        truth[f"train {number}"] = (number, ())
    files["bottle/test/good/000.png"] = encoded(scene(20)[0])
    truth["test good"] = (20, ())
    for place, kind in enumerate(("broken", "scratch")):
        for number in range(3):
            image, masks = scene(30 + 10 * place + number, 0)
            files[f"bottle/test/{kind}/{number:03}.png"] = encoded(image)
            files[f"bottle/ground_truth/{kind}/{number:03}_mask.png"] = encoded(masks[0])
            truth[f"{kind} {number}"] = (30 + 10 * place + number, (0,))
    folders, splits = bench.run(files).questions
    assert (folders.code, splits.code) == ("class_folders", "splits_bare")
    assert [one.options for one in splits.choices] == [{"splits_from": "as_told"}, {"splits_from": "draw"}]
    kept = bench.run(files, class_folders="ignore", splits_from="as_told").summary
    assert kept is not None
    assert (kept.splits["test"], kept.splits["train"] + kept.splits["val"]) == (7, 4)
    check(bench, truth)
    drawn = bench.run(files, class_folders="classes", splits_from="draw").summary
    assert drawn is not None
    assert set(drawn.splits) == {"train", "val"}
    assert [one.name for one in drawn.classes] == ["background", "broken", "scratch"]
    tested = {"masks": "ground_truth/*/*_mask.png", "images": "test/*/*.png", "class_folders": "ignore"}
    assert bench.run(files, **tested).problems == ()
    check(bench, {name: what for name, what in truth.items() if not name.startswith("train")})
    for masks in ("ground_truth/*/*.png", "ground_truth/*/*_mask.png"):
        assert bench.run(files, masks=masks, class_folders="ignore", splits_from="draw").summary is not None
        check(bench, truth)
