"""The ONNX files of a completed run, each believed only after onnxruntime has computed the same as torch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from torch import nn

from trainyard.errors import ExportMismatch
from trainyard.runs.events import Event
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import ModelCard
from workers.training.export.exported_run import Facts, Narrowing, export_variants, file_facts
from workers.training.export.files import write_model
from workers.training.export.logits import compare_logits, feed_of
from workers.training.export.tracing import with_output
from workers.training.export.variants import Feed, calibration_places
from workers.training.tasks.classification.data.pictures import Pictures, load
from workers.training.tasks.classification.export.card import card_content
from workers.training.tasks.classification.export.graph import PROBABILITIES, make_graph
from workers.training.tasks.classification.export.parity import (
    SCORED,
    TOLERANCES,
    accuracy_of,
    failure,
    onnx_answer,
    torch_answer,
    tried_shapes,
)


@dataclass(frozen=True, kw_only=True)
class ExportData:
    """What files are compared and calibrated on: images without augmentation, and the set's hash."""

    val: Pictures
    calibration: Pictures
    content_hash: str


def export_run(
    network: nn.Module,
    card: ModelCard,
    data: ExportData,
    folder: RunFolder,
    *,
    epoch: int,
    evaluation: dict[str, Any],
    report: Callable[[Event], None],
) -> Facts:
    """Write the files that the spec asks for and export/card.json, as `export_variants`.

    `network` holds the weights of `epoch`, in eval mode on the CPU; `evaluation` is report.json's content.
    """
    expected = accuracy_of(torch_answer(network, card), data.val, card)

    def checked(name: str, model: onnx.ModelProto, path: Path) -> Facts:
        return _checked(name, model, path, network, card, data, expected)

    def content(files: list[Facts], refused: list[Facts]) -> Facts:
        return card_content(
            card,
            epoch=epoch,
            content_hash=data.content_hash,
            evaluation=evaluation,
            files=files,
            refused=refused,
        )

    graph, images = make_graph(network, card), _calibration(data.calibration, card)
    return export_variants(
        graph, Narrowing(images=images), card.spec.export, folder, checked, content, report
    )


def _calibration(train: Pictures, card: ModelCard) -> Iterator[Feed]:
    for place in calibration_places(len(train)):
        yield feed_of(load(train, [place])[0], card.rule, card.spec.export)


def _checked(
    name: str,
    model: onnx.ModelProto,
    path: Path,
    network: nn.Module,
    card: ModelCard,
    data: ExportData,
    expected: float,
) -> Facts:
    """Compare a variant with the network and write it; raises ExportMismatch, and then there is no file."""
    bound, images = TOLERANCES[name], min(len(data.val), SCORED)
    parity = compare_logits(network, model, card.rule, card.spec.export, tried_shapes(card))
    accuracy = accuracy_of(onnx_answer(model, card), data.val, card)
    if broken := failure(parity, accuracy, expected, images, bound):
        raise ExportMismatch(f"The exported {name} network differs from the trained one: {broken}.")
    write_model(with_output(model, PROBABILITIES), path)
    return {
        **file_facts(name, path, model, card.spec.export),
        "dynamic_axes": ["batch"],
        "tested_shapes": [list(shape) for shape in parity.shapes],
        "max_difference": parity.difference,
        "relative_difference": parity.relative,
        "val_accuracy": accuracy,
        "torch_val_accuracy": expected,
        "val_images": images,
        "tolerance": {
            "max_difference": bound.difference,
            "relative_difference": bound.relative,
            "accuracy": bound.accuracy,
        },
    }
