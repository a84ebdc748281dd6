"""Numbers in other places, or counted from elsewhere: pairs are the truth, or asked about."""

from collections.abc import Callable, Mapping

import pytest

from tests.ingest.layouts.scenes import scene
from tests.ingest.made import Array, Bench, codes, encoded, mask, photo
from tests.ingest.test_ordered_pairs import scene as noise

Cell = tuple[int, int]
Made = tuple[dict[str, bytes], dict[str, Array]]

GRIDS: dict[str, tuple[str, str]] = {
    "tiles": ("img/{0}_{1}.png", "seg/{1}_{0}.png"),
    "words in front": ("images/t_{0}_{1}.png", "masks/t_{1}_{0}_mask.png"),
    "zeros": ("images/{0:02}-{1:02}.png", "masks/{1}-{0}.png"),
    "an x between": ("images/a{0}x{1}.png", "masks/a{1}x{0}.png"),
    "folders": ("images/{0}/{1}.png", "masks/{1}/{0}.png"),
    "beside each other": ("d/{0}_{1}.png", "d/{1}_{0}_seg.png"),
    "unknown words": ("ortho/{0}_{1}.png", "klassen/{1}_{0}.png"),
    "the layout of VOC": ("JPEGImages/{0}_{1}.png", "SegmentationClass/{1}_{0}.png"),
    "a number behind": ("img/{0}_{1}_7.png", "seg/{1}_{0}_7.png"),
}


def tiles(name: str, rows: int, columns: int, draw: Callable[[int], tuple[Array, Array]]) -> Made:
    """The files, and the mask of each image by its picture's bytes."""
    files, truth = {}, {}
    image_path, mask_path = GRIDS[name]
    for row in range(rows):
        for column in range(columns):
            image, drawn = draw(row * columns + column)
            files[image_path.format(row, column)] = encoded(image)
            files[mask_path.format(row, column)] = encoded(drawn)
            truth[image.tobytes()] = drawn > 0
    return files, truth


def seen(number: int) -> tuple[Array, Array]:
    """A picture whose objects are seen, and their mask."""
    made = scene(number, (64, 48), (1, 1))
    return made.photo, made.labels


def hidden(number: int) -> tuple[Array, Array]:
    """Noise, and a mask that it shows nothing of."""
    image, masks = noise(number, 0)
    return image, masks[0]


def check(bench: Bench, truth: Mapping[bytes, Array]) -> None:
    found = bench.arrays().values()
    assert len(found) == len(truth)
    assert all(((mask > 0) == truth[image.tobytes()]).all() for image, mask in found)


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (3, 5)])
@pytest.mark.parametrize("draw", [seen, hidden])
def test_exchanged_numbers_are_never_paired_as_equal_ones(
    bench: Bench, name: str, rows: int, columns: int, draw: Callable[[int], tuple[Array, Array]]
) -> None:
    files, truth = tiles(name, rows, columns, draw)
    result = bench.run(files)
    if (name, rows) == ("unknown words", 3):
        assert [question.code for question in result.questions] == ["folder_labels"]  # no word says masks
        return
    if not result.questions:
        assert (draw, rows) == (seen, 3), result.problems  # where names and contents agree
        assert result.summary is not None, result.problems
        assert result.summary.reading is not None
        assert any("exchanged" in guess for guess in result.summary.reading.guesses)
    else:
        [question] = result.questions
        assert question.code == "pair_numbers"
        exchanged = next(one for one in question.choices if one.key == "exchanged")
        assert exchanged.preview
        assert (question.choices[0].key == "exchanged") == (draw is seen or rows == 3)
        assert bench.run(files, **exchanged.options).summary is not None
    check(bench, truth)


