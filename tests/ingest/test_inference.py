"""Images and masks are told apart by what is in them where names follow no rule, as in published sets."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, codes, encoded, photo

HEIGHT, WIDTH = 8, 40

LAYOUTS = {
    "ISIC": ("T1-2_Training_Input/ISIC_{:04}.jpg", "T1_Training_GroundTruth/ISIC_{:04}_segmentation.png"),
    "DeepGlobe": ("train/{}_sat.jpg", "train/{}_mask.png"),
    "Potsdam": ("2_Ortho_RGB/top_2_{}_RGB.tif", "5_Labels_all/top_2_{}_label.tif"),
    "LoveDA": ("Rural/images_png/{}.png", "Rural/masks_png/{}.png"),
    "FloodNet": ("org-img/{}.jpg", "label-img/{}_lab.png"),
    "FoodSeg": ("Images/img_dir/{:08}.jpg", "Images/ann_dir/{:08}.png"),
    "CVC": ("Original/{}.tif", "Ground Truth/{}.tif"),
    "GlaS": ("Warwick QU/{}.bmp", "Warwick QU/{}_anno.bmp"),
    "RUGD": ("R_frames-with-annotations/creek/creek_{:05}.png", "R_annotations/creek/creek_{:05}.png"),
    "A2D2": ("camera/cam_front/2018_camera_front_{}.png", "label/cam_front/2018_label_front_{}.png"),
    "Penn-Fudan": ("PNGImages/Fudan{:05}.png", "PedMasks/Fudan{:05}_mask.png"),
    "zero padding": ("photos/{}.jpg", "parts/0/{:05}_hair.png"),
    "a folder each": ("case_{}/photo.png", "case_{}/outline.png"),
    "words in front": ("photo{:03}.png", "outline{:03}.png"),
    "endings": ("scans/{}.tif", "scans/{}.bmp"),
}
KINDS = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "bmp": "BMP"}


def labels(number: int) -> Array:
    """A mask with so many rows of ones, in the left half."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[: number % HEIGHT, : WIDTH // 2] = 1
    return mask


def written(path: str, pixels: Array) -> tuple[str, bytes]:
    return path, encoded(pixels, KINDS[path.rpartition(".")[2]])


def files(layout: str, numbers: range) -> Iterator[tuple[str, bytes]]:
    image, mask = LAYOUTS[layout]
    for number in numbers:
        yield written(image.format(number), photo(number, HEIGHT, WIDTH))
        yield written(mask.format(number), labels(number))


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_published_sets(bench: Bench, layout: str, count: int) -> None:
    result = bench.run(dict(files(layout, range(1, count + 1))), val_fraction=0.4)
    assert {one.code for one in result.problems} <= {"val_drawn", "roles_inferred"}
    found = bench.arrays()
    assert len(found) == count
    for number in range(1, count + 1):
        path = "/" + LAYOUTS[layout][0].format(number).rpartition(".")[0]
        [mask] = [mask for name, (_, mask) in found.items() if path.endswith("/" + name)]
        np.testing.assert_array_equal(mask, labels(number))


def test_a_split_among_other_words(bench: Bench) -> None:
    made = {}
    for split in ("train", "val"):
        for number in range(3):
            seed = number + 10 * len(split)
            made |= [written(f"set_{split}_in/{number}.png", photo(seed, HEIGHT, WIDTH))]
            made |= [written(f"set_{split}_out/{number}.png", labels(number))]
    result = bench.run(made)
    assert result.summary is not None
    assert result.summary.splits == {"train": 3, "val": 3}
    for sample in bench.prepared.samples:
        number = int(sample.name.rpartition("/")[2])
        assert bench.prepared.mask(sample).sum() == labels(number).sum()


