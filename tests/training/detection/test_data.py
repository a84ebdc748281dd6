"""Images with objects as squares: objects lie where their pixels do, whatever an image goes through."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.conftest import CONFIGS
from tests.training.detection.conftest import CLASSES, INSTANCES, MEAN, STD, draw_objects, tiny
from trainyard.catalog.names import TRANSFORMS
from trainyard.errors import BadDataset
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import Objects, PreparedDataset, PreparedWriter
from workers.training.data.transforms import A
from workers.training.tasks.detection.data.augmentation import Augmentation
from workers.training.tasks.detection.data.batches import collate, split_with_objects, spread_subset
from workers.training.tasks.detection.data.squares import Squares, VariedSquares
from workers.training.tasks.detection.labels.objects import SquareObjects, box_areas, frame_of

SIZE = 128
MOVING = (
    "Affine", "D4", "ElasticTransform", "GridDistortion", "HorizontalFlip", "OpticalDistortion",
    "Perspective", "RandomRotate90", "Rotate", "ShiftScaleRotate", "Transpose", "VerticalFlip",
)  # fmt: skip


def spec_of(**over: Any) -> TrainingSpec:
    return Experiments(CONFIGS).compose(tiny(**over))


def varied_by(transform: dict[str, Any], *, min_visibility: float) -> Augmentation:
    """One transform alone."""
    parts = {"transforms": [transform], "min_visibility": min_visibility}
    return Augmentation(spec_of(augmentation=parts).augmentation)


def test_objects_lie_in_the_square_where_they_lie_in_the_image(scenes: Path) -> None:
    """With borders as in a letterbox, and stretched."""
    prepared = PreparedDataset(scenes)
    for fit in ("letterbox", "stretch"):
        squares = Squares(
            prepared, prepared.samples, spec_of(**INSTANCES, data={"fit": fit, "image_size": 96})
        )
        for place in range(len(squares)):
            objects = squares[0, place]["objects"]
            assert isinstance(objects, SquareObjects)
            assert objects.masks is not None
            assert objects.masks.shape[1:] == (96, 96)
            for box, mask in zip(objects.boxes, objects.masks, strict=True):
                rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
                assert [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] == box.tolist()
    frame = frame_of(64, 80, 96, "letterbox")
    boxes = np.array([[0, 0, 80, 64], [10, 20, 30, 50]], np.float32)
    np.testing.assert_allclose(frame.into_image(frame.into_square(boxes)), boxes, atol=1e-4)
    assert frame.into_square(boxes)[0].tolist() == [0, 9, 96, 86]


def test_a_crowd_is_not_learnt_and_is_compared_with(scenes: Path) -> None:
    prepared = PreparedDataset(scenes)
    item = Squares(prepared, prepared.samples, spec_of())[0, 3]
    assert len(item["objects"].boxes) == 2  # type: ignore[attr-defined]
    assert item["truth"].crowd.tolist() == [False, False, True]  # type: ignore[attr-defined]


def test_areas_are_those_of_outlines_where_a_set_has_them(tmp_path: Path, scenes: Path) -> None:
    """As COCO counts an object as small or large."""
    boxes_alone = PreparedDataset(draw_objects(tmp_path, train=4, val=4, outlines=False))
    with_outlines = PreparedDataset(scenes)
    for prepared, same in ((boxes_alone, True), (with_outlines, False)):
        sample = next(one for one in prepared.samples if one.objects)
        truth = Squares(prepared, [sample], spec_of())[0, 0]["truth"]
        discs = truth.classes == 0  # type: ignore[attr-defined]
        areas, bounds = truth.areas[discs], box_areas(truth.boxes[discs])  # type: ignore[attr-defined]
        assert (areas == bounds).all() == same
        assert (areas <= bounds).all()


def painted(objects: np.ndarray) -> tuple[np.ndarray, SquareObjects]:
    """A black square in which each object is a bright box of a channel of its own, with its mask."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    masks = np.zeros((len(objects), SIZE, SIZE), np.uint8)
    for place, (left, top, right, bottom) in enumerate(objects.astype(int)):
        image[top:bottom, left:right, place] = 255
        masks[place, top:bottom, left:right] = 1
    classes = np.arange(len(objects))
    crowd = np.zeros(len(objects), np.bool_)
    return image, SquareObjects(boxes=objects.astype(np.float32), classes=classes, crowd=crowd, masks=masks)


