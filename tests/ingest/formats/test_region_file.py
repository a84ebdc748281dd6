"""Regions come back from disk as they went there, by image."""

import gc
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.made import Array
from workers.ingest.regions.marked import Marked, rectangle
from workers.ingest.regions.masks import Bitmap, Ellipse, Polygon, Region, Stroke
from workers.ingest.regions.rle import Runs
from workers.ingest.regions.spool import RegionFile

SHAPE = (12, 16)
SQUARE = rectangle(1, 0.25, 0.5, 5, 6.75)
PIERCED = Polygon(
    value=255,
    rings=(rectangle(0, 0, 0, 9, 9).rings[0], np.array([[10, 1], [15, 1], [12, 8]], np.float32)),
    holes=(rectangle(0, 2, 2, 4, 4).rings[0],),
)
RUNS = Runs(value=3, width=16, height=12, runs=np.array([5, 20, 30, 7], np.int32))
NOTHING = Runs(value=4, width=16, height=12, runs=np.array([], np.int32))
BITMAP = Bitmap.of(5, np.eye(7, dtype=bool), 2, 3)
ELLIPSE = Ellipse(value=6, x=8.1, y=6.2, rx=5.3, ry=2.4, angle=33.3)
STROKE = Stroke(value=7, points=np.array([[1, 1], [9, 4], [3, 8]], np.float32), width=2.5)
MARKED = Marked(region=RUNS, label=9, crowd=True, box=(0.1, 2.2, 3.3, 4.4), group=3)


def drawn(region: Region) -> Array:
    mask = np.zeros(SHAPE, np.uint8)
    region.cover(*mask.shape).rasterize(mask, region.value)
    return mask


@pytest.mark.parametrize("region", [SQUARE, PIERCED, RUNS, NOTHING, BITMAP, ELLIPSE, STROKE, MARKED])
def test_a_region_comes_back(region: Region, tmp_path: Path) -> None:
    file = RegionFile(tmp_path)
    file.add(0, region)
    ((again,),) = file.by_image(1)
    assert (again.value, again.area, again.cost(16, 12)) == (region.value, region.area, region.cost(16, 12))
    assert (again.label, again.crowd, again.outlined) == (region.label, region.crowd, region.outlined)
    assert (again.box, again.group) == (region.box, region.group)
    np.testing.assert_array_equal(drawn(again), drawn(region))


def test_each_image_has_its_own_in_their_order(tmp_path: Path) -> None:
    file = RegionFile(tmp_path)
    rng = np.random.default_rng(0)
    expected: list[list[int]] = [[] for _ in range(7)]
    for value in range(200):
        image = int(rng.integers(0, 6))  # the last image has none
        file.add(image, rectangle(value, 0, 0, 1, 1))
        expected[image].append(value)
    found = file.by_image(7)
    assert [[region.value for region in regions] for regions in found] == expected
    assert [len(regions) for regions in found] == [len(values) for values in expected]
    assert [region.value for region in found[2][1:4]] == expected[2][1:4]
    assert found[2][-1].value == expected[2][-1]


def test_images_that_come_whole_can_be_read_at_once(tmp_path: Path) -> None:
    file = RegionFile(tmp_path)
    first, second = file.together([SQUARE, STROKE]), file.together([BITMAP])
    assert [region.value for region in first] == [SQUARE.value, STROKE.value]
    nothing, third = file.together([]), file.together([ELLIPSE])
    values = [[region.value for region in regions] for regions in (first, second, nothing, third)]
    assert values == [[SQUARE.value, STROKE.value], [BITMAP.value], [], [ELLIPSE.value]]


def test_without_any_region_images_have_none(tmp_path: Path) -> None:
    assert [list(regions) for regions in RegionFile(tmp_path).by_image(2)] == [[], []]


def test_what_goes_to_another_program_are_the_regions_of_one_image(tmp_path: Path) -> None:
    file = RegionFile(tmp_path)
    for image in range(1000):
        file.add(image, SQUARE)
    data = pickle.dumps(file.by_image(1000)[5])
    assert len(data) < 2000
    (again,) = pickle.loads(data)  # noqa: S301
    np.testing.assert_array_equal(drawn(again), drawn(SQUARE))


def test_the_file_is_closed_with_the_last_that_reads_it(tmp_path: Path) -> None:
    gc.collect()  # what other tests left
    before = len(os.listdir("/proc/self/fd"))
    file = RegionFile(tmp_path)
    file.add(0, SQUARE)
    (regions,) = file.by_image(1)
    del file
    assert len(regions) == 1
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del regions
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_file_lies_in_the_folder_of_the_set(tmp_path: Path) -> None:
    file = RegionFile(tmp_path)
    where = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd.isdigit()
             and os.path.lexists(f"/proc/self/fd/{fd}")}  # fmt: skip
    assert any(path.startswith(f"{tmp_path}/") for path in where)
    assert list(tmp_path.iterdir()) == [], "it has no name, and goes with its process"
    assert file.by_image(1)
