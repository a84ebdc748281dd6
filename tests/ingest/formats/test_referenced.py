"""Which picture an annotation means where several have its name."""

import base64
import re

import numpy as np
import pytest

from tests.ingest.drawn import COUNT, HEIGHT, WIDTH, coco, cvat, labelme, masks, pictures, via, yolo
from tests.ingest.made import Bench, codes, encoded, mask, photo
from workers.ingest.pipeline import IngestResult

TOOLS = {
    "coco": {"annotations.json": coco()},
    "labelme": labelme("json"),
    "via": {"via.json": via(boxed=False)},
    "cvat": {"annotations.xml": cvat(boxed=False)},
}


def read_from(bench: Bench, seed: int) -> bool:
    """Whether the images are those that `pictures` makes with the seed."""
    arrays = bench.arrays()
    return all(
        np.array_equal(image, photo(seed + int(name.rsplit("/", 1)[-1]), HEIGHT, WIDTH))
        for name, (image, _) in arrays.items()
    )


def guesses(result: IngestResult) -> tuple[str, ...]:
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.reading is not None
    return result.summary.reading.guesses


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("other", ["raw", "orig/v1", "JPEGs", "0"])
def test_copies_are_no_question(bench: Bench, tool: str, other: str) -> None:
    result = bench.run(pictures("s/images") | pictures(f"s/{other}") | TOOLS[tool], processes=1)
    [guess] = guesses(result)
    assert "images/" in guess
    assert f"{other}/ has copies" in guess
    assert set(codes(result, "warning")) == {"image_unlisted"}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("folder", ["images", "Images", "data/imgs"])
def test_two_folders_that_fit_equally_are_a_question(bench: Bench, tool: str, folder: str) -> None:
    files = pictures(folder) | pictures("raw", seed=50) | TOOLS[tool]
    [question] = bench.run(files, processes=1).questions
    assert question.code == "image_folder"
    assert [(choice.count, choice.options) for choice in question.choices] == [
        (COUNT, {"images": f"{folder}/*"}),
        (COUNT, {"images": "raw/*"}),
    ]
    assert all(choice.preview for choice in question.choices)
    for choice, seed in zip(question.choices, (0, 50), strict=True):
        result = bench.run(files, processes=1, **choice.options)
        assert not codes(result)
        assert read_from(bench, seed)
    result = bench.run(files, processes=1, on_question="assume")
    assert "image_folder" in codes(result, "warning")
    assert read_from(bench, 0)


def test_folders_with_splits_below(bench: Bench) -> None:
    files = {"annotations.json": coco()}
    for folder, seed in (("images", 0), ("raw", 50)):
        made = pictures(folder, seed=seed)
        files |= {
            path.replace("/", "/train/" if number < 3 else "/val/"): data
            for number, (path, data) in enumerate(made.items())
        }
    [question] = bench.run(files, processes=1).questions
    assert [choice.options for choice in question.choices] == [
        {"images": "images/**/*"},
        {"images": "raw/**/*"},
    ]
    bench.run(files, processes=1, images="raw/**/*")
    assert read_from(bench, 50)


@pytest.mark.parametrize("folder", ["overlays", "vis", "thumbs", "Masks_color", "images/thumbnails", "depth"])
def test_drawings_and_masks_are_no_images(bench: Bench, folder: str) -> None:
    files = pictures("images") | pictures(folder, seed=50) | {"annotations.json": coco()}
    result = bench.run(files, processes=1)
    assert guesses(result) == ()
    assert read_from(bench, 0)


def test_the_folder_of_most_cited_names_is_taken_for_all(bench: Bench) -> None:
    files = pictures("images", 2) | pictures("raw", seed=50) | {"annotations.json": coco()}
    [guess] = guesses(bench.run(files, processes=1))
    assert "raw/" in guess
    assert read_from(bench, 50)


def test_more_pictures_in_a_folder_than_are_cited_do_not_count(bench: Bench) -> None:
    files = pictures("images") | pictures("raw", COUNT + 9, seed=50) | {"annotations.json": coco()}
    [question] = bench.run(files, processes=1).questions
    assert question.choices[0].options == {"images": "images/*"}


