"""Lines of YOLO's with more than a box or a polygon: confidences of detectors, key points."""

import numpy as np
import pytest

from tests.ingest.made import Bench, codes, encoded, photo

SIDE = 40
BOXES = ((0.3, 0.3, 0.2, 0.4), (0.6, 0.7, 0.3, 0.2))
"""Centre, width and height of each object, in fractions."""
IMAGES = 3


def _corners(box: tuple[float, float, float, float]) -> str:
    x, y, w, h = box
    left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    return f"{left} {top} {right} {top} {right} {bottom} {left} {bottom}"


def _words(box: tuple[float, float, float, float]) -> str:
    return " ".join(map(str, box))


def _set(lines: list[str], **more: bytes) -> dict[str, bytes]:
    files = {name.replace("__", "."): data for name, data in more.items()}
    for number in range(IMAGES):
        files[f"images/{number}.jpg"] = encoded(photo(number, SIDE, SIDE), "JPEG")
        files[f"labels/{number}.txt"] = "\n".join(lines).encode()
    return files


@pytest.mark.parametrize("confidence", ["0.93", "1", "1.0", "5e-05", "0"])
def test_a_confidence_behind_a_box_is_left_out(bench: Bench, confidence: str) -> None:
    result = bench.run(_set([f"0 {_words(box)} {confidence}" for box in BOXES], classes__txt=b"cat\n"))
    assert codes(result, "warning") == ["confidence_left_out"]
    assert result.summary is not None
    assert result.summary.kinds == ("boxes",)
    assert result.summary.objects is not None
    assert result.summary.objects.count == 2 * IMAGES


def test_a_confidence_behind_a_polygon_is_left_out(bench: Bench) -> None:
    bench.run(_set([f"0 {_corners(box)}" for box in BOXES], classes__txt=b"cat\n"))
    plain = {name: mask for name, (_, mask) in bench.arrays().items()}
    result = bench.run(_set([f"0 {_corners(box)} 0.8" for box in BOXES], classes__txt=b"cat\n"))
    assert codes(result, "warning") == ["confidence_left_out"]
    for name, (_, mask) in bench.arrays().items():
        np.testing.assert_array_equal(mask, plain[name])


@pytest.mark.parametrize("seen", ["", " 2", " 1", " 0"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 17])
def test_of_boxes_with_key_points_the_boxes_are_read(bench: Bench, count: int, seen: str) -> None:
    """A line of two points without a third number has as many numbers as a polygon of four corners."""
    random = np.random.default_rng(count)
    lines = []
    for x, y, w, h in BOXES:
        inside = random.uniform(-0.5, 0.5, (count, 2)) * (w, h) + (x, y)
        points = " ".join(f"{px:.6f} {py:.6f}{seen}" for px, py in inside)
        lines.append(f"0 {x} {y} {w} {h} {points}")
    result = bench.run(_set(lines, classes__txt=b"person\n"))
    assert codes(result, "warning") == ["key_points_left_out"]
    assert result.summary is not None
    assert result.summary.kinds == ("boxes",)
    assert result.summary.objects is not None
    assert result.summary.objects.count == 2 * IMAGES


def test_the_shape_of_key_points_in_the_yaml_tells_them(bench: Bench) -> None:
    lines = [f"0 {_words(box)} 0.99 0.99 0 0" for box in BOXES]  # one of them outside its box
    result = bench.run(_set(lines, data__yaml=b"names: [person]\nkpt_shape: [2, 2]\n"))
    assert codes(result, "warning") == ["key_points_left_out"]
    assert result.summary is not None
    assert result.summary.kinds == ("boxes",)


def test_polygons_of_four_corners_are_no_key_points(bench: Bench) -> None:
    result = bench.run(_set([f"0 {_corners(box)}" for box in BOXES], classes__txt=b"cat\n"))
    assert codes(result, "warning") == []
    assert result.summary is not None
    assert "outlines" in result.summary.kinds
