"""Images whose values are of another range than 0 to 255 are not taken in silence."""

import numpy as np
import pytest

from tests.ingest.made import SIDE, Bench, codes, drawn, encoded, photo


def files(images: dict[int, bytes]) -> dict[str, bytes]:
    made = {f"d/images/{number}.png": image for number, image in images.items()}
    return made | {f"d/masks/{number}.png": encoded(drawn(number, 1)) for number in images}


@pytest.mark.parametrize("highest", [1, 15])
def test_values_of_another_range_are_a_warning(bench: Bench, highest: int) -> None:
    scaled = {
        number: encoded((photo(number, SIDE, SIDE) / 255 * highest).round().astype(np.uint8))
        for number in range(6)
    }
    result = bench.run(files(scaled))
    assert codes(result, "warning") == ["images_dark"]
    assert result.summary is not None


def test_one_image_in_the_dark_is_usual(bench: Bench) -> None:
    made = {number: encoded(photo(number, SIDE, SIDE)) for number in range(5)}
    result = bench.run(files({**made, 5: encoded(photo(5, SIDE, SIDE) // 100)}))
    assert "images_dark" not in codes(result, "warning")
