"""The use case of asking a trained model about images: a worker answers, and this waits for it."""

import base64
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.service.models.received_images import ReceivedImages
from app.service.requests.slots import IsGone
from app.service.requests.worker_answers import WorkerAnswers
from trainyard.errors import (
    InvalidRequest,
    StorageUnavailable,
)
from trainyard.library.prediction import JSON, PredictionJob
from trainyard.library.trained_model import FP32, TrainedModel
from trainyard.registry.models import ModelRegistry
from trainyard.storage.errors import storage_error
from trainyard.storage.files import PredictionFolder, Storage, remove_folder
from trainyard.storage.ids import new_prediction_id
from trainyard.storage.json_files import write_json


@dataclass(frozen=True, kw_only=True)
class PredictionRequest:
    """What is wanted of each image; `pictures` are embedded in an answer of the form `json`."""

    form: str
    way: str
    precision: str = FP32
    pictures: tuple[str, ...] = ()


class Prediction:
    """One that is under way: its folder, which goes with it, and what came of it once `wait` has returned."""

    def __init__(self, folder: PredictionFolder, images: ReceivedImages) -> None:
        self.folder = folder
        self.images = images
        self.answer: dict[str, Any] = {}

    def picture(self, form: str) -> Path:
        """The one picture, or an archive of several with what is told of them."""
        told = self.answer["images"]
        if len(told) == 1:
            return self.folder.picture(0, form)
        path = self.folder.path / "pictures.zip"
        try:
            write_json(self.folder.path / "predictions.json", self.answer)
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(self.folder.path / "predictions.json", "predictions.json")
                for place, one in enumerate(told):
                    archive.write(self.folder.picture(place, form), one["picture"])
        except OSError as error:
            raise storage_error("The pictures could not be put together", error) from error
        return path

    def embedded(self, pictures: Sequence[str]) -> dict[str, Any]:
        """What is told of the images, each with its pictures as base64."""
        try:
            for place, one in enumerate(self.answer["images"]):
                for form in pictures:
                    content = self.folder.picture(place, form).read_bytes()
                    one[form] = base64.b64encode(content).decode()
        except OSError as error:
            raise storage_error("A picture could not be read", error) from error
        return self.answer

    def close(self) -> None:
        """Delete its files; what storage keeps of them goes with housekeeping."""
        with suppress(StorageUnavailable):
            remove_folder(self.folder.path)


class PredictionService:
    """Asks models."""

    def __init__(
        self,
        models: ModelRegistry,
        answers: WorkerAnswers,
        storage: Storage,
        max_bytes: int,
    ) -> None:
        """`max_bytes` is what the images of a request may have together."""
        self._models = models
        self._answers = answers
        self._storage = storage
        self._max_bytes = max_bytes

    @contextmanager
    def receiving(self, model_id: str, is_gone: IsGone) -> Iterator[Prediction]:
        """A prediction whose images may come; its files are deleted when the block is left.

        Raises NotFound, NoPredictWorker and TooManyPredictions before anything is received.
        """
        self._models.get(model_id)
        with self._answers.place(is_gone):
            folder = self._storage.prediction(new_prediction_id())
            prediction = Prediction(folder, ReceivedImages(folder, self._max_bytes))
            try:
                yield prediction
            finally:
                prediction.close()

    def wait(
        self,
        prediction: Prediction,
        model_id: str,
        request: PredictionRequest,
        names: Sequence[str],
        is_gone: Callable[[], bool],
    ) -> None:
        """Have a worker answer. Raises PredictionTimeout, StoreUnavailable, and what the worker ran into."""
        prediction.images.close()
        model = self._models.get(model_id)
        job = PredictionJob(
            id=prediction.folder.path.name,
            model_id=model.id,
            file=_file(model, request.precision),
            form=request.form,
            pictures=request.pictures if request.form == JSON else (),
            names=tuple(name[-100:] for name in names),
            way=request.way,
        )
        told = self._answers.of(job, is_gone)
        for place, one in enumerate(told["images"]):
            one["picture"] = None if request.form == JSON else picture_name(one["name"], place)
        prediction.answer = {"model_id": model.id, "version": model.version, "task": model.task, **told}


def picture_name(name: str, place: int) -> str:
    """What the picture made of an image is called: its place from 1, and plain letters of its name."""
    stem = name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].rsplit(".", 1)[0]
    plain = "".join(char if char.isalnum() or char in "-_" else "-" for char in stem)[:60]
    return f"{place + 1}-{plain or 'image'}.png"


def _file(model: TrainedModel, precision: str) -> str:
    found = model.file(precision)
    if found is None:
        there = ", ".join(one.precision for one in model.files if one.precision)
        raise InvalidRequest(
            f"Model {model.id} has no file of the precision {precision}.",
            errors={"precision": [f"one of: {there}"]},
        )
    return found.name
