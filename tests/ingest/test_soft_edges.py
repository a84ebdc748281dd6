"""Masks that were made larger or smaller with smoothing have many values: never a class each in silence."""

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import answers, classes, photo_of, upload_of

LEVELS = np.array([0, 128, 255], np.uint8)
SMALL = (120, 90)
FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def _resized(values: Array, how: Image.Resampling) -> Array:
    return np.asarray(Image.fromarray(values).resize(SMALL, how))


def _set(how: Image.Resampling, levels: Array = LEVELS) -> dict[str, bytes]:
    files = {}
    for number in range(5):
        mask = classes([1, 2], 3, number)
        files[f"images/{number}.png"] = encoded(_resized(photo_of(mask, number), Image.Resampling.BILINEAR))
        files[f"masks/{number}.png"] = encoded(_resized(levels[mask], how))
    return files


@pytest.mark.parametrize("how", FILTERS)
def test_smoothed_levels_are_asked_about_or_refused(bench: Bench, how: str) -> None:
    result = bench.run(_set(FILTERS[how]))
    assert result.summary is None
    assert codes(result) == ["mask_values_unclear"] or [one.code for one in result.questions] == [
        "stray_values"
    ]


def test_the_nearest_level_is_an_answer(bench: Bench) -> None:
    found = answers(bench, _set(FILTERS["bilinear"]))
    summary = found["nearest"].summary
    assert summary is not None
    values = {one.value for one in summary.classes}
    assert set(LEVELS.tolist()) <= values
    assert len(values) < 8  # an edge may look like a level where objects are small


def test_many_classes_with_areas_are_not_asked_about(bench: Bench) -> None:
    masks = [classes(range(1 + 7 * (number % 3), 8 + 7 * (number % 3)), 2, number) for number in range(6)]
    result = bench.run(upload_of(map(encoded, masks), masks), objects="classes")
    assert result.summary is not None, (result.problems, result.questions)
    assert len(result.summary.classes) == 22


def test_thin_objects_with_ids_are_not_taken_for_edges(bench: Bench) -> None:
    """Lines of one pixel, each of an id of its own, on a background that has an area."""
    masks = []
    for number in range(6):
        drawn = np.zeros((90, 120), np.uint8)
        for line in range(20):
            drawn[4 + 4 * line, number : 100 + number] = 1 + line
        masks.append(drawn)
    result = bench.run(upload_of(map(encoded, masks), masks), objects="classes")
    assert result.summary is not None, (result.problems, result.questions)
    assert len(result.summary.classes) == 21
