"""What the predicting process says of the objects in images, by a file of detection."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.unit.onnx_files import save_with_facts
from trainyard.errors import InvalidRequest
from trainyard.library.prediction import PredictionJob
from trainyard.storage.files import PredictionFolder, Storage
from workers.predict.loaded_models import LoadedModels
from workers.prepared.run_lengths import decompressed

MODEL, ASKED = "model-000000000001", "pred-000000000001"
NAMES, COLORS = ["disc", "box"], [[200, 0, 0], [0, 200, 0]]
BOXES = [[8.0, 8, 24, 24], [0, 0, 16, 32], [4, 4, 8, 8], [0, 0, 4, 4]]
LABELS, SCORES = [1, 0, 1, 0], [0.9, 0.7, 0.3, 0.01]


def write_finder(path: Path, *, masks: bool) -> None:
    """A file that finds the same in every square of 32 pixels; its threshold is 0.6."""
    constants = {
        "boxes": np.array(BOXES, np.float32),
        "labels": np.array(LABELS, np.int64),
        "scores": np.array(SCORES, np.float32),
    }
    if masks:
        constants["masks"] = np.ones((4, 28, 28), np.float32)
    nodes = [
        helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value))
        for name, value in constants.items()
    ]
    graph = helper.make_graph(
        nodes,
        "finder",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])],
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in constants.items()
        ],
    )
    facts = {"classes": NAMES, "colors": COLORS, "values": [1, 2], "mean": [0.5] * 3, "std": [0.5] * 3}
    texts = {"learning_task": "detection", "task": "detection", "image_size": "32", "fit": "letterbox"}
    save_with_facts(graph, path, facts, {**texts, "preprocessing": "outside", "threshold": "0.6"})


@pytest.fixture
def folder(storage: Storage) -> PredictionFolder:
    """With an image of 128 x 64 pixels: a quarter of each in the square, which it fills by half."""
    found = storage.prediction(ASKED)
    found.path.mkdir(parents=True)
    cv2.imwrite(str(found.image(0)) + ".png", np.full((64, 128, 3), 90, np.uint8))
    Path(str(found.image(0)) + ".png").rename(found.image(0))
    return found


def answered(
    storage: Storage, folder: PredictionFolder, *, masks: bool = False, **job: Any
) -> dict[str, Any]:
    path = storage.model(MODEL).path / f"model-{masks}.onnx"
    write_finder(path, masks=masks)
    wanted = {"form": "json", **job}
    asked = PredictionJob(id=ASKED, model_id=MODEL, file=path.name, names=("a.png",), **wanted)
    return LoadedModels(1).get(path)(asked, folder, 0)


def test_objects_are_told_in_pixels_of_the_image(storage: Storage, folder: PredictionFolder) -> None:
    told = answered(storage, folder)
    assert (told["width"], told["height"], told["threshold"]) == (128, 64, 0.6)
    first, second, third = told["objects"]
    # The square's rows 8 to 23 are the image; what lies above it is cut off.
    assert (first["name"], first["box"], first["predicted"]) == ("box", [32.0, 0.0, 64.0, 64.0], True)
    assert (second["name"], second["box"], second["predicted"]) == ("disc", [0.0, 0.0, 64.0, 64.0], True)
    assert third["predicted"] is False
    assert [(one["name"], one["objects"]) for one in told["classes"]] == [("disc", 1), ("box", 1)]
    assert "outline" not in first


def test_outlines_are_told_where_the_model_has_them(storage: Storage, folder: PredictionFolder) -> None:
    outline = answered(storage, folder, masks=True)["objects"][0]["outline"]
    assert outline["size"] == [64, 128]
    runs = decompressed(outline["counts"].encode())
    assert runs.sum() == 64 * 128
    assert 0.9 * 64 * 64 < runs[1::2].sum() <= 70 * 64, "the whole box, with its rim"


def test_a_picture_shows_what_is_believed(storage: Storage, folder: PredictionFolder) -> None:
    answered(storage, folder, pictures=("overlay",))
    picture = cv2.imread(str(folder.picture(0, "overlay")))
    assert picture.shape[1] == 2 * picture.shape[0]
    assert (picture == (0, 200, 0)).all(axis=2).any()


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"form": "class_map"}, "form"), ({"pictures": ("class_map",)}, "form"), ({"way": "tiles"}, "way")],
)
def test_what_there_is_not_is_refused(
    storage: Storage, folder: PredictionFolder, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        answered(storage, folder, **asked)
    assert field in refusal.value.errors
