"""What the predicting process says of images as a whole, by a file of classification."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.unit.onnx_files import save_with_facts
from trainyard.errors import InvalidRequest
from trainyard.library.prediction import PredictionJob
from trainyard.storage.files import PredictionFolder, Storage
from workers.predict.loaded_models import LoadedModels

MODEL, ASKED = "model-000000000001", "pred-000000000001"
NAMES, COLORS = ["red", "green", "blue"], [[200, 0, 0], [0, 200, 0], [0, 0, 200]]


def write_mean_colour(path: Path, form: str) -> None:
    """A file whose logits are ten times the mean of each channel, under a rule of mean 0.5 and spread 0.5."""
    nodes = [
        helper.make_node("ReduceMean", ["image", "axes"], ["means"], keepdims=0),
        helper.make_node("Mul", ["means", "ten"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean colour",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
            helper.make_tensor("ten", TensorProto.FLOAT, [], [10.0]),
        ],
    )
    facts = {"classes": NAMES, "colors": COLORS, "values": [0, 1, 2], "mean": [0.5] * 3, "std": [0.5] * 3}
    texts = {"learning_task": "classification", "task": form, "image_size": "8", "fit": "stretch"}
    save_with_facts(graph, path, facts, {**texts, "preprocessing": "outside"})


@pytest.fixture
def folder(storage: Storage) -> PredictionFolder:
    """With an image that is red, and green where it is not."""
    found = storage.prediction(ASKED)
    found.path.mkdir(parents=True)
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :, 0], picture[:, 45:, 1] = 255, 255
    cv2.imencode(".png", picture[:, :, ::-1])[1].tofile(found.image(0))
    return found


def job(**values: Any) -> PredictionJob:
    plain = {"id": ASKED, "model_id": MODEL, "file": "model.onnx", "form": "json", "names": ("flag.png",)}
    return PredictionJob(**{**plain, **values})


def test_classes_are_told_by_how_probable_they_are(storage: Storage, folder: PredictionFolder) -> None:
    write_mean_colour(storage.model(MODEL).onnx, "multiclass")
    told = LoadedModels(1).get(storage.model(MODEL).onnx)(job(), folder, 0)
    assert (told["name"], told["width"], told["height"], told["notices"]) == ("flag.png", 60, 40, [])
    assert [one["name"] for one in told["classes"]] == ["red", "green", "blue"]
    assert [one["predicted"] for one in told["classes"]] == [True, False, False]
    assert sum(one["probability"] for one in told["classes"]) == pytest.approx(1.0)
    assert told["classes"][0]["color"] == [200, 0, 0]
    assert json.dumps(told)


def test_several_classes_are_there_or_not(storage: Storage, folder: PredictionFolder) -> None:
    write_mean_colour(storage.model(MODEL).onnx, "multilabel")
    told = LoadedModels(1).get(storage.model(MODEL).onnx)(job(), folder, 0)["classes"]
    found = {one["name"]: (one["predicted"], one["probability"]) for one in told}
    assert found["red"] == (True, pytest.approx(1.0, abs=1e-3))
    assert found["green"] == (False, pytest.approx(1 / (1 + np.exp(5.0)), abs=1e-3))


def test_the_picture_is_the_image_above_its_classes(storage: Storage, folder: PredictionFolder) -> None:
    write_mean_colour(storage.model(MODEL).onnx, "multiclass")
    LoadedModels(1).get(storage.model(MODEL).onnx)(job(pictures=("overlay",)), folder, 0)
    drawn = cv2.imread(str(folder.picture(0, "overlay")))
    assert drawn.shape[0] > drawn.shape[1] > 192
    assert (drawn[100, 60] == (0, 0, 255)).all()


@pytest.mark.parametrize(
    ("values", "field"),
    [({"form": "class_map"}, "form"), ({"pictures": ("class_map",)}, "form"), ({"way": "tiles"}, "way")],
)
def test_what_masks_have_is_refused(
    storage: Storage, folder: PredictionFolder, values: dict[str, Any], field: str
) -> None:
    write_mean_colour(storage.model(MODEL).onnx, "multiclass")
    with pytest.raises(InvalidRequest) as refused:
        LoadedModels(1).get(storage.model(MODEL).onnx)(job(**values), folder, 0)
    assert list(refused.value.errors) == [field]
