"""The ONNX files of a completed run, each believed only after onnxruntime has found the same as torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from torch import nn

from trainyard.errors import ExportMismatch
from trainyard.runs.events import Event
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import ModelCard
from workers.training.export.exported_run import Facts, export_variants, file_facts
from workers.training.export.files import write_model
from workers.training.tasks.detection.data.squares import Squares
from workers.training.tasks.detection.export.card import card_content
from workers.training.tasks.detection.export.graph import make_graph
from workers.training.tasks.detection.export.narrowing import narrowing_of
from workers.training.tasks.detection.export.parity import TOLERANCES, compare


@dataclass(frozen=True, kw_only=True)
class ExportData:
    """What files are compared and calibrated on: images without augmentation, and the set's hash."""

    val: Squares
    calibration: Squares
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
    threshold = float(evaluation["splits"]["val"]["threshold"])

    def checked(name: str, model: onnx.ModelProto, path: Path) -> Facts:
        return _checked(name, model, path, network, card, data)

    def content(files: list[Facts], refused: list[Facts]) -> Facts:
        return card_content(
            card,
            epoch=epoch,
            content_hash=data.content_hash,
            threshold=threshold,
            evaluation=evaluation,
            files=files,
            refused=refused,
        )

    graph = make_graph(network, card, threshold)
    narrowing = narrowing_of(graph, data.calibration, card)
    return export_variants(graph, narrowing, card.spec.export, folder, checked, content, report)


def _checked(
    name: str, model: onnx.ModelProto, path: Path, network: nn.Module, card: ModelCard, data: ExportData
) -> Facts:
    """Compare the graph with the network and write it; raises ExportMismatch, and then there is no file."""
    bound = TOLERANCES[name]
    parity = compare(network, model, card, data.val, bound)
    if broken := parity.failure(bound):
        raise ExportMismatch(f"The exported {name} network differs from the trained one: {broken}.")
    write_model(model, path)
    return {
        **file_facts(name, path, model, card.spec.export),
        "dynamic_axes": [],
        "tested_shapes": [[1, card.spec.data.image_size, card.spec.data.image_size]],
        "max_difference": parity.boxes,
        "score_difference": parity.scores,
        "mask_difference": parity.masks,
        "matched": parity.matched,
        "compared_detections": parity.compared,
        "val_map50": parity.exported_map50,
        "torch_val_map50": parity.trained_map50,
        "val_images": parity.images,
        "tolerance": {
            "matched": bound.matched,
            "score_difference": bound.scores,
            "map50": bound.map50,
        },
    }
