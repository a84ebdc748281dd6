"""Boxes and outlines of objects in a prepared version: written, read, pickled, recoded, and cut short."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainyard.datasets.prepared_index import PreparedClass, read_index
from trainyard.datasets.record import Kind
from trainyard.datasets.stored_objects import RECORD, stored_objects
from trainyard.errors import DatasetChanged
from workers.prepared.objects import RECORDS
from workers.prepared.recorded import open_version
from workers.prepared.run_lengths import compressed, decompressed, rasterize_runs, runs_of, runs_of_part
from workers.prepared.version import Objects, PreparedDataset, PreparedWriter, Uint8

STORED = Path(__file__).parents[1] / "fixtures" / "prepared" / "0.1.0-objects"
CLASSES = [
    PreparedClass(index=0, name="cat", value=1, color=(1, 2, 3)),
    PreparedClass(index=1, name="dog", value=2, color=(4, 5, 6)),
]
HALF = (0.5, 0.5, 0.5)
INSTANCES: tuple[Kind, ...] = ("masks", "boxes", "outlines")


def some(boxes: list[list[float]], classes: list[int], crowd: list[bool] | None = None) -> Objects:
    flags = crowd or [False] * len(boxes)
    return Objects(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64), np.array(flags, np.bool_)
    )


def outlined(objects: Objects, height: int, width: int) -> Uint8:
    """Ellipses, more or less, in the boxes."""
    masks = np.zeros((len(objects), height, width), np.uint8)
    rows, columns = np.mgrid[:height, :width] + 0.5
    for mask, (left, top, right, bottom) in zip(masks, objects.boxes, strict=True):
        across = ((columns - (left + right) / 2) / (right - left)) ** 2
        mask[across + ((rows - (top + bottom) / 2) / (bottom - top)) ** 2 <= 0.25] = 1
    return masks


TWO = some([[1, 2, 9, 7.5], [0, 0, 12, 8]], [1, 0], [False, True])
NONE = some([], [])
ONE = some([[3, 1, 8, 6]], [1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images with two, no and one object."""
    with PreparedWriter(tmp_path / "set", INSTANCES) as writer:
        for name, objects in (("a", TWO), ("b", NONE), ("c", ONE)):
            image = np.full((8, 12, 3), ord(name), np.uint8)
            mask = np.full((8, 12), len(objects), np.uint8)
            writer.append_objects(name, image, objects, outlined(objects, 8, 12), mask)
        splits = {"a": "train", "b": "train", "c": "val"}
        writer.finish(splits, CLASSES, HALF, HALF, "digest")
    return tmp_path / "set"


def assert_same(found: Objects, expected: Objects) -> None:
    for name in ("boxes", "classes", "crowd"):
        one, other = getattr(found, name), getattr(expected, name)
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype, name


def test_what_is_written_is_read(folder: Path) -> None:
    prepared = open_version(folder, "digest")
    assert prepared.kinds == INSTANCES
    assert prepared.object_classes == CLASSES
    for sample, expected in zip(prepared.samples, (TWO, NONE, ONE), strict=True):
        assert_same(prepared.objects(sample), expected)
        masks = prepared.outlines(sample)
        np.testing.assert_array_equal(masks, outlined(expected, 8, 12))
        assert masks.dtype == np.uint8
        assert (prepared.mask(sample) == len(expected)).all()
        assert (prepared.image(sample) == ord(sample.name)).all()
    assert [sample.classes for sample in prepared.samples] == [(0, 1), (), (1,)]


def test_a_loader_process_maps_it_again(folder: Path) -> None:
    prepared = pickle.loads(pickle.dumps(PreparedDataset(folder)))  # noqa: S301 - our own
    assert_same(prepared.objects(prepared.samples[2]), ONE)
    assert prepared.outlines(prepared.samples[0]).any(axis=(1, 2)).all()


def test_the_objects_of_a_sample_are_the_callers_own(folder: Path) -> None:
    prepared = PreparedDataset(folder)
    prepared.objects(prepared.samples[0]).boxes[:] = 0
    assert_same(prepared.objects(prepared.samples[0]), TWO)


def test_the_api_reads_the_same_records(folder: Path) -> None:
    assert RECORDS.itemsize == RECORD.size
    sample = read_index(folder).samples[0]
    first, second = stored_objects(folder, sample.first_object, sample.objects)
    assert (first.box, first.index, first.crowd) == ((1, 2, 9, 7.5), 1, False)
    assert (second.box, second.index, second.crowd) == ((0, 0, 12, 8), 0, True)
    assert (first.outline_offset, second.outline_offset) == (0, first.outline_bytes)
    assert list(stored_objects(folder, 2, 0)) == []


def test_boxes_alone_have_no_masks_and_no_outlines(tmp_path: Path) -> None:
    with PreparedWriter(tmp_path, ("boxes",)) as writer:
        writer.append_objects("a", np.zeros((8, 12, 3), np.uint8), TWO)
        writer.finish({"a": "train"}, CLASSES, HALF, HALF, "digest")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images.bin", "index.json", "objects.bin"]
    prepared = open_version(tmp_path, None)
    assert_same(prepared.objects(prepared.samples[0]), TWO)


