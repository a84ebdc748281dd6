"""Models that a process keeps ready: loading one costs more than most answers."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainyard.library.prediction import PredictionJob
from trainyard.storage.files import PredictionFolder
from trainyard.tasks.classification import CLASSIFICATION
from trainyard.tasks.detection import DETECTION
from trainyard.tasks.registry import task_named
from trainyard.tasks.segmentation import SEGMENTATION
from workers.predict.labels import predict_labels
from workers.predict.masks import predict_image
from workers.predict.objects import predict_objects
from workers.training.export.sessions import LEARNING_TASK, open_file
from workers.training.tasks.classification.prediction import onnx_file as of_labels
from workers.training.tasks.detection.prediction import onnx_file as of_objects
from workers.training.tasks.segmentation.prediction import onnx_file as of_masks

KEPT = 2
"""Models at a time: one may take some hundred megabytes."""

Answering = Callable[[PredictionJob, PredictionFolder, int], dict[str, Any]]
"""Writes the pictures that a job wants of its image at a place, from 0, and tells what is in it."""


def answering(path: Path, threads: int) -> Answering:
    """The model of a file, which computes in so many threads; without torch.

    Raises StorageUnavailable for a file that is not there or was not written by Trainyard, InvalidRequest for
    one of a task that is not here, and ExportMismatch for one that onnxruntime cannot load.
    """
    session, facts = open_file(path, threads)
    task = task_named(facts.get(LEARNING_TASK, SEGMENTATION.name))
    return _TASKS[task.name](session, facts)


def _of_masks(session: Any, facts: dict[str, str]) -> Answering:
    predictor = of_masks.predictor_of(session, facts)
    return lambda job, folder, place: predict_image(predictor, job, folder, place)


def _of_labels(session: Any, facts: dict[str, str]) -> Answering:
    predictor = of_labels.predictor_of(session, facts)
    return lambda job, folder, place: predict_labels(predictor, job, folder, place)


def _of_objects(session: Any, facts: dict[str, str]) -> Answering:
    predictor = of_objects.predictor_of(session, facts)
    return lambda job, folder, place: predict_objects(predictor, job, folder, place)


_TASKS: Mapping[str, Callable[[Any, dict[str, str]], Answering]] = {
    SEGMENTATION.name: _of_masks,
    CLASSIFICATION.name: _of_labels,
    DETECTION.name: _of_objects,
}


class LoadedModels:
    """The models that were asked last, by their files."""

    def __init__(self, threads: int) -> None:
        """`threads` is in how many each computes."""
        self._threads = threads
        self._models: OrderedDict[Path, Answering] = OrderedDict()

    def get(self, path: Path) -> Answering:
        """The model of a file, which never changes; raises as `answering`."""
        if path not in self._models:
            self._models[path] = answering(path, self._threads)
        self._models.move_to_end(path)
        while len(self._models) > KEPT:
            self._models.popitem(last=False)
        return self._models[path]