def test_a_citation_with_its_folder_decides(bench: Bench) -> None:
    referenced = coco().replace(b'"file_name": "', b'"file_name": "C:\\\\set\\\\raw\\\\')
    files = pictures("images") | pictures("raw", seed=50) | {"annotations.json": referenced}
    assert guesses(bench.run(files, processes=1)) == ()
    assert read_from(bench, 50)


def test_a_file_among_the_images_decides(bench: Bench) -> None:
    files = pictures("images") | pictures("raw", seed=50) | {"raw/_annotations.coco.json": coco()}
    assert guesses(bench.run(files, processes=1)) == ()
    assert read_from(bench, 50)


def test_images_of_another_ending_than_the_masks_that_are_cited(bench: Bench) -> None:
    files = pictures("images", kind="jpg") | masks("masks") | {"annotations.json": coco()}
    [guess] = guesses(bench.run(files, processes=1))
    assert "images/0.jpg for 0.png" in guess
    assert all(np.ptp(image) > 100 for image, _ in bench.arrays().values())


def referenced_as(tool: str, folder: str, ending: str) -> dict[str, bytes]:
    """The annotations, which call each image by its number, with this folder and ending."""
    name = re.compile(rb"\b([0-9])\.png")
    to = f"{folder}\\1.{ending}".encode()
    return {path: name.sub(to, data) for path, data in TOOLS[tool].items()}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("folder", ["masks/", "./masks/", "/home/me/set/masks/", "../set/masks/"])
@pytest.mark.parametrize("top", ["", "set/"])
def test_masks_that_are_cited_by_their_paths_are_no_images(
    bench: Bench, tool: str, folder: str, top: str
) -> None:
    files = pictures("images") | masks("masks") | referenced_as(tool, folder, "png")
    result = bench.run({f"{top}{path}": data for path, data in files.items()}, processes=1)
    [guess] = guesses(result)
    assert "4 pictures are referenced by the paths of masks" in guess
    assert read_from(bench, 0)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("folder", ["", "images/", "masks/", "D:/set/raw/"])
@pytest.mark.parametrize("ending", ["jpg", "JPEG", "tif"])
def test_images_that_were_saved_with_another_ending(
    bench: Bench, tool: str, folder: str, ending: str
) -> None:
    files = pictures("images") | masks("masks") | referenced_as(tool, folder, ending)
    [guess] = guesses(bench.run(files, processes=1))
    assert "images of other endings are read" in guess
    assert read_from(bench, 0)


@pytest.mark.parametrize("folder", ["", "pngs/"])
def test_masks_of_another_ending_are_no_images(bench: Bench, folder: str) -> None:
    """Nothing says what the pictures are but their look."""
    drawn = {f"{folder}{number}.png": encoded(mask(0, 255, height=48, width=64)) for number in range(COUNT)}
    assert "image_missing" in codes(bench.run(drawn | {"a.json": coco(kind="jpg")}, processes=1))


@pytest.mark.parametrize("tool", TOOLS)
def test_masks_alone_are_no_images(bench: Bench, tool: str) -> None:
    files = masks("s/masks") | TOOLS[tool]
    assert codes(bench.run(files, processes=1)) == ["masks_as_images"]
    assert bench.run(files, processes=1, flat_images="use").summary is not None


def test_splits_of_the_same_names_are_ambiguous(bench: Bench) -> None:
    files = pictures("train") | pictures("val", seed=50) | {"annotations.json": coco()}
    result = bench.run(files, processes=1)
    assert "no_images" in codes(result)
    assert "image_ambiguous" in codes(result, "warning")


def test_one_name_cited_twice_is_not_guessed(bench: Bench) -> None:
    listed = coco().replace(b'"file_name": "1.png"', b'"file_name": "0.png"')
    files = pictures("a") | pictures("b", seed=50) | {"annotations.json": listed}
    assert "image_ambiguous" in codes(bench.run(files, processes=1), "warning")


@pytest.mark.parametrize(
    "pattern",
    ["images/*", "IMAGES/*.png", "images", "set/images", "set/*/*.png", "**/images/*", "set/**/images/*.png"],
)
@pytest.mark.parametrize("tool", [*TOOLS, "yolo_seg"])
def test_patterns_restrict_what_can_be_cited(bench: Bench, tool: str, pattern: str) -> None:
    beside = TOOLS.get(tool) or yolo("set/labels")
    files = pictures("set/images") | pictures("raw/other", seed=50) | beside
    result = bench.run(files, processes=1, images=pattern)
    assert result.summary is not None, result.problems
    assert result.summary.reading is not None
    assert (result.summary.images, result.summary.reading.format) == (COUNT, tool)
    assert read_from(bench, 0)