def test_a_set_of_masks_has_no_file_of_objects(tmp_path: Path) -> None:
    with PreparedWriter(tmp_path) as writer:
        writer.append("a", np.zeros((8, 12, 3), np.uint8), np.zeros((8, 12), np.uint8))
        writer.finish({"a": "train"}, CLASSES, HALF, HALF, "digest")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images.bin", "index.json", "masks.bin"]
    assert PreparedDataset(tmp_path).object_classes == []


@pytest.mark.parametrize("box", [
    [1, 1, 1, 2], [2, 1, 1, 2], [0, 0, 13, 8], [0, 0, 12, 9], [-1, 0, 2, 2], [0, float("nan"), 1, 1],
])  # fmt: skip
def test_boxes_that_are_none_of_the_image_are_refused(tmp_path: Path, box: list[float]) -> None:
    with PreparedWriter(tmp_path, ("boxes",)) as writer, pytest.raises(ValueError, match="the box"):
        writer.append_objects("a", np.zeros((8, 12, 3), np.uint8), some([box], [0]))


def test_an_object_without_pixels_is_refused(tmp_path: Path) -> None:
    with (
        PreparedWriter(tmp_path, ("boxes", "outlines")) as writer,
        pytest.raises(ValueError, match="outlines"),
    ):
        writer.append_objects("a", np.zeros((8, 12, 3), np.uint8), ONE, np.zeros((0, 8, 12), np.uint8))


def test_classes_are_recoded_and_those_of_no_class_left_out(tmp_path: Path) -> None:
    with PreparedWriter(tmp_path, ("boxes", "outlines")) as writer:
        for name, objects in (("a", TWO), ("b", NONE), ("c", ONE)):
            writer.append_objects(name, np.zeros((8, 12, 3), np.uint8), objects, outlined(objects, 8, 12))
        samples = writer.recode_objects(np.array([-1, 5]), writer.samples)
        writer.write_index(samples, CLASSES, HALF, HALF, "digest", object_classes=CLASSES)
    prepared = open_version(tmp_path, None)
    assert [(sample.first_object, sample.objects) for sample in prepared.samples] == [(0, 1), (1, 0), (1, 1)]
    for sample, expected in zip(prepared.samples, (TWO, NONE, ONE), strict=True):
        left = expected.classes == 1
        found = prepared.objects(sample)
        np.testing.assert_array_equal(found.boxes, expected.boxes[left])
        assert (found.classes == 5).all()
        np.testing.assert_array_equal(prepared.outlines(sample), outlined(expected, 8, 12)[left])


@pytest.mark.parametrize("name", ["objects.bin", "outlines.bin", "images.bin"])
def test_a_file_that_is_cut_short_is_told(folder: Path, name: str) -> None:
    file = folder / name
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(DatasetChanged, match=f"{name}.*cut short"):
        open_version(folder, "digest")
    file.unlink()
    with pytest.raises(DatasetChanged, match=f"no {name}"):
        open_version(folder, "digest")


def test_a_stored_version_with_objects_is_read() -> None:
    prepared = open_version(STORED, "stored")
    assert [one.name for one in prepared.object_classes] == ["disc", "box"]
    assert [one.name for one in prepared.classes] == ["ground", "disc", "box"]
    assert [sample.objects for sample in prepared.samples] == [2, 0]
    found = prepared.objects(prepared.samples[0])
    assert_same(found, some([[1, 1, 6, 6], [4, 2.5, 11, 8]], [0, 1], [False, True]))
    areas = prepared.outlines(prepared.samples[0]).sum(axis=(1, 2)).tolist()
    assert areas == [21, 42]


def masks() -> list[NDArray[np.bool_]]:
    """All that may be odd of runs: nothing, everything, single pixels, rows, columns, noise, long runs."""
    numbers = np.random.default_rng(0)
    found = [
        numbers.random((int(h), int(w))) < p for h, w, p in numbers.uniform((1, 1, 0), (40, 40, 1), (60, 3))
    ]
    single = np.zeros((5, 7), np.bool_)
    single[4, 6] = True
    large = np.zeros((900, 1200), np.bool_)
    large[100:800, 3:1150] = True
    return [*found, single, ~single, single & False, single | True, large, ~large]


def test_runs_are_read_as_they_were_written() -> None:
    for mask in masks():
        runs = runs_of(mask)
        assert runs.sum() == mask.size
        np.testing.assert_array_equal(decompressed(compressed(runs)), runs)
        painted = np.zeros(mask.shape, np.uint8)
        rasterize_runs(decompressed(compressed(runs)), painted)
        np.testing.assert_array_equal(painted, mask)


def test_the_runs_of_a_part_are_those_of_the_whole() -> None:
    numbers = np.random.default_rng(1)
    for part in masks()[:-2]:
        above, below, before, after = (int(n) for n in numbers.integers(0, 3, 4) * numbers.integers(0, 9, 4))
        whole = np.pad(part, ((above, below), (before, after)))
        found = runs_of_part(part, above, before, *whole.shape)
        np.testing.assert_array_equal(found, runs_of(whole))


def test_runs_are_compressed_as_by_coco() -> None:
    """The text is that of pycocotools 2.0.11 for this mask."""
    mask = np.zeros((6, 8), np.bool_)
    mask[1:3, 0] = mask[2:6, 1] = mask[0, 2] = mask[4, 3] = mask[:, 5] = mask[:, 6] = True
    assert compressed(runs_of(mask)) == b"12534LN;O"
