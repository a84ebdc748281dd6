"""Objects that mask pictures tell apart are kept: by ids, by masks of ids beside masks of classes, by a file
for each object, and by COCO's panoptic pictures."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, encoded, photo
from workers.ingest.pipeline import IngestResult

WIDTH, HEIGHT = 60, 48
IMAGES = 6


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def ids_of(image: int) -> Array:
    """Ids from 1 on of squares, one of which lies before another; as many as the image's number and two."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    for place in range(image % 3 + 2):
        top, left = 3 + 9 * (place % 4), 4 + 13 * (place % 4)
        ids[top : top + 11, left : left + 10 + place] = place + 1
    return ids


def images() -> dict[str, bytes]:
    return {f"images/{image}.png": encoded(photo(image, HEIGHT, WIDTH)) for image in range(IMAGES)}


def class_of(ids: Array) -> Array:
    return np.where(ids > 0, 1 + ids % 2, 0).astype(np.uint8)


def assert_objects(
    bench: Bench, result: IngestResult, name_of: Callable[[int], str] = lambda _: "object"
) -> None:
    """Each id is an object, with its class, its pixels and the box around these."""
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.kinds == ("masks", "boxes", "outlines")
    prepared = bench.prepared
    assert len(prepared.samples) == IMAGES
    for sample in prepared.samples:
        ids = ids_of(int(sample.name.rsplit("/")[-1]))
        objects, outlines = prepared.objects(sample), prepared.outlines(sample).astype(bool)
        found = {
            (prepared.object_classes[index].name, outline.tobytes())
            for index, outline in zip(objects.classes, outlines, strict=True)
        }
        assert found == {(name_of(one), (ids == one).tobytes()) for one in np.unique(ids).tolist() if one}
        np.testing.assert_array_equal(outlines.any(axis=0), prepared.mask(sample) > 0)
        for box, outline in zip(objects.boxes, outlines, strict=True):
            rows, columns = np.nonzero(outline)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


COLORS = np.random.default_rng(3).integers(20, 255, (20, 3), np.uint8)
MASKS: dict[str, Callable[[Array], bytes]] = {
    "8 bits": lambda ids: encoded(ids.astype(np.uint8)),
    "16 bits": lambda ids: encoded(ids * 1000),
    "TIFF": lambda ids: encoded(ids.astype(np.uint16) * 300, "TIFF"),
    "colours": lambda ids: encoded(np.where(ids[..., None] > 0, COLORS[ids], 0).astype(np.uint8)),
}


@pytest.mark.parametrize("form", MASKS)
def test_ids_are_objects_of_one_class(bench: Bench, form: str) -> None:
    masks = {f"masks/{image}.png": MASKS[form](ids_of(image)) for image in range(IMAGES)}
    assert_objects(bench, bench.run(images() | masks, processes=1, objects="one_class"))


def test_ids_are_objects_where_values_tell_so(bench: Bench) -> None:
    masks = {f"masks/{i}.png": encoded((ids_of(i) + 1).astype(np.uint8)) for i in range(IMAGES)}
    assert_objects(bench, bench.run(images() | masks, processes=1, on_question="assume"))


def test_more_ids_than_a_byte_has_are_told_apart(bench: Bench) -> None:
    ids = np.zeros((120, 120), np.uint16)
    for one in range(400):
        top, left = 6 * (one // 20), 6 * (one % 20)
        ids[top : top + 4, left : left + 4] = one + 1
    files = {f"images/{i}.png": encoded(photo(i, 120, 120)) for i in range(3)}
    files |= {f"masks/{i}.png": encoded(ids) for i in range(3)}
    summary = bench.run(files, processes=1, objects="one_class").summary
    assert summary is not None
    assert summary.objects is not None
    assert summary.objects.count == 3 * 400


@pytest.mark.parametrize(
    ("classes", "objects"),
    [
        ("masks/{}_semantic.png", "masks/{}_instance.png"),
        ("semantic/{}.png", "instances/{}.png"),
        ("set/masks/class/{}.png", "set/masks/object/{}.png"),
        ("SegmentationClass/{}.png", "SegmentationObject/{}.png"),
    ],
)
def test_ids_beside_masks_of_classes_have_these(bench: Bench, classes: str, objects: str) -> None:
    files = {path.replace("images/", "JPEGImages/"): data for path, data in images().items()}
    for image in range(IMAGES):
        ids = ids_of(image)
        files[classes.format(image)] = encoded(class_of(ids))
        files[objects.format(image)] = encoded(ids * 7)
    named = {0: "background", 1: "even", 2: "odd"}
    result = bench.run(files, processes=1, classes=named)
    assert_objects(bench, result, lambda one: named[1 + one % 2])


def test_a_file_for_each_object(bench: Bench) -> None:
    files = {f"{i}/images/{i}.png": data for i, data in enumerate(images().values())}
    for image in range(IMAGES):
        ids = ids_of(image)
        for one in range(1, int(ids.max()) + 1):
            if (ids == one).any():
                name = f"{hash((image, one)) & (1 << 63) - 1:016x}"
                files[f"{image}/masks/{name}.png"] = encoded(((ids == one) * 255).astype(np.uint8))
    assert_objects(bench, bench.run(files, processes=1))


def test_segments_of_things_are_objects(bench: Bench) -> None:
    files, listed, annotations = images(), [], []
    for image in range(IMAGES):
        ids = ids_of(image).astype(int)
        codes = np.where(ids > 0, ids * 70_001, 999)
        colors = np.stack((codes % 256, codes // 256 % 256, codes // 65_536), axis=-1)
        files[f"annotations/panoptic_all/{image}.png"] = encoded(colors.astype(np.uint8))
        things = [
            {"id": one * 70_001, "category_id": 1 + one % 2, "iscrowd": 0}
            for one in np.unique(ids).tolist()
            if one
        ]
        listed.append({"id": image, "file_name": f"{image}.png", "width": WIDTH, "height": HEIGHT})
        segments = [{"id": 999, "category_id": 9, "iscrowd": 0}, *things]
        annotations.append({"image_id": image, "file_name": f"{image}.png", "segments_info": segments})
    names = [("even", 1, 1), ("odd", 2, 1), ("grass", 9, 0)]
    categories = [{"name": name, "id": key, "isthing": thing} for name, key, thing in names]
    document = {"images": listed, "annotations": annotations, "categories": categories}
    files["annotations/panoptic_all.json"] = json.dumps(document).encode()
    result = bench.run(files, processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    prepared = bench.prepared
    for sample in prepared.samples:
        ids = ids_of(int(sample.name))
        found = {
            (prepared.object_classes[index].name, outline.astype(bool).tobytes())
            for index, outline in zip(
                prepared.objects(sample).classes, prepared.outlines(sample), strict=True
            )
        }
        names_of = {1: "odd", 0: "even"}
        assert found == {
            (names_of[one % 2], (ids == one).tobytes()) for one in np.unique(ids).tolist() if one
        }
