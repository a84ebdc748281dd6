"""COCO's scores beside those of COCO's own evaluation, on a real set, and what is decided by hand."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as masks_of
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from workers.training.tasks.detection.labels.average_precision import AveragePrecision, Kind
from workers.training.tasks.detection.labels.objects import frame_of
from workers.training.tasks.detection.labels.truth import SceneAnswer, SceneTruth

PHOTOS = Path(__file__).parents[4] / "shared" / "data" / "coco_tiny" / "annotations.json"
needs_photos = pytest.mark.skipif(not PHOTOS.exists(), reason="the shared data are not here")


def quietly_read() -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(PHOTOS))


def truth_of(coco: COCO, image: int, order: list[int]) -> SceneTruth:
    info, found = coco.loadImgs(image)[0], coco.loadAnns(coco.getAnnIds(image))
    corners = [
        [left, top, left + width, top + height] for left, top, width, height in (one["bbox"] for one in found)
    ]
    return SceneTruth(
        frame=frame_of(info["height"], info["width"], 320, "letterbox"),
        boxes=np.array(corners, np.float32).reshape(-1, 4),
        classes=np.array([order.index(one["category_id"]) for one in found], np.int64),
        crowd=np.array([bool(one["iscrowd"]) for one in found]),
        areas=np.array([one["area"] for one in found], np.float32),
        outlines=[coco.annToRLE(one)["counts"] for one in found],
    )


def answer_to(truth: SceneTruth, numbers: np.random.Generator, classes: int) -> SceneAnswer:
    """Some of the objects, moved, and as many boxes of nothing; outlines are the boxes' pixels."""
    chosen = numbers.permutation(len(truth.boxes))[: numbers.integers(0, len(truth.boxes) + 1)]
    near = truth.boxes[chosen] + numbers.normal(0, 5, (len(chosen), 4))
    corners = numbers.uniform(0, 200, (4, 2))
    boxes = np.concatenate([near, np.concatenate([corners, corners + 60], axis=1)]).round(1)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    found = np.concatenate([truth.classes[chosen], numbers.integers(0, classes, 4)])
    scores = np.sort(numbers.random(len(boxes)).astype(np.float32))[::-1]
    outlines = []
    for left, top, right, bottom in np.clip(boxes.round(), 0, None).astype(int):
        mask = np.zeros((truth.frame.height, truth.frame.width), np.uint8, order="F")
        mask[top:bottom, left:right] = 1
        outlines.append(masks_of.encode(mask)["counts"])
    return SceneAnswer(boxes=boxes.astype(np.float32), classes=found, scores=scores, outlines=outlines)


def told(
    image: int, answer: SceneAnswer, truth: SceneTruth, order: list[int], kind: Kind
) -> list[dict[str, object]]:
    rows = []
    for place, (left, top, right, bottom) in enumerate(answer.boxes.tolist()):
        row: dict[str, object] = {"image_id": image, "category_id": order[answer.classes[place]]}
        row["score"] = float(answer.scores[place])
        if kind == "bbox":
            row["bbox"] = [left, top, right - left, bottom - top]
        else:
            assert answer.outlines is not None
            row["segmentation"] = {
                "size": [truth.frame.height, truth.frame.width],
                "counts": answer.outlines[place],
            }
        rows.append(row)
    return rows


@needs_photos
@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_scores_are_those_of_pycocotools_on_real_photos(kind: Kind) -> None:
    """33 photos of COCO with 227 objects of 80 classes, crowds among them."""
    coco, numbers = quietly_read(), np.random.default_rng(0)
    order = sorted(coco.getCatIds())
    images = sorted(coco.getImgIds())
    truths = [truth_of(coco, image, order) for image in images]
    answers = [answer_to(truth, numbers, len(order)) for truth in truths]
    assert any(truth.crowd.any() for truth in truths)

    rows = [
        row
        for image, answer, truth in zip(images, answers, truths, strict=True)
        for row in told(image, answer, truth, order, kind)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        expected = COCOeval(coco, coco.loadRes(rows), kind)
        expected.evaluate()
        expected.accumulate()
        expected.summarize()
    found = AveragePrecision(truths, answers, len(order), kind)
    assert list(found.row().values()) == pytest.approx(list(expected.stats), abs=1e-6)
    np.testing.assert_allclose(found.precision, expected.eval["precision"], atol=1e-6)
    of_classes = [-1.0 if value is None else value for value in found.of_classes()]
    theirs = expected.eval["precision"][:, :, :, 0, -1]
    means = [part[part > -1].mean() if (part > -1).any() else -1 for part in np.moveaxis(theirs, 2, 0)]
    assert of_classes == pytest.approx(means, abs=1e-6)


def scene(boxes: list[list[float]], crowd: list[bool]) -> SceneTruth:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    sides = array[:, 2:] - array[:, :2]
    return SceneTruth(
        frame=frame_of(100, 100, 64, "stretch"),
        boxes=array,
        classes=np.zeros(len(array), np.int64),
        crowd=np.array(crowd, np.bool_),
        areas=sides.prod(axis=1),
    )


def answer(boxes: list[list[float]], scores: list[float]) -> SceneAnswer:
    return SceneAnswer(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        classes=np.zeros(len(boxes), np.int64),
        scores=np.array(scores, np.float32),
    )


def test_a_detection_in_a_crowd_is_neither_right_nor_wrong() -> None:
    truth = scene([[0, 0, 40, 40], [50, 50, 100, 100]], [False, True])
    in_crowd = answer([[60, 60, 80, 80], [0, 0, 40, 40]], [0.9, 0.8])
    assert AveragePrecision([truth], [in_crowd], 1, "bbox").row()["map"] == pytest.approx(1.0)
    plain = scene([[0, 0, 40, 40], [50, 50, 100, 100]], [False, False])
    assert AveragePrecision([plain], [in_crowd], 1, "bbox").row()["map50"] == pytest.approx(0.2525, abs=0.001)


def test_what_there_are_no_objects_for_has_no_score() -> None:
    row = AveragePrecision([scene([], [])], [answer([[0, 0, 9, 9]], [0.9])], 1, "bbox").row()
    assert set(row.values()) == {None}
    nothing = AveragePrecision([scene([[0, 0, 40, 40]], [False])], [answer([], [])], 1, "bbox").row()
    assert (nothing["map"], nothing["map_small"], nothing["map_medium"]) == (0.0, None, 0.0)
