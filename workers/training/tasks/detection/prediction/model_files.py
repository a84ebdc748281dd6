"""A trained network ready to be used, from a checkpoint or from an exported ONNX file."""

from typing import Any

import torch

from workers.prepared.version import Uint8
from workers.training.checkpoints.trained_network import TrainedNetwork, card_of, with_weights_of
from workers.training.data.image_view import view_of
from workers.training.tasks.detection.labels.scores import arrays_of
from workers.training.tasks.detection.network.networks import empty_detector
from workers.training.tasks.detection.prediction import onnx_file
from workers.training.tasks.detection.prediction.predictor import THRESHOLD, Found, ObjectPredictor
from workers.training.tasks.model_file import OpenModel


def predictor_of(model: OpenModel) -> ObjectPredictor:
    """What an opened file of detection answers with."""
    if model.session is not None:
        return onnx_file.predictor_of(model.session, model.facts)
    return _from_checkpoint(model.checkpoint)


def _from_checkpoint(content: dict[str, Any]) -> ObjectPredictor:
    card = card_of(content)
    network = with_weights_of(content, empty_detector(card.spec.model, len(card.classes)))
    trained = TrainedNetwork(network, card.rule)

    def answer(square: Uint8) -> Found:
        with torch.inference_mode():
            (found,) = trained(torch.from_numpy(square)[None]).detections
        return Found(*arrays_of(found))

    return ObjectPredictor(
        form=card.spec.model.task,
        classes=card.classes,
        image_size=card.spec.data.image_size,
        fit=card.spec.data.fit,
        threshold=THRESHOLD,
        answer=answer,
        depth=card.depth,
        view=view_of(card.spec.augmentation.validation),
    )
