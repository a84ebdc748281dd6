"""Sets whose images have labels are trained without a word on the task, and used again."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.local.conftest import SPEC
from trainyard.errors import InvalidRequest
from trainyard_local import DATASETS, MODELS, Checkpoints, Experiment
from workers.training.tasks.classification.prediction.predictor import LabelPredictor

FORMAT = "folder_per_class"
COLOURS = {"blue": (220, 60, 60), "red": (60, 60, 220)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each of two classes, of ten pictures each."""
    root, numbers = tmp_path_factory.mktemp("labels"), np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir()
        for place in range(10):
            picture = numbers.integers(0, 60, (40, 40, 3), dtype=np.uint8)
            cv2.circle(picture, (20, 20), 8 + place, colour, cv2.FILLED)
            cv2.imwrite(str(root / name / f"{place}.png"), picture)
    return root


def test_labels_are_classified_by_default(folders: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    spec = {name: value for name, value in SPEC.items() if name != "epochs"}
    spec["optimization"] = {"learning_rate": 0.01}
    options = {"format": FORMAT}
    experiment = Experiment.new(folders, spec={**spec, "epochs": 3}, runs=runs, options=options)
    assert experiment.record.spec.task == "classification"
    result = experiment.train(threads=1, device="cpu")
    assert (result.status, result.monitor) == ("completed", "val_acc1")
    predictor = Checkpoints(result.folder).predictor()
    assert isinstance(predictor, LabelPredictor)
    red = cv2.cvtColor(cv2.imread(str(folders / "red" / "9.png")), cv2.COLOR_BGR2RGB)
    (found,) = predictor.predict([red])
    assert len(found.probabilities) == 2
    curves = (result.folder / "figures" / "curves.svg").read_text()
    assert "Accuracy" in curves

    with pytest.raises(InvalidRequest, match="segmentation cannot be learnt"):
        Experiment.new(folders, spec={**spec, "task": "segmentation"}, runs=runs, options=options)
    image, label = DATASETS.create(FORMAT, folders, "val", spec=spec, runs=runs)[0]
    assert (image.shape, label.ndim) == ((32, 32, 3), 0)


def test_a_classifier_is_made_by_name() -> None:
    assert "Classifier" in MODELS.names()
    network = MODELS.create("Classifier", 5, encoder="tu-test_resnet")
    assert network.get_submodule("head").weight.shape[0] == 5
