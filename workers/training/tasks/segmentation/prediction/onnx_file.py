"""An exported ONNX file at work, by what it tells of itself; without torch."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.image_view import view_as_told
from workers.training.data.input_depth import stored_scales
from workers.training.export.sessions import VIEW, open_file, run_session
from workers.training.tasks.segmentation.prediction.answers import Answer, Predictor


def load_onnx(path: Path, threads: int) -> Predictor:
    """The network of the file, which computes on the CPU in so many threads.

    Raises StorageUnavailable for a file that is not there or was not written by Trainyard, and
    ExportMismatch for one that onnxruntime cannot load.
    """
    return predictor_of(*open_file(path, threads))


def predictor_of(session: onnxruntime.InferenceSession, facts: dict[str, str]) -> Predictor:
    """The network of an opened file, by its metadata."""
    names, colors, values = (json.loads(facts[f"trainyard.{key}"]) for key in ("classes", "colors", "values"))
    classes = [
        PreparedClass(index=index, name=name, value=value, color=tuple(color))
        for index, (name, color, value) in enumerate(zip(names, colors, values, strict=True))
    ]
    return Predictor(
        task=facts["trainyard.task"],
        classes=classes,
        image_size=int(facts["trainyard.image_size"]),
        fit=facts["trainyard.fit"],
        gives_probabilities=facts["trainyard.preprocessing"] == "outside",
        answer=_answer_of(session, facts),
        depth=stored_scales(json.loads(facts.get("trainyard.depth", "null"))),
        view=view_as_told(facts.get(VIEW, "[]")),
    )


def _answer_of(session: onnxruntime.InferenceSession, facts: dict[str, str]) -> Answer:
    output = session.get_outputs()[0].name
    if facts["trainyard.preprocessing"] == "inside":
        return lambda images: run_session(session, output, {"image": np.ascontiguousarray(images)})
    mean, std = (_as_bytes(json.loads(facts[f"trainyard.{key}"])) for key in ("mean", "std"))
    return lambda images: run_session(session, output, {"image": _prepared(images, mean, std)})


def _as_bytes(numbers: list[float]) -> NDArray[np.float32]:
    """A mean or deviation of channels, told for pixels of 0 to 1, for those of 0 to 255."""
    return np.asarray(numbers, np.float32).reshape(1, 3, 1, 1) * np.float32(255)


def _prepared(images: Uint8, mean: NDArray[np.float32], std: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images, (N, H, W, 3) RGB, as the network sees them: (N, 3, H, W)."""
    return np.ascontiguousarray((images.transpose(0, 3, 1, 2).astype(np.float32) - mean) / std)
