"""Images and masks that are counted from different numbers are not paired by equal numbers in silence."""

import pytest

from tests.ingest.made import SIDE, Bench, codes, drawn, encoded, photo


def files(images: str, masks: str, shift: int) -> dict[str, bytes]:
    made = {}
    for number in range(9):
        made[images.format(number + shift)] = encoded(photo(number, SIDE, SIDE))
        made[masks.format(number)] = encoded(drawn(number, 1))
    return made


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("d/images/img_{}.png", "d/masks/mask_{}.png"),
        ("d/images/{:04}.png", "d/masks/{:04}.png"),
        ("d/frame{}.png", "d/frame{}_mask.png"),
        ("d/train/images/{}.png", "d/train/masks/{}.png"),
        ("d/site 1/images/{}.png", "d/site 1/masks/{}.png"),
    ],
)
@pytest.mark.parametrize("shift", [1, 2])
def test_two_ways_of_counting_are_an_error(bench: Bench, images: str, masks: str, shift: int) -> None:
    problems = bench.run(files(images, masks, shift)).problems
    [shifted] = [one for one in problems if one.code == "numbers_shifted"]
    assert shifted.severity == "error"
    assert f"from {shift} to {8 + shift} and masks from 0 to 8" in shifted.message


def test_a_list_settles_it(bench: Bench) -> None:
    made = files("d/images/img_{}.png", "d/masks/mask_{}.png", 1)
    lines = ["image,mask", *(f"images/img_{n + 1}.png,masks/mask_{n}.png" for n in range(9))]
    assert bench.run({**made, "d/pairs.csv": "\n".join(lines).encode()}).summary is not None


def test_a_missing_partner_is_no_other_count(bench: Bench) -> None:
    made = files("d/images/{}.png", "d/masks/{}.png", 0)
    del made["d/images/0.png"], made["d/masks/4.png"]
    assert "numbers_shifted" not in codes(bench.run(made))
    made = files("d/images/{}.png", "d/masks/{}.png", 0)
    assert codes(bench.run(made)) == []