@pytest.mark.parametrize("tool", [*TOOLS, "yolo_seg"])
def test_images_that_a_pattern_leaves_out_are_not_missing(bench: Bench, tool: str) -> None:
    beside = TOOLS.get(tool) or yolo("labels")
    result = bench.run(pictures("images") | beside, processes=1, images="images/[01].png")
    assert set(codes(result, "warning")) <= {"class_names_missing"}
    assert sorted(bench.arrays()) == ["0", "1"]


def test_masks_are_never_cited(bench: Bench) -> None:
    files = pictures("a") | pictures("b", seed=50) | {"annotations.json": coco()}
    result = bench.run(files, processes=1, format="coco", masks="a/*")
    assert not result.problems
    assert read_from(bench, 50)


def test_patterns_restrict_pairs_of_formats_with_masks(bench: Bench) -> None:
    files = pictures("JPEGImages") | {
        f"SegmentationClass/{i}.png": encoded(np.full((HEIGHT, WIDTH), i % 2, np.uint8)) for i in range(COUNT)
    }
    assert not codes(bench.run(files, processes=1, images="JPEGImages/[012].png"))
    assert sorted(bench.arrays()) == ["0", "1", "2"]
    assert not codes(bench.run(files, processes=1, format="voc", masks="SegmentationClass/[12].png"))
    assert sorted(bench.arrays()) == ["1", "2"]
    result = bench.run(files, processes=1, format="voc", images="[01].png", masks="[23].png")
    assert codes(result) == ["pattern_unmatched"]


@pytest.mark.parametrize("option", ["images", "masks"])
@pytest.mark.parametrize("form", ["coco", "voc", "pictures"])
def test_a_pattern_that_fits_nothing_is_named(bench: Bench, option: str, form: str) -> None:
    files = pictures("images") | {"annotations.json": coco()}
    result = bench.run(files, processes=1, format=form, **{option: "nowhere/*"})
    assert codes(result) == ["pattern_unmatched"]
    assert f"`{option}`" in result.problems[0].message


def test_folders_that_each_have_what_the_other_lacks_are_a_question(bench: Bench) -> None:
    images, raw = pictures("images"), pictures("raw", seed=50)
    del images["images/0.png"], raw["raw/1.png"]
    result = bench.run(images | raw | {"annotations.json": coco()}, processes=1)
    assert [question.code for question in result.questions] == ["image_folder"]


def test_images_within_their_annotations_are_no_masks(bench: Bench) -> None:
    held = base64.b64encode(encoded(photo(0, HEIGHT, WIDTH)))
    sheets = {
        path: data.replace(b'"imageData": null', b'"imageData": "%s"' % held)
        for path, data in labelme("json").items()
    }
    result = bench.run(sheets | masks("drawn"), processes=1, format="labelme", masks="drawn/*")
    assert result.summary is not None, result.problems
    assert result.summary.images == COUNT


@pytest.mark.parametrize("annotations", ["annotations/instances_{}.json", "{}.json", "labels/{}/coco.json"])
@pytest.mark.parametrize("images", ["{}", "images/{}", "{}2017/img"])
def test_images_of_one_name_in_several_splits(bench: Bench, annotations: str, images: str) -> None:
    files = {}
    for split, seed in (("train", 0), ("val", 50)):
        files |= pictures(images.format(split), seed=seed)
        files[annotations.format(split)] = coco()
    result = bench.run(files, processes=1)
    assert result.summary is not None, result.problems
    assert result.summary.splits == {"train": COUNT, "val": COUNT}
    for name, (image, _) in bench.arrays().items():
        seed = 50 if "val" in name else 0
        np.testing.assert_array_equal(image, photo(seed + int(name[-1]), HEIGHT, WIDTH))


def test_a_folder_that_all_lie_in_says_nothing(bench: Bench) -> None:
    files = pictures("images") | pictures("vis", seed=50) | {"annotations.json": coco()}
    bench.run({f"depth overlays/{path}": data for path, data in files.items()}, processes=1)
    assert read_from(bench, 0)