def test_two_masks_for_an_image_are_for_the_client_to_choose(bench: Bench) -> None:
    made = {}
    for number in range(4):
        made |= [written(f"eyes/Image_{number}.jpg", photo(number, HEIGHT, WIDTH))]
        made |= [written(f"eyes/Image_{number}_1stHO.png", labels(number))]
        made |= [written(f"eyes/Image_{number}_2ndHO.png", labels(number + 1))]
    [question] = bench.run(made).questions
    assert question.code == "masks_ambiguous"
    assert "eyes/Image_0.jpg with eyes/Image_0_1stHO.png" in question.text
    assert "eyes/Image_0.jpg with eyes/Image_0_2ndHO.png" in question.text
    one, other, both = (choice.options for choice in question.choices)
    assert {one["masks"], other["masks"]} == {"eyes/*_1stHO.png", "eyes/*_2ndHO.png"}
    assert set(both["class_masks"]) == {"1stHO", "2ndHO"}
    for options in (one, other, both):
        assert bench.run(made, **options).summary is not None
    chosen = bench.run(made, masks="*_2ndho.png")
    assert codes(chosen) == []
    assert {name[-1]: mask.sum() for name, (_, mask) in bench.arrays().items()} == {
        str(number): labels(number + 1).sum() for number in range(4)
    }


def test_masks_beside_those_that_are_taken_are_told_of(bench: Bench) -> None:
    made = {}
    for number in range(3):
        made |= [written(f"images/{number}_scan.tif", photo(number, HEIGHT, WIDTH))]
        made |= [written(f"mask/{number}_scan_mask.png", labels(1))]
        made |= [written(f"1st_manual/{number}_manual1.png", labels(number))]
    result = bench.run(made)
    [question] = result.questions
    assert question.code == "masks_ambiguous"
    first, second, _ = question.choices
    assert (first.options["masks"], second.options["masks"]) == ("1st_manual/*", "mask/*")
    chosen = bench.run(made, masks="1st_manual/*")
    assert codes(chosen) == []
    assert sorted(mask.sum() for _, mask in bench.arrays().values()) == [
        labels(number).sum() for number in range(3)
    ]


@pytest.mark.parametrize("other", [photo(9, HEIGHT, WIDTH), labels(2)[:, :-4]])
def test_pictures_that_look_like_no_masks_are_no_masks(bench: Bench, other: Array) -> None:
    """The same scene by night, or a mask of another size."""
    made = {}
    for number in range(4):
        made |= [
            written(f"day/{number}.png", photo(number, HEIGHT, WIDTH)),
            written(f"x/{number}.png", other),
        ]
    assert [question.code for question in bench.run(made).questions] == ["folder_labels"]
    assert codes(bench.run(made, format="pictures")) == ["no_pairs"]


def test_of_one_pair_nothing_is_inferred(bench: Bench) -> None:
    assert codes(bench.run(dict(files("endings", range(1, 2))))) == ["no_pairs"]


def test_a_broken_picture_and_a_blank_one_do_not_hide_what_the_others_show(bench: Bench) -> None:
    made = dict(files("a folder each", range(6)))
    made["case_0/photo.png"] = made["case_0/photo.png"][:100]
    made["case_1/photo.png"] = encoded(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "TIFF")
    result = bench.run(made)
    [problem] = [one for one in result.problems if one.severity == "error"]
    assert (problem.code, problem.file) == ("image_broken", "case_0/photo.png")
    assert "roles_inferred" in codes(result, "warning")


def test_a_test_set_without_masks_leaves_the_split_of_others_known(bench: Bench) -> None:
    """`Trainbar/` has no `Testbar/` beside it, and both images of a name go with one mask by their paths."""
    files = {}
    for number in range(6):
        for split in ("Train", "Test"):
            image = f"data/{split}foo/subject.{number % 3}/ab{number // 3}cd.png"
            files[image] = encoded(photo(number + 10 * (split == "Test"), HEIGHT, WIDTH))
        files[f"data/Trainbar/subject.{number % 3}/AB{number // 3}CD.tif"] = encoded(
            labels(number + 1), "TIFF"
        )
    bench.run(files, val_fraction=0.4)
    found = {name: mask for name, (_, mask) in bench.arrays().items()}
    assert len(found) == 6
    for number in range(6):
        [mask] = [mask for name, mask in found.items() if f"subject.{number % 3}/ab{number // 3}cd" in name]
        np.testing.assert_array_equal(mask, labels(number + 1))
