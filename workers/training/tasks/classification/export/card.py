"""export/card.json: what a person or a program must know to use the exported files."""

from dataclasses import asdict
from typing import Any

from trainyard.tasks.classification import MULTILABEL
from workers.training.checkpoints.files import ModelCard
from workers.training.export.licences import licence_notes
from workers.training.tasks.classification.labels.answers import THRESHOLD

_SUMMARY = ("images", "acc1", "f1", "map", "auroc", "kappa", "recall_micro", "recall_macro", "ece")
_SQUARES = {
    "stretch": "resized to the square",
    "letterbox": "resized with its proportions kept, in the middle of black borders",
    "crop": "its middle square of 0.875 of the shorter side, resized",
}


def card_content(
    card: ModelCard,
    *,
    epoch: int,
    content_hash: str,
    evaluation: dict[str, Any],
    files: list[dict[str, Any]],
    refused: list[dict[str, str]],
) -> dict[str, Any]:
    """The card; `evaluation` is report.json's content, `files` and `refused` those of the export."""
    return {
        "run_id": card.run_id,
        "epoch": epoch,
        "learning_task": card.spec.task,
        "task": card.spec.model.task,
        "classes": [asdict(info) for info in card.classes],
        "palette": {str(info.index): list(info.color) for info in card.classes},
        "input": _input(card),
        "output": _output(card),
        "licence_notes": licence_notes(card.spec.model.encoder_weights),
        "dataset": {"content_hash": content_hash},
        "spec": card.spec.to_dict(),
        "metrics": {name: _metrics(numbers) for name, numbers in evaluation["splits"].items()},
        "files": files,
        "refused": refused,
    }


def _input(card: ModelCard) -> dict[str, Any]:
    data, baked = card.spec.data, card.spec.export.with_preprocessing
    size = data.image_size
    return {
        "name": "image",
        "shape": f"(N, {size}, {size}, 3)" if baked else f"(N, 3, {size}, {size})",
        "dtype": "uint8" if baked else "float32",
        "channels": "RGB",
        "rule": "the pixels as they are" if baked else "(pixel / 255 - mean) / std",
        "mean": list(card.rule.mean),
        "std": list(card.rule.std),
        "depth": card.to_dict()["depth"],
        "seen_through": card.spec.to_dict()["augmentation"]["validation"],
        "fit": data.fit,
        "square": f"the image {_SQUARES[data.fit]}",
        "image_size": size,
        "dynamic_size": False,
        "sizes": f"always {size} x {size}",
    }


def _output(card: ModelCard) -> dict[str, str]:
    several, baked = card.spec.model.task == MULTILABEL, card.spec.export.with_preprocessing
    said = "a probability of its own" if several else "a softmax"
    meaning = f"{said} for each class"
    if not baked:
        rule = "the sigmoid of each is its probability" if several else "a softmax gives probabilities"
        meaning = f"one per class; {rule}"
    chosen = f"a class is there above {THRESHOLD}" if several else "the greatest is the class"
    return {
        "name": "probabilities" if baked else "logits",
        "shape": f"(N, {len(card.classes)})",
        "dtype": "float32",
        "meaning": f"{meaning}; {chosen}" if baked or not several else f"{meaning}, and {chosen}",
    }


def _metrics(numbers: dict[str, Any]) -> dict[str, Any]:
    per_class = {row["name"]: row["f1"] for row in numbers["classes"]}
    return {**{name: numbers[name] for name in _SUMMARY}, "f1_per_class": per_class}
