"""Words and patterns of paths."""

import pytest

from workers.ingest.paths.patterns import matches, matching, pattern_of
from workers.ingest.paths.role_words import Role, names_mask, role_of, split_numbered, without_affixes
from workers.ingest.paths.words import words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patient007", ("patient", "7")),
        ("tile_0_1", ("tile", "0", "1")),
        ("PedMasks", ("ped", "masks")),
        ("JPEGImages", ("jpeg", "images")),
        ("IMG-2020.03", ("img", "2020", "3")),
        ("000", ("0",)),
        ("图像12", ("图像", "12")),
        ("9" * 5000, ("9" * 5000,)),
        ("---", ()),
    ],
)
def test_words(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


@pytest.mark.parametrize(
    ("name", "role", "rest"),
    [
        ("masks", Role.MASK, ()),
        ("Ground Truth", Role.MASK, ()),
        ("PNGImages", Role.IMAGE, ()),
        ("PedMasks", Role.MASK, ("ped",)),
        ("mask_images", Role.MASK, ()),
        ("images_and_masks", None, ("images", "and", "masks")),
        ("frames-with-annotations", None, ("frames", "with", "annotations")),
        ("patient1", None, ("patient", "1")),
        ("Masken", Role.MASK, ()),
        ("标注", Role.MASK, ()),
        ("изображения", Role.IMAGE, ()),
    ],
)
def test_roles_of_folders(name: str, role: Role | None, rest: tuple[str, ...]) -> None:
    said = role_of(words(name))
    assert (said.role, said.rest) == (role, rest)


@pytest.mark.parametrize(
    "name", ["a_mask", "a-seg", "mask_a", "a_GT", "a_mask_12", "a.segmentation", "aMask", "a_anno 2"]
)
def test_names_of_masks(name: str) -> None:
    assert names_mask(words(name))


@pytest.mark.parametrize("name", ["a", "mask", "unmasked_a", "a_masked", "1_2", "gt"])
def test_names_of_no_masks(name: str) -> None:
    assert not names_mask(words(name))


def test_what_is_left_of_a_masks_name() -> None:
    assert without_affixes(words("gt_a_7_label"), Role.MASK) == ("a", "7")
    assert without_affixes(words("a_ground_truth"), Role.MASK) == ("a",)
    assert without_affixes(words("mask"), Role.MASK) == ("mask",)
    assert split_numbered(words("benign (4)_mask_1")) == (("benign", "4"), ("1",))
    assert split_numbered(words("benign (4)_mask")) is None
    assert split_numbered(words("mask_1")) is None


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("seg/*", "data/patient0/seg/2.png"),
        ("SEG/*", "data/seg/2.png"),
        ("patient*/seg/*.png", "data/patient0/seg/2.png"),
        ("*_mask.png", "a/b_mask.PNG"),
        ("masks/*/*.png", "x/masks/cat/0.png"),
        ("**/seg/**/*.png", "a/seg/b/c/0.png"),
        ("seg/**", "a/seg/b/c/0.png"),
        ("a[12].png", "x/a2.png"),
        ("a[!12].png", "x/a3.png"),
    ],
)
def test_a_pattern_matches_from_any_folder_on(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("seg/*", "data/seg2/2.png"),
        ("seg/*", "data/seg/deep/2.png"),
        ("eg/*", "data/seg/2.png"),
        ("patient*/seg/*.png", "data/patient0/more/seg/2.png"),
        ("a?.png", "a/.png"),
        ("a.png", "axpng"),
    ],
)
def test_a_pattern_is_obeyed_exactly(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_a_pattern_that_ends_above_the_files_means_all_below() -> None:
    paths = ["d/seg/deep/1.png", "d/img/1.png"]
    assert matching("seg/*", paths) == {"d/seg/deep/1.png"}
    assert matching("d/seg", paths) == {"d/seg/deep/1.png"}
    assert matching("seg/*", [*paths, "d/seg/2.png"]) == {"d/seg/2.png"}


@pytest.mark.parametrize(
    ("wanted", "others", "pattern"),
    [
        (["p1/seg/1.png", "p2/seg/1.png"], ["p1/img/1.png"], "seg/*"),
        (["d/1_GT.png", "d/2_GT.png"], ["d/1.png", "d/2.png"], "d/*_GT.png"),
        (["a/1.bmp", "a/2.bmp"], ["a/1.tif"], "a/*.bmp"),
        (["s/cat/1.png", "s/cat/2.png"], ["s/dog/1.png"], "cat/*"),
        (["x/[a]/1.png", "x/[a]/2.png"], ["x/a/1.png"], "[[]a]/*"),
        (["a/1.png", "b/2.png"], ["a/2.png", "b/1.png"], None),
    ],
)
def test_the_pattern_of_some_paths(wanted: list[str], others: list[str], pattern: str | None) -> None:
    assert pattern_of(wanted, others) == pattern
