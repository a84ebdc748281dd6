"""A picture to judge a run by: validation images with their labels and what the network makes of them."""

from pathlib import Path

import numpy as np
import torch

from workers.training.checkpoints.files import ModelCard
from workers.training.checkpoints.trained_network import TrainedNetwork
from workers.training.data.picture_files import write_picture
from workers.training.tasks.classification.data.pictures import Pictures, load
from workers.training.tasks.classification.labels.answers import decided, probabilities_of
from workers.training.tasks.classification.labels.sheets import answered, sheet
from workers.training.tasks.classification.labels.targets import as_shares

_IMAGES = 12


def write_overlay(trained: TrainedNetwork, val: Pictures, card: ModelCard, path: Path) -> None:
    """Write up to twelve images, spread over the split, as PNG; raises StorageUnavailable."""
    places = [int(place) for place in np.linspace(0, len(val) - 1, min(_IMAGES, len(val)))]
    images, labels = load(val, places)
    with torch.inference_mode():
        likely = probabilities_of(np.asarray(trained(images).numpy()), card.spec.model.task)
    has = decided(likely, card.spec.model.task)
    true = as_shares(labels, len(card.classes)).numpy() > 0
    pictures = [image.numpy() for image in images]
    write_picture(sheet(answered(pictures, true, has, card.classes)), path)
