"""What an exported file tells of itself in its metadata, whatever its task."""

import json

from trainyard.tasks.registry import needs_of
from workers.training.checkpoints.files import ModelCard
from workers.training.data.image_view import told_view
from workers.training.export.sessions import LEARNING_TASK, VIEW


def exported_facts(card: ModelCard) -> dict[str, str]:
    """Facts as text; lists are JSON."""
    data, chosen = card.spec.data, needs_of(card.spec.model.architecture)
    baked = card.spec.export.with_preprocessing
    return {
        "trainyard.run_id": card.run_id,
        LEARNING_TASK: card.spec.task,
        "trainyard.architecture": card.spec.model.architecture,
        "trainyard.task": card.spec.model.task,
        "trainyard.encoder": card.spec.model.encoder,
        "trainyard.classes": json.dumps([info.name for info in card.classes]),
        "trainyard.colors": json.dumps([list(info.color) for info in card.classes]),
        "trainyard.values": json.dumps([info.value for info in card.classes]),
        "trainyard.mean": json.dumps(card.rule.mean),
        "trainyard.std": json.dumps(card.rule.std),
        "trainyard.depth": json.dumps(card.to_dict()["depth"]),
        VIEW: told_view(card.spec.augmentation.validation),
        "trainyard.channels": "RGB",
        "trainyard.layout": "NHWC" if baked else "NCHW",
        "trainyard.preprocessing": "inside" if baked else "outside",
        "trainyard.normalization": "pixel, uint8" if baked else "(pixel / 255 - mean) / std",
        "trainyard.fit": data.fit,
        "trainyard.image_size": str(data.image_size),
        "trainyard.size_multiple": str(chosen.size_multiple if chosen.dynamic_size else data.image_size),
        "trainyard.dynamic_size": json.dumps(chosen.dynamic_size),
    }
