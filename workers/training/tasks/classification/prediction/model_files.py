"""A trained network ready to be used, from a checkpoint or from an exported ONNX file."""

from typing import Any

import numpy as np
import torch

from workers.prepared.version import Uint8
from workers.training.checkpoints.trained_network import TrainedNetwork, card_of, with_weights_of
from workers.training.data.image_view import view_of
from workers.training.tasks.classification.labels.answers import Floats, probabilities_of
from workers.training.tasks.classification.network.classifier import empty_classifier
from workers.training.tasks.classification.prediction import onnx_file
from workers.training.tasks.classification.prediction.predictor import LabelPredictor
from workers.training.tasks.model_file import OpenModel


def predictor_of(model: OpenModel) -> LabelPredictor:
    """What an opened file of classification answers with."""
    if model.session is not None:
        return onnx_file.predictor_of(model.session, model.facts)
    return _from_checkpoint(model.checkpoint)


def _from_checkpoint(content: dict[str, Any]) -> LabelPredictor:
    card = card_of(content)
    form = card.spec.model.task
    network = with_weights_of(content, empty_classifier(card.spec.model, len(card.classes)))
    trained = TrainedNetwork(network, card.rule)

    def answer(images: Uint8) -> Floats:
        with torch.inference_mode():
            return probabilities_of(np.asarray(trained(torch.from_numpy(images)).numpy()), form)

    return LabelPredictor(
        form=form,
        classes=card.classes,
        image_size=card.spec.data.image_size,
        fit=card.spec.data.fit,
        answer=answer,
        depth=card.depth,
        view=view_of(card.spec.augmentation.validation),
    )