EQUAL = {
    "tiles": "{role}/{0}_{1}.png",
    "folders": "{role}/{0}/{1}.png",
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_numbers_are_right_where_contents_agree(bench: Bench, name: str) -> None:
    files, truth = {}, {}
    for number in range(16):
        image, drawn = seen(number)
        for role, pixels in (("images", image), ("masks", drawn)):
            files[EQUAL[name].format(number // 4, number % 4, role=role)] = encoded(pixels)
        truth[image.tobytes()] = drawn > 0
    result = bench.run(files)
    assert (result.questions, codes(result), codes(result, "warning")) == ((), [], [])
    check(bench, truth)


LABELLED = (
    "{role}/r{0}_c{1}.png",
    "{role}/patient{0}/{1}.png",
    "p{0}/{role}/{1}.png",
    "{role}/p{0}_s{1}.png",
)


@pytest.mark.parametrize("path", LABELLED)
def test_numbers_that_are_said_to_be_something_are_not_exchanged(bench: Bench, path: str) -> None:
    files = {}
    for number in range(9):
        image, drawn = hidden(number)
        for role, pixels in (("images", image), ("masks", drawn)):
            files[path.format(number // 3, number % 3, role=role)] = encoded(pixels)
    assert bench.run(files).questions == ()


def test_sizes_say_which_numbers_belong_together(bench: Bench) -> None:
    files = {}
    for row in range(3):
        for column in range(3):
            size = (20 + 4 * row, 40 + 4 * column)
            files[f"images/{row}_{column}.png"] = encoded(photo(3 * row + column, *size))
            files[f"masks/{column}_{row}.png"] = encoded(mask(0, 1, height=size[0], width=size[1]))
    result = bench.run(files)
    assert (result.questions, codes(result)) == ((), [])


COUNTED = {
    "roles": ("d/images/img_{}.png", "d/masks/mask_{}.png"),
    "padded": ("d/images/{:04}.png", "d/masks/{:04}.png"),
    "names": ("d/frame{}.png", "d/frame{}_mask.png"),
    "split": ("d/train/images/{}.png", "d/train/masks/{}.png"),
    "site": ("d/site 1/images/{}.png", "d/site 1/masks/{}.png"),
}


def counted(
    name: str, numbers: range | tuple[int, ...], shift: int, draw: Callable[[int], tuple[Array, Array]]
) -> Made:
    files, truth = {}, {}
    images, masks = COUNTED[name]
    for number in numbers:
        image, drawn = draw(number)
        files[images.format(number + shift)] = encoded(image)
        files[masks.format(number)] = encoded(drawn)
        truth[image.tobytes()] = drawn > 0
    return files, truth


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("shift", [1, 2])
def test_two_ways_of_counting_are_asked_about(bench: Bench, name: str, shift: int) -> None:
    files, truth = counted(name, range(9), shift, hidden)
    [question] = bench.run(files).questions
    assert (question.code, [one.key for one in question.choices]) == ("pair_numbers", ["in_order", "equal"])
    assert bench.run(files, **question.choices[0].options).summary is not None
    check(bench, truth)
    equal = bench.run(files, unmasked="leave_out", **question.choices[1].options).summary
    assert equal is not None
    assert equal.images == 9 - shift


def test_contents_tell_which_way_of_counting_is_right(bench: Bench) -> None:
    files, truth = counted("roles", range(9), 1, seen)
    result = bench.run(files)
    assert result.questions == ()
    assert result.summary is not None
    check(bench, truth)


@pytest.mark.parametrize("name", ["roles", "padded", "split", "site"])
@pytest.mark.parametrize("numbers", [range(1, 9), (1, 2, 4, 7, 8)])
@pytest.mark.parametrize("shift", [100, 1000])
def test_counts_that_share_no_number_are_paired_in_order(
    bench: Bench, name: str, numbers: range | tuple[int, ...], shift: int
) -> None:
    files, truth = counted(name, numbers, shift, hidden)
    result = bench.run(files)
    assert (result.questions, codes(result)) == ((), [])
    assert result.summary is not None
    assert result.summary.reading is not None
    assert any("in" in guess for guess in result.summary.reading.guesses)
    check(bench, truth)


def test_an_option_that_does_not_fit_is_refused(bench: Bench) -> None:
    files, _ = counted("roles", range(5), 0, hidden)
    assert codes(bench.run(files, pair_numbers="exchanged")) == ["pair_numbers_absent"]


def test_a_list_settles_it(bench: Bench) -> None:
    files, _ = counted("roles", range(9), 1, hidden)
    lines = ["image,mask", *(f"images/img_{n + 1}.png,masks/mask_{n}.png" for n in range(9))]
    assert bench.run({**files, "d/pairs.csv": "\n".join(lines).encode()}).summary is not None


def test_a_missing_partner_is_no_other_count(bench: Bench) -> None:
    files, _ = counted("padded", range(9), 0, hidden)
    del files["d/images/0000.png"], files["d/masks/0004.png"]
    assert bench.run(files).questions == ()


@pytest.mark.parametrize("mark", ["msk_{}.tif", "{}_mask.png"])
def test_an_image_that_has_a_mask_of_its_numbers_is_not_given_another_unasked(
    bench: Bench, mark: str
) -> None:
    files = {
        f"d/{name}.png": encoded(hidden(n)[0]) for n, name in enumerate(("2_0_2", "2_0_3", "2_1_2", "2_1_3"))
    }
    masks = ("2_0_2", "2_1_2", "2_1_3", "3_0_2", "3_1_2")
    kind = "TIFF" if mark.endswith("tif") else "PNG"
    files |= {f"d/{mark.format(name)}": encoded(hidden(n)[1], kind) for n, name in enumerate(masks)}
    [question] = bench.run(files).questions
    assert (question.code, question.choices[0].key) == ("pair_numbers", "equal")
    summary = bench.run(files, pair_numbers="equal", unmasked="leave_out").summary
    assert summary is not None
    assert summary.images == 3
