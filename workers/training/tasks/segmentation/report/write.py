"""Writes a run's evaluation report: report.json, figures and report.html."""

from collections.abc import Mapping
from typing import Any

import torch

from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json, write_text
from workers.training.checkpoints.files import ModelCard
from workers.training.report.confirmed import confirmation, validation_of
from workers.training.report.learning import Learning, read_learning
from workers.training.report.parts import clear_report, place_of, times_of
from workers.training.tasks.segmentation.data.squares import SegmentationDataset
from workers.training.tasks.segmentation.report.confusion import write_confusion
from workers.training.tasks.segmentation.report.definitions import definitions
from workers.training.tasks.segmentation.report.evaluation import Forward, evaluate
from workers.training.tasks.segmentation.report.gallery import Gallery
from workers.training.tasks.segmentation.report.missed import missed_classes
from workers.training.tasks.segmentation.report.page import render
from workers.training.tasks.segmentation.report.split import SplitReport, split_report

CURVES = ("train_loss", "val_loss", "train_miou", "val_miou", "lr")
LARGEST_BATCH = 8
"""Squares that go through the network at once, or fewer where training took fewer."""


def write_report(
    forward: Forward,
    card: ModelCard,
    splits: Mapping[str, SegmentationDataset],
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
    with torch.inference_mode():
        reports = [
            _evaluated(name, forward, card, squares, folder, device)
            for name, squares in splits.items()
            if len(squares)
        ]
    for report in reports:
        write_confusion(report, folder)
    learning = read_learning(folder.metrics_csv, train_images, CURVES)
    content = _content(card, reports, learning, epoch, device)
    write_json(folder.report_json, content)
    write_text(folder.report_html, render(content, reports, learning))
    return content


def _evaluated(
    name: str,
    forward: Forward,
    card: ModelCard,
    squares: SegmentationDataset,
    folder: RunFolder,
    device: torch.device,
) -> SplitReport:
    batch = min(LARGEST_BATCH, card.spec.data.batch)
    evaluation = evaluate(
        forward,
        squares,
        len(card.classes),
        task=card.spec.model.task,
        batch=batch,
        device=device,
        seed=card.spec.seed,
    )
    gallery = Gallery(forward, squares, card, device, folder.figures, batch=batch)
    worst = gallery.draw(evaluation.worst, f"{name}-worst")
    random = gallery.draw(evaluation.random, f"{name}-random")
    return split_report(name, evaluation, card.classes, worst, random)


def _content(
    card: ModelCard, reports: list[SplitReport], learning: Learning, epoch: int, device: torch.device
) -> dict[str, Any]:
    data, size = card.spec.data, card.spec.data.image_size
    validation = validation_of(data, reports[0].numbers, learning, epoch, "miou")
    made = f"each image made {size} x {size} pixels ({data.fit}), in float32 on {place_of(device)}"
    cut = f"each image cut into {size} x {size} pixels at its own scale, in float32 on {place_of(device)}"
    text = (
        f"Evaluated as in training, with {cut}; outlines are compared square by square."
        if data.fit == "crop"
        else f"Evaluated as in training, with {made}; scores at the images' own sizes differ."
    )
    return {
        "run_id": card.run_id,
        "model": {
            "architecture": card.spec.model.architecture,
            "encoder": card.spec.model.encoder,
            "task": card.spec.model.task,
        },
        "checkpoint": {"file": "checkpoints/best.ckpt", "epoch": epoch},
        "input": {"image_size": size, "fit": data.fit, "precision": "float32", "text": text},
        "definitions": definitions(size, card.spec.model.task),
        "validation": validation,
        "notices": [
            *confirmation(validation, "miou", "mIoU"),
            *(one for report in reports for one in missed_classes(report.name, report.numbers)),
        ],
        "splits": {report.name: report.numbers for report in reports},
        "times": times_of(learning),
    }
