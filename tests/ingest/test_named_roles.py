"""What a client says of which pictures are images and masks goes before all rules."""

import numpy as np

from tests.ingest.made import Array, Bench, codes, encoded, mask, photo

LEFT, RIGHT = np.zeros((6, 8), np.uint8), np.zeros((6, 8), np.uint8)
LEFT[:, :3], RIGHT[:, 5:] = 255, 255


def scans(count: int = 2, **masks: Array) -> dict[str, bytes]:
    """Images in scans/, and masks in folders of these names."""
    files = {f"scans/{number}.png": encoded(photo(number)) for number in range(count)}
    for folder, values in masks.items():
        files |= {f"manual/{folder}/{number}.png": encoded(values) for number in range(count)}
    return files


def test_masks_of_one_class_each(bench: Bench) -> None:
    files = scans(lungL=LEFT, lungR=RIGHT)
    assert [one.code for one in bench.run(files).questions] == ["masks_ambiguous"]
    result = bench.run(files, class_masks={"right lung": "lungR/*.png", "left lung": "lungL/*"})
    assert result.problems == ()
    assert result.summary is not None
    assert [(info.name, info.value) for info in result.summary.classes] == [
        ("background", 0),
        ("left lung", 1),
        ("right lung", 2),
    ]
    assert bench.arrays()["0"][1][0].tolist() == [1, 1, 1, 0, 0, 2, 2, 2]


def test_masks_of_one_class_each_may_overlap(bench: Bench) -> None:
    result = bench.run(scans(lung=mask(255), spot=LEFT), class_masks={"lung": "lung/*", "spot": "spot/*"})
    assert result.summary is not None
    assert result.summary.task == "multilabel"
    assert {info.name: info.images for info in result.summary.classes} == {"lung": 2, "spot": 2}


def test_an_image_may_lack_the_mask_of_a_class(bench: Bench) -> None:
    files = scans(a=LEFT, b=RIGHT)
    del files["manual/a/0.png"]
    assert bench.run(files, class_masks={"a": "a/*", "b": "b/*"}).problems == ()
    assert bench.arrays()["0"][1][0].tolist() == [0, 0, 0, 0, 0, 2, 2, 2]


def test_images_alone_may_be_named(bench: Bench) -> None:
    files = scans(truth=mask(0, 1)) | {
        f"night/{number}.png": encoded(photo(9 + number)) for number in range(2)
    }
    result = bench.run(files, images="SCANS/*", masks="truth/*")
    assert result.problems == ()
    del files["night/0.png"], files["night/1.png"]
    assert bench.run(files, images="scans/*").problems == ()
    np.testing.assert_array_equal(bench.arrays()["1"][1], mask(0, 1))


def test_pictures_that_nobody_named_are_left_out_with_a_warning(bench: Bench) -> None:
    files = scans(truth=mask(0, 1), vessels=LEFT)
    result = bench.run(files, masks="truth/*")
    assert [(one.severity, one.code) for one in result.problems] == [("warning", "file_outside_folders")]
    result = bench.run(files, images="scans/0.png", masks="truth/*")
    assert codes(result, "warning") == ["mask_without_image", "single_image"]
    files = scans(4) | {"manual/truth/0.png": encoded(LEFT)}
    [question] = bench.run(files, images="scans/*", masks="truth/*").questions
    assert (question.code, question.choices[0].count) == ("unmasked", 3)


def test_a_pattern_that_nothing_fits_is_named(bench: Bench) -> None:
    for option in ({"images": "x/*"}, {"masks": "x/*"}, {"class_masks": {"a": "x/*"}}):
        [problem] = bench.run(scans(truth=LEFT), **option).problems
        assert problem.code == "pattern_unmatched"
        assert f"`{next(iter(option))}`" in problem.message
        assert "'x/*'" in problem.message
        assert "manual/truth/0.png" in problem.message


def test_the_files_of_another_format_are_not_asked(bench: Bench) -> None:
    """With patterns, the set is one of pictures, whatever else lies there."""
    coco = b'{"images": [], "annotations": [], "categories": []}'
    assert bench.run(scans(truth=LEFT) | {"instances.json": coco}, masks="truth/*").problems == ()


def test_a_mask_is_never_given_to_an_image_of_another_number(bench: Bench) -> None:
    files = scans(3, a=LEFT)
    for number in (0, 1):
        del files[f"manual/a/{number}.png"]
    files["manual/b/0.png"] = encoded(RIGHT)
    del files["scans/2.png"]
    bench.run(files, class_masks={"a": "a/*", "b": "b/*"})
    assert {name: mask[0].tolist() for name, (_, mask) in bench.arrays().items()} == {
        "0": [0, 0, 0, 0, 0, 1, 1, 1]
    }
