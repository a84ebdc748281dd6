"""A trained network ready to be used, from a checkpoint or from an exported ONNX file."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workers.prepared.version import Uint8
from workers.training.checkpoints.trained_network import card_of, with_weights_of
from workers.training.data.image_view import view_of
from workers.training.export.images import prepare
from workers.training.tasks.model_file import OpenModel, open_model
from workers.training.tasks.segmentation.network.networks import empty_network
from workers.training.tasks.segmentation.prediction import onnx_file
from workers.training.tasks.segmentation.prediction.answers import Predictor


def load_predictor(path: Path) -> Predictor:
    """From a .ckpt, read without pickle, or an .onnx; on the CPU, with torch's number of threads.

    Raises as `open_model`.
    """
    return predictor_of(open_model(path))


def predictor_of(model: OpenModel) -> Predictor:
    """What an opened file of segmentation answers with."""
    if model.session is not None:
        return onnx_file.predictor_of(model.session, model.facts)
    return _from_checkpoint(model.checkpoint)


def _from_checkpoint(content: dict[str, Any]) -> Predictor:
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
        view=view_of(card.spec.augmentation.validation),
    )
