"""A trained network ready to be used, from a checkpoint or from an exported ONNX file."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainyard.errors import InvalidRequest
from workers.prepared.version import Uint8
from workers.training.checkpoints.files import read_checkpoint
from workers.training.checkpoints.trained_network import card_of, with_weights_of
from workers.training.tasks.segmentation.export.parity import prepare
from workers.training.tasks.segmentation.network.networks import empty_network
from workers.training.tasks.segmentation.prediction.answers import Predictor
from workers.training.tasks.segmentation.prediction.onnx_file import load_onnx


def load_predictor(path: Path) -> Predictor:
    """From a .ckpt, read without pickle, or an .onnx; on the CPU, with torch's number of threads.

    Raises InvalidRequest for a file of another kind, StorageUnavailable for one that cannot be read or was
    not written by Trainyard.
    """
    if path.suffix == ".ckpt":
        return _from_checkpoint(path)
    if path.suffix == ".onnx":
        return load_onnx(path, torch.get_num_threads())
    raise InvalidRequest(
        f"{path.name} is no model file.", errors={"model": ["a file ending with .ckpt or .onnx"]}
    )


def _from_checkpoint(path: Path) -> Predictor:
    content = read_checkpoint(path)
    card = card_of(content)
    network = with_weights_of(content, empty_network(card.spec.model, len(card.classes)))

    def answer(images: Uint8) -> NDArray[Any]:
        with torch.inference_mode():
            return np.asarray(network(prepare(torch.from_numpy(images), card.rule)).numpy())

    return Predictor(
        task=card.spec.model.task,
        classes=card.classes,
        image_size=card.spec.data.image_size,
        fit=card.spec.data.fit,
        gives_probabilities=True,
        answer=answer,
        depth=card.depth,
    )
