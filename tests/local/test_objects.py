"""Sets of boxes are trained without a word on the task, and used again."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.local.conftest import SPEC
from trainyard.errors import InvalidRequest
from trainyard_local import DATASETS, MODELS, Checkpoints, Experiment
from workers.training.tasks.detection.network.detector import Detector
from workers.training.tasks.detection.prediction.predictor import ObjectPredictor

SMALL = {"data": {"image_size": 64}}


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures with one box each, as COCO tells them, without outlines."""
    root, numbers = tmp_path_factory.mktemp("boxes"), np.random.default_rng(0)
    (root / "images").mkdir()
    images, annotations = [], []
    for place in range(10):
        picture = numbers.integers(0, 60, (60, 80, 3), dtype=np.uint8)
        left, top = (int(one) for one in numbers.integers(5, 25, 2))
        cv2.rectangle(picture, (left, top), (left + 29, top + 24), (60, 60, 220), cv2.FILLED)
        cv2.imwrite(str(root / "images" / f"{place}.png"), picture)
        images.append({"id": place, "file_name": f"{place}.png", "width": 80, "height": 60})
        box = {"bbox": [left, top, 30, 25], "area": 750, "iscrowd": 0, "segmentation": []}
        annotations.append({"id": place + 1, "image_id": place, "category_id": 1, **box})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "brick"}]}
    (root / "annotations.json").write_text(json.dumps(content))
    return root


def test_boxes_are_found_by_default(boxes: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    spec = {**{name: value for name, value in SPEC.items() if name != "epochs"}, **SMALL}
    spec["data"] = {**SPEC.get("data", {}), **SMALL["data"]}
    experiment = Experiment.new(boxes, spec={**spec, "epochs": 1}, runs=runs)
    assert (experiment.record.spec.task, experiment.record.spec.model.task) == ("detection", "detection")
    result = experiment.train(threads=1, device="cpu")
    assert (result.status, result.monitor) == ("completed", "val_map")
    predictor = Checkpoints(result.folder).predictor()
    assert isinstance(predictor, ObjectPredictor)
    assert [info.name for info in predictor.classes] == ["brick"]
    picture = cv2.cvtColor(cv2.imread(str(boxes / "images" / "0.png")), cv2.COLOR_BGR2RGB)
    found = predictor.predict(picture)
    assert found.boxes.shape == (len(found.scores), 4)

    with pytest.raises(InvalidRequest, match="segmentation cannot be learnt"):
        Experiment.new(boxes, spec={"task": "segmentation"}, runs=runs)
    image, objects = DATASETS.create("auto", boxes, "val", spec=spec, runs=runs)[0]
    assert image.shape == (64, 64, 3)
    assert isinstance(objects, dict)
    assert objects["boxes"].shape == (1, 4)
    assert objects["labels"].tolist() == [0]


def test_a_detector_is_made_by_name() -> None:
    network = MODELS.create("FCOS", 5, encoder="tu-test_resnet")
    assert isinstance(network, Detector)
