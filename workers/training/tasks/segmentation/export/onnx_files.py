"""The ONNX files of a completed run, each believed only after onnxruntime has computed the same as torch."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from torch import nn

from trainyard.errors import ExportMismatch
from trainyard.runs.events import Event, Notice
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json
from workers.training.checkpoints.files import ModelCard
from workers.training.export.files import sha256_of, write_model
from workers.training.export.tracing import opset_of, with_output
from workers.training.export.variants import Feed, calibration_places, to_half, to_int8
from workers.training.tasks.segmentation.data.squares import Squares, load
from workers.training.tasks.segmentation.export.card import card_content
from workers.training.tasks.segmentation.export.graph import CLASSES, is_dynamic, make_graph
from workers.training.tasks.segmentation.export.parity import (
    MAX_DIFFERENCE,
    Tolerance,
    compare_logits,
    failure,
    feed_of,
    miou_of,
    onnx_predictor,
    scored_places,
    torch_predictor,
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
) -> dict[str, Any]:
    """Write the files that the spec asks for and export/card.json; returns the facts of model.onnx.

    `network` holds the weights of `epoch`, in eval mode on the CPU; `evaluation` is report.json's content.
    Each file is compared with the network first, and one over its tolerance is not written: an fp32 or fp16
    file raises ExportMismatch; an int8 file, whose loss no one can foresee, is left out with a notice and
    stands under `refused` in the card. Raises StorageUnavailable where the storage fails.
    """
    shutil.rmtree(folder.export, ignore_errors=True)  # an earlier export may have had other files
    graph = make_graph(network, card)
    expected = miou_of(torch_predictor(network, card), data.val, card)
    files, refused = [], []
    for name, path, make in _variants(graph, card, data, folder):
        try:
            files.append(_checked(name, make(), path, network, card, data, expected))
        except ExportMismatch as error:
            if name != "int8":
                raise
            refused.append({"file": path.name, "precision": name, "reason": error.message})
            report(Notice(message=f"{path.name} was not written: {error.message}"))
    content = card_content(
        card,
        epoch=epoch,
        content_hash=data.content_hash,
        evaluation=evaluation,
        files=files,
        refused=refused,
    )
    write_json(folder.export_card, content)
    return {**files[0], "file": f"{folder.export.name}/{files[0]['file']}", "refused": refused}


def _variants(
    graph: onnx.ModelProto, card: ModelCard, data: ExportData, folder: RunFolder
) -> Iterator[tuple[str, Path, Callable[[], onnx.ModelProto]]]:
    """Name, file and maker of each file asked for, fp32 first."""
    yield "fp32", folder.onnx, lambda: graph
    if card.spec.export.half:
        yield "fp16", folder.onnx.with_suffix(".fp16.onnx"), lambda: to_half(graph)
    if card.spec.export.int8:
        images = _calibration(data.calibration, card)
        yield "int8", folder.onnx.with_suffix(".int8.onnx"), lambda: to_int8(graph, images)


def _calibration(train: Squares, card: ModelCard) -> Iterator[Feed]:
    for place in calibration_places(len(train)):
        images, _ = load(train, [place])
        yield feed_of(images, card)


def _checked(
    name: str,
    model: onnx.ModelProto,
    path: Path,
    network: nn.Module,
    card: ModelCard,
    data: ExportData,
    expected: float | None,
) -> dict[str, Any]:
    """Compare a variant with the network and write it; raises ExportMismatch, and then there is no file."""
    bound = TOLERANCES[name]
    parity = compare_logits(network, model, card)
    lean = with_output(model, CLASSES)
    miou = miou_of(onnx_predictor(lean, card), data.val, card)
    if broken := failure(parity, miou, expected, bound):
        raise ExportMismatch(f"The exported {name} network differs from the trained one: {broken}.")
    write_model(lean, path)
    return {
        "file": path.name,
        "precision": name,
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
        "opset": opset_of(model),
        "preprocessing": "inside" if card.spec.export.with_preprocessing else "outside",
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
