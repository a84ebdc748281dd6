"""A mask that lies among the images is asked about; drawings, and photographs of nothing, are images."""

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, encoded, photo
from workers.ingest.pictures.flat_images import is_flat

SIDE = 64


def labels(seed: int, *colors: int) -> Array:
    """A picture of blocks in these greys."""
    blocks = np.random.default_rng(seed).choice(np.array(colors, np.uint8), (4, 4))
    return blocks.repeat(SIDE // 4, axis=0).repeat(SIDE // 4, axis=1)


def files(*flat: int, count: int = 8) -> dict[str, bytes]:
    """Images and masks, those of these numbers being flat."""
    made = {}
    for number in range(count):
        drawn = labels(number, 0, 255)
        image = np.repeat(labels(number, 0, 128, 255)[..., None], 3, axis=-1)
        made[f"images/{number}.png"] = encoded(image if number in flat else photo(number, SIDE, SIDE))
        made[f"masks/{number}.png"] = encoded(drawn)
    return made


def test_a_mask_among_the_images_is_asked_about(bench: Bench) -> None:
    made = files(3, 5)
    [question] = bench.run(made).questions
    assert (question.code, [one.key for one in question.choices]) == ("flat_images", ["leave_out", "use"])
    assert question.choices[0].examples == ("3", "5")
    left = bench.run(made, flat_images="leave_out").summary
    used = bench.run(made, flat_images="use").summary
    assert left is not None
    assert used is not None
    assert (left.images, used.images) == (6, 8)
    assumed = bench.run(made, on_question="assume")
    assert assumed.summary is not None
    assert assumed.summary.images == 6
    assert [one.code for one in assumed.problems] == ["flat_images"]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_set_of_drawings_is_one(bench: Bench, processes: int) -> None:
    assert bench.run(files(*range(8)), processes=processes).problems == ()


def test_photographs_are_not_flat() -> None:
    gradient = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 256, 3))
    assert not is_flat(photo(0, SIDE, SIDE))
    assert not is_flat(gradient)
    assert not is_flat(np.zeros((SIDE, SIDE, 3), np.uint8))
    assert is_flat(np.repeat(labels(1, 0, 9)[..., None], 3, axis=-1))
