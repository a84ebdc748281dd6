"""The use case of asking a trained model about images: a worker answers, and this waits for it."""

import base64
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.service.received_images import ReceivedImages
from app.service.slots import IsGone, Slots
from trainyard.errors import (
    ChildDied,
    ExportMismatch,
    HostOutOfMemory,
    InvalidRequest,
    NoPredictWorker,
    PredictionTimeout,
    StorageUnavailable,
    TooManyPredictions,
    TrainyardError,
)
from trainyard.registry.models import ModelRegistry
from trainyard.runs.prediction import JSON, PredictionJob
from trainyard.runs.trained_model import FP32, TrainedModel
from trainyard.storage.errors import storage_error
from trainyard.storage.files import PredictionFolder, Storage, new_prediction_id, remove_folder, write_json
from trainyard.store.prediction_store import PREDICT_QUEUE, PredictionStore
from trainyard.store.workers import WorkerStore

MAX_PREDICTIONS = 8
"""Predictions that this server waits for at a time: each holds a thread."""
_KINDS = {
    kind.code: kind
    for kind in (ChildDied, ExportMismatch, HostOutOfMemory, PredictionTimeout, StorageUnavailable)
}
"""What a worker may run into that is not the request's fault."""
MAX_WAITING = 64
"""Predictions of all servers that no worker has taken."""


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
        predictions: PredictionStore,
        workers: WorkerStore,
        storage: Storage,
        seconds: float,
        max_bytes: int,
    ) -> None:
        """`seconds` is what a prediction may take, waiting included; `max_bytes` its images together."""
        self._models = models
        self._predictions = predictions
        self._workers = workers
        self._storage = storage
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._slots = Slots(MAX_PREDICTIONS, TooManyPredictions)

    @contextmanager
    def receiving(self, model_id: str, is_gone: IsGone) -> Iterator[Prediction]:
        """A prediction whose images may come; its files are deleted when the block is left.

        Raises NotFound, NoPredictWorker and TooManyPredictions before anything is received.
        """
        self._models.get(model_id)
        if not any(PREDICT_QUEUE in worker.queues for worker in self._workers.all()):
            raise NoPredictWorker()
        if self._predictions.waiting() >= MAX_WAITING:
            raise TooManyPredictions()
        slot = self._slots.take(is_gone)
        folder = self._storage.prediction(new_prediction_id())
        prediction = Prediction(folder, ReceivedImages(folder, self._max_bytes))
        try:
            yield prediction
        finally:
            prediction.close()
            self._slots.give_back(slot)

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
        until = time.monotonic() + self._seconds
        self._predictions.ask(job, self._seconds)
        answer = None
        while answer is None and time.monotonic() < until and not is_gone():
            answer = self._predictions.answered(job.id)
        if answer is None:
            raise self._timeout(job.id)
        if "error" in answer:
            raise _error(answer["error"])
        told = answer["result"]
        for place, one in enumerate(told["images"]):
            one["picture"] = None if request.form == JSON else picture_name(one["name"], place)
        prediction.answer = {"model_id": model.id, "version": model.version, "task": model.task, **told}

    def _timeout(self, job_id: str) -> PredictionTimeout:
        begun = "No worker has taken it" if self._predictions.give_up(job_id) else "It was not done"
        return PredictionTimeout(f"{begun} within {self._seconds:g} s.")


def _error(told: Mapping[str, Any]) -> TrainyardError:
    """What a worker ran into."""
    kind = InvalidRequest if told["cause"] == "user" else _KINDS.get(told["code"], TrainyardError)
    return kind(told["message"], remedy=told["remedy"], errors=told["errors"] or None)


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