@pytest.mark.parametrize("name", MOVING)
@pytest.mark.parametrize("masked", [True, False])
def test_objects_follow_every_transform_that_moves_pixels(name: str, masked: bool) -> None:
    image, objects = painted(np.array([[20, 30, 52, 60], [70, 74, 110, 100]]))
    if not masked:
        objects = SquareObjects(boxes=objects.boxes, classes=objects.classes, crowd=objects.crowd)
    augmentation = varied_by({"name": name, "params": {"p": 1.0}}, min_visibility=0.0)
    for seed in range(6):
        varied, found = augmentation(image, objects, [seed])
        again = augmentation(image, objects, [seed])
        assert (varied == again[0]).all()
        assert (found.boxes == again[1].boxes).all()
        for box, index in zip(found.boxes, found.classes, strict=True):
            seen = varied[..., int(index)] > 127
            rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
            bounds = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
            slack = 3 if masked else 0.3 * (bounds[2:] - bounds[:2]).max() + 3
            outside = np.array(
                [box[0] - bounds[0], box[1] - bounds[1], bounds[2] - box[2], bounds[3] - box[3]]
            )
            assert (outside <= 3).all(), "no pixel of the object lies beyond its box"
            assert (outside >= -slack).all(), "and the box is not much larger"


def test_the_transforms_above_are_all_that_move_pixels() -> None:
    moving = {name for name in TRANSFORMS if issubclass(getattr(A, name), A.DualTransform)}
    assert moving - {"CoarseDropout"} == set(MOVING)


def test_what_is_hardly_in_the_image_is_not_learnt() -> None:
    image, objects = painted(np.array([[0, 40, 40, 80], [60, 40, 100, 80]]))
    moved = {"translate_px": {"x": [-30, -30], "y": [0, 0]}, "scale": [1, 1], "p": 1.0}
    for visible, left in ((0.2, [0, 1]), (0.3, [1])):
        augmentation = varied_by({"name": "Affine", "params": moved}, min_visibility=visible)
        _, found = augmentation(image, objects, [1])
        assert found.classes.tolist() == left
        assert found.boxes[-1].tolist() == [30, 40, 70, 80]


def test_a_batch_has_the_objects_of_all_images(scenes: Path) -> None:
    prepared = PreparedDataset(scenes)
    squares = VariedSquares(prepared, prepared.samples[:4], spec_of(**INSTANCES))
    batch = collate([squares[0, place] for place in range(4)])
    assert batch["image"].shape == (4, 64, 64, 3)
    assert len(batch["boxes"]) == len(batch["labels"]) == sum(batch["counts"])
    assert batch["counts"][0] == 0
    assert batch["masks"] is not None
    assert batch["masks"].shape == (sum(batch["counts"]), 64, 64)
    assert batch["scenes"].truths == [None] * 4, "what is trained is compared with nothing"


def test_some_validation_images_have_every_class(scenes: Path) -> None:
    prepared = PreparedDataset(scenes)
    val = [sample for sample in prepared.samples if sample.split == "val"]
    chosen = spread_subset(prepared, val, 2, seed=3)
    assert len(chosen) == 2
    assert {index for sample in chosen for index in prepared.objects(sample).classes} == {0, 1}
    assert spread_subset(prepared, val, None, seed=3) is val


@pytest.mark.parametrize(
    ("kinds", "over", "said"),
    [
        (("boxes",), INSTANCES, "have no outlines"),
        (("boxes", "outlines"), {}, "No validation image of the set has an object"),
    ],
)
def test_a_set_that_has_not_what_is_learnt_is_refused(
    tmp_path: Path, kinds: tuple[Any, ...], over: dict[str, Any], said: str
) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    box = np.array([[4, 4, 12, 12]], np.float32)
    mask = np.zeros((1, 32, 32), np.uint8)
    mask[0, 4:12, 4:12] = 1
    outlines = mask if "outlines" in kinds else None
    with PreparedWriter(tmp_path, kinds=kinds) as writer:
        for name, crowd in (("one", False), ("two", True)):
            objects = Objects(box, np.zeros(1, np.int64), np.array([crowd]))
            writer.append_objects(name, image, objects, outlines)
        writer.finish({"one": "train", "two": "val"}, CLASSES, MEAN, STD, "hash")
    with pytest.raises(BadDataset, match=said):
        split_with_objects(PreparedDataset(tmp_path), spec_of(**over))
