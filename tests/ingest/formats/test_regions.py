"""Regions cover the pixels whose centres they contain, and lie as the image is displayed."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.made import Array, encoded, photo
from workers.ingest.archive import Member
from workers.ingest.pictures.decode import DecodedImage, decode_image, oriented
from workers.ingest.problems import Refused
from workers.ingest.regions import truth as truths
from workers.ingest.regions.marked import rectangle
from workers.ingest.regions.masks import IGNORED, Bitmap, Ellipse, Polygon, Region, Stroke
from workers.ingest.regions.polygons import ring
from workers.ingest.regions.rle import Runs
from workers.ingest.regions.truth import RegionsTruth

HEIGHT, WIDTH = 12, 16
ON_EDGE = 1e-3
"""In pixels: what rounding to float32 may move."""


def drawn(*regions: Region, height: int = HEIGHT, width: int = WIDTH) -> Array:
    mask = np.zeros((height, width), np.uint8)
    for region in regions:
        region.cover(*mask.shape).rasterize(mask, region.value)
    return mask


def box(value: int, left: int, top: int, right: int, bottom: int) -> Polygon:
    return rectangle(value, left, top, right, bottom)


def read(member: Member) -> bytes:
    raise AssertionError("regions read no files")


def shown(orientation: int = 0, height: int = HEIGHT, width: int = WIDTH) -> DecodedImage:
    return decode_image(encoded(photo(0, height, width), "JPEG", orientation))


def rasterized(*regions: Region, image: DecodedImage | None = None, **others: object) -> Array:
    truth = RegionsTruth(
        **{"file": "f", "size": (WIDTH, HEIGHT), "background": 0, "regions": regions} | others  # type: ignore[arg-type]
    )
    return truth.rasterize(read, image or shown())


def test_a_box_covers_its_pixels_and_no_outline() -> None:
    mask = drawn(box(1, 2, 3, 7, 5))
    assert mask[3:5, 2:7].all()
    assert mask.sum() == 10


def test_a_part_of_a_pixel_counts_where_its_centre_lies() -> None:
    mask = drawn(rectangle(1, 1.6, 1.4, 3.4, 2.6))
    assert np.argwhere(mask).tolist() == [[1, 2], [2, 2]]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-40, 240), st.integers(-40, 200)), min_size=3, max_size=7))
def test_a_polygon_is_the_pixels_whose_centres_are_inside(points: list[tuple[int, int]]) -> None:
    """Checked point by point with the even-odd rule; centres on an edge may fall to either side."""
    corners = np.array(points, np.float32) / 13 + 0.013
    mask = drawn(Polygon(value=1, rings=(ring(corners.reshape(-1)),)))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            if _distance(corners, x + 0.5, y + 0.5) > ON_EDGE:
                assert mask[y, x] == _crossings(corners, x + 0.5, y + 0.5) % 2


def _distance(corners: Array, x: float, y: float) -> float:
    """From a point to the nearest edge, in pixels."""
    starts = corners.astype(np.float64)
    ways = np.roll(starts, -1, 0) - starts
    to_point = np.array([x, y]) - starts
    lengths = np.maximum((ways * ways).sum(1), 1e-12)
    along = np.clip((ways * to_point).sum(1) / lengths, 0, 1)
    return float(np.hypot(*(to_point - along[:, None] * ways).T).min())


def _crossings(corners: Array, x: float, y: float) -> int:
    count = 0
    for (x1, y1), (x2, y2) in zip(corners.tolist(), np.roll(corners, -1, 0).tolist(), strict=True):
        if (y1 > y) != (y2 > y) and x1 + (y - y1) * (x2 - x1) / (y2 - y1) <= x:
            count += 1
    return count


def test_area_of_a_polygon_is_unbiased() -> None:
    generator = np.random.default_rng(0)
    covered = exact = 0.0
    for _ in range(200):
        angles = np.sort(generator.uniform(0, 2 * np.pi, 7))
        outline = 60 + generator.uniform(3, 9) * np.stack([np.cos(angles), np.sin(angles)], 1)
        polygon = Polygon(value=1, rings=(outline.astype(np.float32),))
        covered += float(drawn(polygon, height=120, width=120).sum())
        exact += polygon.area
    assert covered == pytest.approx(exact, rel=0.01)


def test_holes_are_cut_out_and_what_lay_below_stays() -> None:
    below = box(2, 0, 0, WIDTH, HEIGHT)
    pierced = Polygon(value=1, rings=box(1, 0, 0, 10, 10).rings, holes=box(1, 2, 2, 4, 4).rings)
    mask = drawn(below, pierced)
    assert (mask[2:4, 2:4] == 2).all()
    assert (mask == 1).sum() == 96 == pierced.area
    shifted = Polygon(value=1, rings=box(1, 5, 6, 15, 16).rings, holes=box(1, 7, 8, 9, 10).rings)
    assert np.argwhere(drawn(shifted)[6:, 5:15] == 0).tolist() == [[y, x] for y in (2, 3) for x in (2, 3)]


def test_an_ellipse_has_its_area_and_its_angle() -> None:
    upright = drawn(Ellipse(value=1, x=50, y=40, rx=30, ry=10), height=100, width=100)
    turned = drawn(Ellipse(value=1, x=50, y=40, rx=30, ry=10, angle=90), height=100, width=100)
    assert upright.sum() == pytest.approx(np.pi * 300, rel=0.01)
    assert upright[40, 25]
    assert turned[15, 50]
    assert not turned[40, 25]


def test_a_bitmap_is_cut_at_the_edges_of_the_image() -> None:
    pixels = np.ones((4, 5), np.bool_)
    pixels[0] = False
    mask = drawn(
        Bitmap.of(1, pixels, x=-2, y=-2), Bitmap.of(2, pixels, x=14, y=10), Bitmap.of(3, pixels, x=99)
    )
    assert np.argwhere(mask == 1).tolist() == [[y, x] for y in (0, 1) for x in (0, 1, 2)]
    assert np.argwhere(mask == 2).tolist() == [[11, 14], [11, 15]]
    assert not (mask == 3).any()


def test_an_empty_bitmap_covers_nothing() -> None:
    assert not drawn(Bitmap.of(1, np.zeros((4, 5), np.bool_))).any()


def test_a_stroke_is_as_wide_as_said() -> None:
    mask = drawn(Stroke(value=1, points=np.array([[2, 6], [14, 6]], np.float32), width=3))
    assert mask[:, 8].sum() == 3


def test_regions_outside_cost_nothing_and_change_nothing() -> None:
    far = [box(1, 90, 90, 99, 99), box(1, -9, -9, -1, -1), Ellipse(value=1, x=-500, y=5, rx=3, ry=3)]
    assert not drawn(*far).any()


def test_the_smaller_is_seen_by_area_the_later_by_file() -> None:
    window, facade = box(2, 2, 2, 4, 4), box(1, 0, 0, 10, 10)
    assert rasterized(window, facade)[2, 2] == 2
    assert rasterized(window, facade, order="file")[2, 2] == 1


def test_of_equal_ones_the_later_is_seen() -> None:
    assert rasterized(box(1, 0, 0, 2, 2), box(2, 0, 0, 2, 2))[0, 0] == 2


def test_ignored_regions_follow_the_same_order() -> None:
    """A crowd in front of a bus hides it; a person labelled in a crowd stays labelled."""
    crowd = box(IGNORED, 2, 2, 6, 6)
    assert rasterized(box(1, 0, 0, 10, 10), crowd)[3, 3] == IGNORED
    assert rasterized(box(1, 3, 3, 4, 4), crowd)[3, 3] == 1


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_drawn_on_the_stored_or_on_the_displayed_image(orientation: int) -> None:
    image = shown(orientation)
    corner = box(1, 0, 0, 3, 2)
    on_display = rasterized(corner, image=image, size=image.size)
    assert on_display[:2, :3].all()
    assert on_display.shape == image.pixels.shape[:2]
    if image.size != image.stored_size:
        np.testing.assert_array_equal(rasterized(corner, image=image), oriented(drawn(corner), orientation))


def test_with_no_size_stated_the_displayed_image_is_meant() -> None:
    mask = rasterized(box(1, 0, 0, 3, 2), image=shown(6), size=None)
    assert mask.shape == (WIDTH, HEIGHT)
    assert mask[:2, :3].all()


def test_another_size_is_refused() -> None:
    with pytest.raises(Refused, match="16x13 pixels; the image has 16x12") as refusal:
        rasterized(size=(WIDTH, HEIGHT + 1))
    assert refusal.value.problem_code == "annotation_size"


@pytest.mark.parametrize(
    "region",
    [
        box(1, 0, 0, WIDTH, HEIGHT),
        Bitmap.of(1, np.ones((HEIGHT, WIDTH), np.bool_)),
        Ellipse(value=1, x=8, y=6, rx=50, ry=50),
        Runs(value=1, width=WIDTH, height=HEIGHT, runs=np.array([0, HEIGHT * WIDTH], np.int32)),
    ],
)
def test_too_much_to_paint_is_refused(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    monkeypatch.setattr(truths, "MAX_PAINTED", 5 * region.cost(WIDTH, HEIGHT))
    assert region.cost(WIDTH, HEIGHT) >= HEIGHT * WIDTH
    assert rasterized(*[region] * 5).all()
    with pytest.raises(Refused) as refusal:
        rasterized(*[region] * 6)
    assert refusal.value.problem_code == "regions_too_many"


def test_a_ring_that_zigzags_without_end_is_refused() -> None:
    points = np.zeros((300_000, 2), np.float32)
    points[::2] = (20, 100)
    with pytest.raises(Refused) as refusal:
        drawn(Polygon(value=1, rings=(points,)), height=100, width=100)
    assert refusal.value.problem_code == "polygon_too_long"


@pytest.mark.parametrize(
    "numbers", [[], [1, 2], [1] * 7, ["x"] * 6, [[1, 2, 3]] * 3, [float("nan")] * 6, None, {}]
)
def test_what_is_no_ring_is_refused(numbers: object) -> None:
    with pytest.raises(Refused) as refusal:
        ring(numbers)
    assert refusal.value.problem_code == "polygon_broken"


def test_a_ring_may_be_pairs() -> None:
    np.testing.assert_array_equal(ring([[0, 0], [4, 0], [4, 4]]), ring([0, 0, 4, 0, 4, 4]))


def test_all_regions_can_go_to_another_process() -> None:
    regions: list[Region] = [
        box(1, 0, 0, 5, 5),
        Bitmap.of(2, np.ones((2, 2), np.bool_), 3, 3),
        Ellipse(value=3, x=9, y=9, rx=2, ry=1),
        Stroke(value=4, points=np.array([[1, 9], [3, 11]], np.float32), width=2),
    ]
    again = pickle.loads(pickle.dumps(regions))  # noqa: S301
    np.testing.assert_array_equal(drawn(*again), drawn(*regions))
    assert set(np.unique(drawn(*regions))) == {0, 1, 2, 3, 4}
