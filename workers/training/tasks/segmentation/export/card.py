"""export/card.json: what a person or a program must know to use the exported files."""

from dataclasses import asdict
from typing import Any

from trainyard.tasks.registry import needs_of
from workers.prepared.version import IGNORE_INDEX
from workers.training.checkpoints.files import ModelCard
from workers.training.export.licences import licence_notes
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL, THRESHOLD, planes

_SUMMARY = ("images", "miou", "dice", "pixel_accuracy", "boundary_f", "ece")
_IS_THERE = f"is there where its probability, the sigmoid of its logit, is above {THRESHOLD}: logit above 0"


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
        "task": card.spec.model.task,
        "classes": [asdict(info) for info in card.classes],
        "palette": {str(info.index): list(info.color) for info in card.classes},
        "ignore_index": IGNORE_INDEX,
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
    chosen, data = needs_of(card.spec.model.architecture), card.spec.data
    baked = card.spec.export.with_preprocessing
    fixed = f"always {data.image_size} x {data.image_size}: graphs of {chosen.name} are wrong at other sizes"
    free = (
        f"any multiples of {chosen.size_multiple}, at least {chosen.min_size}; trained at {data.image_size}"
    )
    return {
        "name": "image",
        "shape": "(N, H, W, 3)" if baked else "(N, 3, H, W)",
        "dtype": "uint8" if baked else "float32",
        "channels": "RGB",
        "rule": "the pixels as they are" if baked else "(pixel / 255 - mean) / std",
        "mean": list(card.rule.mean),
        "std": list(card.rule.std),
        "depth": card.to_dict()["depth"],
        "seen_through": card.spec.to_dict()["augmentation"]["validation"],
        "fit": data.fit,
        "image_size": data.image_size,
        "size_multiple": chosen.size_multiple if chosen.dynamic_size else data.image_size,
        "dynamic_size": chosen.dynamic_size,
        "sizes": free if chosen.dynamic_size else fixed,
    }


def _output(card: ModelCard) -> dict[str, str]:
    several = card.spec.model.task == MULTILABEL
    if card.spec.export.with_preprocessing:
        count = planes(card.spec.model.task, len(card.classes))
        meaning, shape = "class indices", "(N, H, W)"
        if several:
            meaning = f"bit c (value 2^c) is set where class c {_IS_THERE}"
        if count > 1:
            meaning = f"bit c % 8 of byte c // 8 is set where class c {_IS_THERE}"
            shape = f"(N, H, W, {count})"
        return {"name": "classes", "shape": shape, "dtype": "uint8", "meaning": meaning}
    if card.spec.model.task == "binary":
        return {
            "name": "logits",
            "shape": "(N, 1, H, W)",
            "dtype": "float32",
            "meaning": "log-odds of class 1; above 0 is class 1",
        }
    exclusive = "one per class; the largest is the class, a softmax over them the probabilities"
    return {
        "name": "logits",
        "shape": f"(N, {len(card.classes)}, H, W)",
        "dtype": "float32",
        "meaning": f"log-odds of each class, which {_IS_THERE}" if several else exclusive,
    }


def _metrics(numbers: dict[str, Any]) -> dict[str, Any]:
    per_class = {row["name"]: row["iou"] for row in numbers["classes"]}
    return {**{name: numbers[name] for name in _SUMMARY}, "iou": per_class}
