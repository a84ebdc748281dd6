"""Copies that browsers and file managers make are no further images, and no parts of masks."""

import pytest

from tests.ingest.made import SIDE, Bench, codes, drawn, encoded, mask, photo

SIGNS = (
    "{} (1)",
    "{}(1)",
    "{} - Copy",
    "{} - Copy (2)",
    "{} copy",
    "{} copy 2",
    "{}_copy",
    "{} (copy)",
    "{} (another copy)",
    "Copy of {}",
    "{} - Kopie",
    "{} — копия",
    "{} - 副本",
)


def pairs(count: int = 5) -> dict[str, bytes]:
    files = {}
    for number in range(count):
        files[f"images/im{number}.png"] = encoded(photo(number, 48, 48))
        files[f"masks/im{number}.png"] = encoded(drawn(number, 255))
    return files


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("roles", [("images",), ("masks",), ("images", "masks")])
def test_copies_of_the_same_content_are_left_out(bench: Bench, sign: str, roles: tuple[str, ...]) -> None:
    files = pairs()
    for role in roles:
        files[f"{role}/{sign.format('im0')}.png"] = files[f"{role}/im0.png"]
    result = bench.run(files)
    assert (result.questions, codes(result)) == ((), [])
    assert codes(result, "warning") == ["copies_left_out"]
    assert set(bench.arrays()) == {f"im{number}" for number in range(5)}
    assert all(
        (found[1] > 0).sum() == (drawn(int(name[2:]), 1) > 0).sum() for name, found in bench.arrays().items()
    )


def test_a_copy_in_another_compression_is_one(bench: Bench) -> None:
    files = pairs() | {"images/im0 (1).png": encoded(photo(0, 48, 48), compress_level=0)}
    assert codes(bench.run(files), "warning") == ["copies_left_out"]


def test_pairs_that_are_both_called_so_are_images_of_their_own(bench: Bench) -> None:
    files = pairs()
    files["images/im0 (1).png"], files["masks/im0 (1).png"] = (
        encoded(photo(9, 48, 48)),
        encoded(drawn(9, 255)),
    )
    assert bench.run(files).problems == ()
    assert len(bench.arrays()) == 6


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("has_image", [False, True])
def test_another_version_of_a_mask_is_asked_about(bench: Bench, sign: str, has_image: bool) -> None:
    files = pairs()
    files[f"masks/{sign.format('im0')}.png"] = encoded(mask(255, 0, height=48, width=48))
    if has_image:  # the same, downloaded twice
        files[f"images/{sign.format('im0')}.png"] = files["images/im0.png"]
    [question] = bench.run(files).questions
    assert (question.code, [one.key for one in question.choices]) == ("copies", ["leave_out", "last", "keep"])
    assert all(choice.preview for choice in question.choices)
    sizes = {}
    for choice in question.choices[:2]:
        assert codes(bench.run(files, **choice.options)) == []
        assert len(bench.arrays()) == 5
        sizes[choice.key] = (bench.arrays()["im0"][1] > 0).sum()
    assert sizes == {"leave_out": (drawn(0, 1) > 0).sum(), "last": 24 * 48}


def test_names_that_count_are_no_copies(bench: Bench) -> None:
    files = {}
    for number in range(1, 6):
        files[f"images/benign ({number}).png"] = encoded(photo(number, 48, 48))
        files[f"masks/benign ({number}).png"] = encoded(drawn(number, 255))
    assert bench.run(files).problems == ()
    assert len(bench.arrays()) == 5


def test_copies_are_left_out_of_vocs_folders(bench: Bench) -> None:
    files = {}
    for number, name in enumerate(("a", "b", "c", "a copy")):
        shown = 0 if name == "a copy" else number
        files[f"set/JPEGImages/{name}.png"] = encoded(photo(shown, SIDE, SIDE))
        files[f"set/SegmentationClass/{name}.png"] = encoded(drawn(shown, 1))
    result = bench.run(files)
    assert result.summary is not None, result.problems
    assert {sample.name for sample in bench.prepared.samples} == {"a", "b", "c"}
    assert "copies_left_out" in codes(result, "warning")
