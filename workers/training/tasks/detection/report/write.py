"""Writes a run's evaluation report: report.json, figures and report.html."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json, write_text
from trainyard.tasks.detection import INSTANCES
from workers.training.checkpoints.files import ModelCard
from workers.training.report.confirmed import confirmation, validation_of
from workers.training.report.learning import Learning, read_learning
from workers.training.report.pages import learning_charts, page_template
from workers.training.report.parts import clear_report, place_of, times_of
from workers.training.tasks.detection.data.squares import Squares
from workers.training.tasks.detection.report.charts import (
    NOTHING,
    SHOWN_AS_CURVES,
    SHOWN_IN_MATRIX,
    page_charts,
)
from workers.training.tasks.detection.report.definitions import definitions
from workers.training.tasks.detection.report.evaluation import Forward, evaluate
from workers.training.tasks.detection.report.numbers import best_threshold
from workers.training.tasks.detection.report.split import SplitReport, split_report

LARGEST_BATCH = 8
"""Images that go through the network at once, or fewer where training took fewer."""
_SPLITS = {"val": "validation", "test": "the test split"}
_METRIC, _TITLE = "map50", "mAP50"


def write_report(
    forward: Forward,
    card: ModelCard,
    splits: Mapping[str, Squares],
    folder: RunFolder,
    *,
    epoch: int,
    train_images: int,
    device: torch.device,
) -> dict[str, Any]:
    """Evaluate on each split, `val` first and then `test` where it has images; returns report.json's content.

    `forward` computes on `device` in float32; `epoch` is that of the weights. Raises StorageUnavailable.
    """
    clear_report(folder)
    batch = min(LARGEST_BATCH, card.spec.data.batch)
    with torch.inference_mode():
        found = {
            name: evaluate(forward, squares, batch=batch, device=device)
            for name, squares in splits.items()
            if len(squares)
        }
    threshold = best_threshold(found["val"])
    reports = [
        split_report(name, evaluation, threshold, card, splits[name], folder)
        for name, evaluation in found.items()
    ]
    learning = read_learning(folder.metrics_csv, train_images, _curves(card))
    content = _content(card, reports, learning, epoch, device)
    write_json(folder.report_json, content)
    write_text(folder.report_html, _page(content, reports, learning))
    return content


def _curves(card: ModelCard) -> tuple[str, ...]:
    of_masks = ("val_mask_map50", "val_mask_map") if card.spec.model.task == INSTANCES else ()
    return ("train_loss", "val_loss", "val_map50", "val_map", "val_mar100", *of_masks, "lr")


def _page(content: dict[str, Any], reports: list[SplitReport], learning: Learning) -> str:
    titles = {"mAP50": "map50", "mAP": "map", "mean recall": "mar100"}
    if "val_mask_map" in learning.curves:
        titles |= {"mAP of outlines": "mask_map"}
    return page_template(Path(__file__).with_name("page.html")).render(
        report=content,
        splits=[{"report": one, "charts": page_charts(one.numbers)} for one in reports],
        learning=learning_charts(learning, titles),
        classes_drawn=SHOWN_AS_CURVES,
        classes_in_matrix=SHOWN_IN_MATRIX,
        nothing=NOTHING,
    )


def _content(
    card: ModelCard, reports: list[SplitReport], learning: Learning, epoch: int, device: torch.device
) -> dict[str, Any]:
    data, model = card.spec.data, card.spec.model
    size = data.image_size
    validation = validation_of(data, reports[0].numbers, learning, epoch, _METRIC)
    made = "each image within a square" if data.fit == "letterbox" else "each image"
    return {
        "run_id": card.run_id,
        "learning_task": card.spec.task,
        "model": {"architecture": model.architecture, "encoder": model.encoder, "task": model.task},
        "checkpoint": {"file": "checkpoints/best.ckpt", "epoch": epoch},
        "input": {
            "image_size": size,
            "fit": data.fit,
            "precision": "float32",
            "text": f"Evaluated as in training, with {made} made {size} x {size} pixels ({data.fit}), in "
            f"float32 on {place_of(device)}; objects are compared in pixels of the image as prepared.",
        },
        "definitions": definitions(model.task),
        "validation": validation,
        "notices": [
            *confirmation(validation, _METRIC, _TITLE),
            *(notice for report in reports for notice in _missed(report)),
        ],
        "splits": {report.name: report.numbers for report in reports},
        "times": times_of(learning),
    }


def _missed(report: SplitReport) -> list[str]:
    """A sentence where the network finds no object of some classes: a mean over many can hide them."""
    missed = [row["name"] for row in report.numbers["classes"] if row["objects"] and not row["recall"]]
    if not missed:
        return []
    shown = ", ".join(missed[:5]) + (f" and {len(missed) - 5} more" if len(missed) > 5 else "")
    return [f"Class {shown}: no object of it is found on {_SPLITS[report.name]}, though it has some."]
