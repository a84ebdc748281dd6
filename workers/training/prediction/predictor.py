"""A trained network ready to be used, from a checkpoint or from an exported ONNX file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainyard.errors import InvalidRequest, StorageUnavailable
from workers.prepared.version import DepthScale, PreparedClass, Uint8
from workers.training.checkpoints.files import read_checkpoint
from workers.training.checkpoints.trained_network import card_of, depth_of, network_of
from workers.training.data.tiles import Floats
from workers.training.export.graph import CLASSES, LOGITS
from workers.training.export.parity import open_session, prepare, run_session
from workers.training.labels.label_codec import Reading, reading_of
from workers.training.network.networks import InputRule

Answer = Callable[[Tensor], Tensor]
"""Logits (N, C, S, S), or classes (N, S, S), of images (N, S, S, 3) uint8 RGB."""


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """Answers for squares of `image_size` pixels, made of images by `fit`.

    Predicted masks have one byte per pixel in the form of `task`: a class index or, multilabel, a bit for
    each class. `gives_probabilities` is false for ONNX files with the preprocessing inside, which give
    classes only. `depth` says how images of more than 8 bits became 8 in training, None where that is not
    known.
    """

    task: str
    classes: list[PreparedClass]
    image_size: int
    fit: str
    gives_probabilities: bool
    answer: Answer
    depth: tuple[DepthScale, ...] | None = None

    def probabilities(self, square: Uint8) -> Floats:
        """(C, S, S) float32 of a square, (S, S, 3) RGB."""
        return np.asarray(self.probabilities_of(square[None])[0], np.float32)

    def probabilities_of(self, squares: Uint8) -> NDArray[np.float32]:
        """(N, C, S, S) float32 of squares, (N, S, S, 3) RGB."""
        with torch.inference_mode():
            logits = self.answer(torch.from_numpy(squares))
        return np.asarray(self._reading.probabilities(logits).numpy(), np.float32)

    def settle(self, probabilities: Floats) -> Uint8:
        """The predicted mask, (H, W), of probabilities, (C, H, W)."""
        return np.asarray(self._reading.settle(torch.from_numpy(probabilities)[None])[0].numpy(), np.uint8)

    def class_map(self, square: Uint8) -> Uint8:
        """The predicted mask, (S, S), of a square, (S, S, 3) RGB."""
        if self.gives_probabilities:
            return self.settle(self.probabilities(square))
        return np.asarray(self.answer(torch.from_numpy(square)[None])[0].numpy(), np.uint8)

    @property
    def _reading(self) -> Reading:
        return reading_of(self.task, len(self.classes))


def load_predictor(path: Path) -> Predictor:
    """From a .ckpt, read without pickle, or an .onnx; on the CPU.

    Raises InvalidRequest for a file of another kind, StorageUnavailable for one that cannot be read or was
    not written by Trainyard.
    """
    if path.suffix == ".ckpt":
        return _from_checkpoint(path)
    if path.suffix == ".onnx":
        return _from_onnx(path)
    raise InvalidRequest(
        f"{path.name} is no model file.", errors={"model": ["a file ending with .ckpt or .onnx"]}
    )


def _from_checkpoint(path: Path) -> Predictor:
    content = read_checkpoint(path)
    card = card_of(content)
    network = network_of(content, card)
    return Predictor(
        task=card.spec.model.task,
        classes=card.classes,
        image_size=card.spec.data.image_size,
        fit=card.spec.data.fit,
        gives_probabilities=True,
        answer=lambda images: network(prepare(images, card.rule)),
        depth=card.depth,
    )


def _from_onnx(path: Path) -> Predictor:
    if not path.is_file():
        raise StorageUnavailable(f"{path.name} cannot be read: there is no such file.")
    session = open_session(str(path))
    facts = session.get_modelmeta().custom_metadata_map
    if "trainyard.classes" not in facts:
        raise StorageUnavailable(f"{path.name} was not written by Trainyard.")
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
        depth=depth_of(json.loads(facts.get("trainyard.depth", "null"))),
    )


def _answer_of(session: onnxruntime.InferenceSession, facts: dict[str, str]) -> Answer:
    if facts["trainyard.preprocessing"] == "inside":
        return lambda images: torch.from_numpy(run_session(session, CLASSES, {"image": images.numpy()}))
    mean, std = (tuple(json.loads(facts[f"trainyard.{key}"])) for key in ("mean", "std"))
    rule = InputRule(mean=mean, std=std)

    def answer(images: Tensor) -> Tensor:
        given = np.ascontiguousarray(prepare(images, rule).numpy())
        return torch.from_numpy(run_session(session, LOGITS, {"image": given}))

    return answer
