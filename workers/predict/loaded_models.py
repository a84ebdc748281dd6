"""Models that a process keeps ready: loading one costs more than most answers."""

from collections import OrderedDict
from pathlib import Path

from workers.training.tasks.segmentation.prediction.answers import Predictor
from workers.training.tasks.segmentation.prediction.onnx_file import load_onnx

KEPT = 2
"""Models at a time: one may take some hundred megabytes."""


class LoadedModels:
    """The models that were asked last, by their files."""

    def __init__(self, threads: int) -> None:
        """`threads` is in how many each computes."""
        self._threads = threads
        self._models: OrderedDict[Path, Predictor] = OrderedDict()

    def get(self, path: Path) -> Predictor:
        """The model of a file, which never changes; raises as `load_onnx`."""
        if path not in self._models:
            self._models[path] = load_onnx(path, self._threads)
        self._models.move_to_end(path)
        while len(self._models) > KEPT:
            self._models.popitem(last=False)
        return self._models[path]
