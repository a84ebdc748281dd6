"""export/card.json: what a person or a program must know to use the exported files."""

from dataclasses import asdict
from typing import Any

from trainyard.tasks.detection import INSTANCES
from workers.training.checkpoints.files import ModelCard
from workers.training.export.licences import licence_notes

_SUMMARY = ("images", "objects", "map", "map50", "map75", "mar100", "mask_map", "mask_map50")
_SQUARES = {
    "stretch": "resized to the square",
    "letterbox": "resized with its proportions kept, in the middle of black borders",
}


def card_content(
    card: ModelCard,
    *,
    epoch: int,
    content_hash: str,
    threshold: float,
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
        "outputs": _outputs(card),
        "threshold": threshold,
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
        "shape": f"(1, {size}, {size}, 3)" if baked else f"(1, 3, {size}, {size})",
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
        "sizes": f"always {size} x {size}, one image at a time",
    }


def _outputs(card: ModelCard) -> list[dict[str, str]]:
    boxes = "left, top, right and bottom in pixels of the square; the most probable first"
    told = [
        {"name": "boxes", "shape": "(objects, 4)", "dtype": "float32", "meaning": boxes},
        {"name": "labels", "shape": "(objects,)", "dtype": "int64", "meaning": "indices of classes, from 0"},
        {
            "name": "scores",
            "shape": "(objects,)",
            "dtype": "float32",
            "meaning": "0 to 1; `threshold` is the score of the best F1 on validation",
        },
    ]
    if card.spec.model.task == INSTANCES:
        meaning = "how probable each place of the box is of the object: resized to the box, above 0.5"
        told.append({"name": "masks", "shape": "(objects, 28, 28)", "dtype": "float32", "meaning": meaning})
    return told


def _metrics(numbers: dict[str, Any]) -> dict[str, Any]:
    per_class = {row["name"]: row["ap50"] for row in numbers["classes"]}
    return {**{name: numbers[name] for name in _SUMMARY if name in numbers}, "ap50_per_class": per_class}
