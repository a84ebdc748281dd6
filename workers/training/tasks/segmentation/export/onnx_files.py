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
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, load
from workers.training.tasks.segmentation.export.card import card_content
from workers.training.tasks.segmentation.export.graph import CLASSES, is_dynamic, make_graph
from workers.training.tasks.segmentation.export.parity import (
    MAX_DIFFERENCE,
    Tolerance,
    failure,
    miou_of,
    onnx_predictor,
    scored_places,
    torch_predictor,
    tried_shapes,
)

TOLERANCES = {
    "fp32": Tolerance(difference=MAX_DIFFERENCE, relative=1e-5, miou=0.001),
    # float16 keeps 11 bits, a relative error of 5e-4 per operation, over some sixty layers.
    "fp16": Tolerance(relative=0.02, miou=0.005),
    # Eight bits change every logit; what counts is what becomes of the classes.
    "int8": Tolerance(miou=0.03),
}


@dataclass(frozen=True, kw_only=True)
class ExportData:
    """What files are compared and calibrated on: squares without augmentation, and the set's hash."""

    val: SegmentationDataset
    calibration: SegmentationDataset
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
    expected = miou_of(torch_predictor(network, card), data.val, card)

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


def _calibration(train: SegmentationDataset, card: ModelCard) -> Iterator[Feed]:
    for place in calibration_places(len(train)):
        images, _ = load(train, [place])
        yield feed_of(images, card.rule, card.spec.export)


def _checked(
    name: str,
    model: onnx.ModelProto,
    path: Path,
    network: nn.Module,
    card: ModelCard,
    data: ExportData,
    expected: float | None,
) -> Facts:
    """Compare a variant with the network and write it; raises ExportMismatch, and then there is no file."""
    bound = TOLERANCES[name]
    parity = compare_logits(network, model, card.rule, card.spec.export, tried_shapes(card))
    lean = with_output(model, CLASSES)
    miou = miou_of(onnx_predictor(lean, card), data.val, card)
    if broken := failure(parity, miou, expected, bound):
        raise ExportMismatch(f"The exported {name} network differs from the trained one: {broken}.")
    write_model(lean, path)
    return {
        **file_facts(name, path, model, card.spec.export),
        "dynamic_axes": ["batch", "height", "width"] if is_dynamic(card) else ["batch"],
        "tested_shapes": [list(shape) for shape in parity.shapes],
        "max_difference": parity.difference,
        "relative_difference": parity.relative,
        "val_miou": miou,
        "torch_val_miou": expected,
        "val_images": len({data.val.samples[place].name for place in scored_places(data.val)}),
        "tolerance": {
            "max_difference": bound.difference,
            "relative_difference": bound.relative,
            "miou": bound.miou,
        },
    }
