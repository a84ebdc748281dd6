"""What the predicting process makes of images: class maps, overlays, and what is told of them."""

import queue
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.fixtures.pixelwise_onnx import CLASSES, COLORS, flag, write_pixelwise
from trainyard.errors import InvalidRequest
from trainyard.library.prediction import PredictionJob
from trainyard.storage.files import PredictionFolder, Storage
from workers.predict import child, received
from workers.predict.loaded_models import KEPT, LoadedModels
from workers.process.child import Link
from workers.training.tasks.segmentation.prediction.onnx_file import load_onnx

MODEL, ASKED = "model-000000000001", "pred-000000000001"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    found = Storage(tmp_path)
    write_pixelwise(found.model(MODEL).onnx)
    return found


@pytest.fixture
def folder(storage: Storage) -> PredictionFolder:
    found = storage.prediction(ASKED)
    found.path.mkdir(parents=True)
    return found


def job(*names: str, **values: Any) -> PredictionJob:
    plain = {"id": ASKED, "model_id": MODEL, "file": "model.onnx", "form": "class_map"}
    return PredictionJob(**{**plain, "names": names, **values})


def put(folder: PredictionFolder, picture: np.ndarray, place: int = 0) -> None:
    cv2.imencode(".png", picture[:, :, ::-1])[1].tofile(folder.image(place))


def read(path: Path) -> np.ndarray:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return found if found.ndim == 2 else found[:, :, ::-1]


def truth() -> np.ndarray:
    expected = np.zeros((40, 60), np.uint8)
    expected[:, :20], expected[20:, 30:] = 1, 2
    return expected


@pytest.mark.parametrize("way", ["tiles", "trained", "resize"])
def test_a_class_map_has_the_size_of_its_image(storage: Storage, folder: PredictionFolder, way: str):
    put(folder, flag())
    model = LoadedModels(1).get(storage.model(MODEL).onnx)
    told = model(job("flag.png", way=way), folder, 0)
    found = read(folder.picture(0, "class_map"))
    assert (found.shape, found.dtype) == ((40, 60), np.uint8)
    assert np.mean(found == truth()) >= (1 if way == "tiles" else 0.95)
    assert (told["name"], told["width"], told["height"], told["notices"]) == ("flag.png", 60, 40, [])
    assert [one["name"] for one in told["classes"]] == list(CLASSES)
    assert sum(one["share"] for one in told["classes"]) == pytest.approx(1)


def test_boxes_and_shares_tell_where_a_class_is(storage: Storage, folder: PredictionFolder):
    put(folder, flag())
    model = LoadedModels(1).get(storage.model(MODEL).onnx)
    _, red, blue = model(job("a", form="json", way="tiles"), folder, 0)["classes"]
    assert (red["pixels"], red["box"], red["color"]) == (800, [0, 0, 20, 40], list(COLORS[1]))
    assert (blue["pixels"], blue["box"], blue["share"]) == (600, [30, 20, 30, 20], 0.25)
    assert sorted(path.name for path in folder.path.iterdir()) == ["0.image"], "no picture was wanted"
    put(folder, np.full((8, 8, 3), 90, np.uint8))
    _, red, _ = model(job("a", form="json"), folder, 0)["classes"]
    assert (red["pixels"], red["box"]) == (0, None)


def test_an_overlay_has_the_classes_colours(storage: Storage, folder: PredictionFolder):
    put(folder, flag())
    model = LoadedModels(1).get(storage.model(MODEL).onnx)
    wanted = job("a", form="json", pictures=("overlay", "class_map"), way="tiles")
    model(wanted, folder, 0)
    overlay = read(folder.picture(0, "overlay")).astype(float)
    mixed = 0.45 * flag().astype(float) + 0.55 * np.array(COLORS)[truth()]
    assert np.abs(overlay - mixed).max() <= 1
    assert np.array_equal(read(folder.picture(0, "class_map")), truth())


def test_a_multilabel_map_has_a_bit_for_each_class(storage: Storage, folder: PredictionFolder):
    put(folder, flag())
    model = LoadedModels(1).get(write_pixelwise(storage.model(MODEL).onnx, "multilabel"))
    told = model(job("a", way="tiles"), folder, 0)["classes"]
    found = read(folder.picture(0, "class_map"))
    assert set(np.unique(found)) == {0, 2, 4}
    assert [one["pixels"] for one in told] == [0, 800, 600]


def test_binary_logits_are_those_of_the_second_class(storage: Storage, folder: PredictionFolder):
    """One logit: above 0 is class 1, and its probabilities are the sigmoid's."""
    found = load_onnx(storage.model(MODEL).onnx, 1)
    logits = np.array([[[[-3.0, 0.5]]]], np.float32)
    binary = type(found)(**{**vars(found), "classes": found.classes[:2], "answer": lambda _: logits})
    probabilities = binary.probabilities(np.zeros((1, 2, 3), np.uint8))
    assert probabilities[1].ravel() == pytest.approx(1 / (1 + np.exp([3.0, -0.5])), abs=1e-6)
    assert binary.settle(probabilities).tolist() == [[0, 1]]


@pytest.mark.parametrize("content", [b"no picture", b"", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_picture_is_refused_by_its_name(
    storage: Storage, folder: PredictionFolder, content: bytes
):
    folder.image(0).write_bytes(content)
    model = LoadedModels(1).get(storage.model(MODEL).onnx)
    with pytest.raises(InvalidRequest, match="x-ray"):
        model(job("x-ray.png"), folder, 0)


def test_an_image_too_large_to_hold_several_times_is_refused(
    storage: Storage, folder: PredictionFolder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(received, "MAX_PIXELS", 2399)
    put(folder, flag())
    with pytest.raises(InvalidRequest, match="60 x 40") as error:
        LoadedModels(1).get(storage.model(MODEL).onnx)(job("a"), folder, 0)
    assert "image" in error.value.errors


def test_the_models_asked_last_are_kept(tmp_path: Path):
    models = LoadedModels(1)
    paths = [write_pixelwise(tmp_path / f"{number}.onnx") for number in range(KEPT + 1)]
    first = models.get(paths[0])
    assert models.get(paths[0]) is first
    for path in paths[1:]:
        models.get(path)
    assert models.get(paths[0]) is not first


class Wire(Link):
    """What the process says, of jobs that are there before it begins."""

    def __init__(self, *asked: PredictionJob) -> None:
        self.asked = [vars(one) for one in asked]
        self.said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def listen(self, receive: Any) -> None:
        for one in self.asked:
            receive(one)

    def send(self, message: dict[str, Any]) -> None:
        self.said.put(message)
        if self.said.qsize() == len(self.asked):
            raise EOFError


def test_the_process_answers_for_each_job_whatever_the_one_before_ran_into(
    storage: Storage, folder: PredictionFolder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(child.signal, "signal", lambda *_: None)
    put(folder, flag(), 0)
    put(folder, flag(20, 30), 1)
    wire = Wire(job("a", file="absent.onnx"), job("a", "b", "c"), job("a", "b", form="json"))
    with pytest.raises(EOFError):
        child.work(wire, {"threads": 1, "storage": str(storage.root)})
    absent, missing, whole = (wire.said.get() for _ in range(3))
    assert absent["error"]["code"] == "storage_unavailable"
    assert missing["error"]["message"] == "c cannot be read: No such file or directory."
    assert [(one["name"], one["width"]) for one in whole["result"]["images"]] == [("a", 60), ("b", 30)]
