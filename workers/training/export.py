"""ONNX of a trained network, believed only after onnxruntime has computed the same as torch."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors
from torch import Tensor, nn
from torch.export import Dim

from trainyard.catalog import architecture, rounded_size
from trainyard.errors import ExportMismatch
from workers.prepared import IGNORE_INDEX
from workers.training.checkpoints import ModelCard

MAX_DIFFERENCE = 1e-3
"""Largest absolute difference of a logit between torch and onnxruntime that passes."""

_MAX_TRIED_SIZE = 512
"""Sizes above this, in pixels, are exported but not computed where the graph takes any size."""

Shape = tuple[int, int, int]

_FREE_TRACE: Shape = (2, 128, 192)
"""What a graph of free size is traced with. The exporter takes an axis of one, in any feature map, for a
constant, and equal axes for one axis; here no axis is either."""


def export_onnx(network: nn.Module, card: ModelCard, path: Path) -> dict[str, Any]:
    """Write the network, fp32 on the CPU, as one ONNX file and compare it with torch.

    Input `image` is (N, 3, H, W) float32 RGB under the input rule of the metadata, output `logits`
    (N, classes, H, W). Raises ExportMismatch when the graph cannot be made, cannot run, or differs by
    more than MAX_DIFFERENCE; no file is left then.
    """
    network = network.cpu().float().eval()
    dynamic = architecture(card.spec.model.architecture).dynamic_size
    shapes = tried_shapes(card, dynamic=dynamic)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        traced = _FREE_TRACE if dynamic else shapes[0]
        opset = _write(network, card, temporary, traced, dynamic=dynamic)
        difference = _largest_difference(network, temporary, shapes)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return {
        "file": f"{path.parent.name}/{path.name}",
        "opset": opset,
        "dynamic_axes": ["batch", "height", "width"] if dynamic else ["batch"],
        "tested_shapes": [list(shape) for shape in shapes],
        "max_difference": difference,
        "bytes": path.stat().st_size,
    }


def tried_shapes(card: ModelCard, *, dynamic: bool) -> list[Shape]:
    """(batch, height, width) of each comparison: the trained size, and another where any is allowed."""
    trained = card.spec.data.image_size
    if not dynamic:
        return [(2, trained, trained), (1, trained, trained)]
    name = card.spec.model.architecture
    size = min(trained, rounded_size(name, _MAX_TRIED_SIZE))
    return [(2, size, size), (1, rounded_size(name, size + 1), rounded_size(name, size + 33))]


def _write(network: nn.Module, card: ModelCard, path: Path, traced: Shape, *, dynamic: bool) -> int:
    """Export at the traced shape and add the metadata; returns the opset."""
    batch, height, width = traced
    free = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC} if dynamic else {0: Dim.DYNAMIC}
    try:
        program = torch.onnx.export(
            network,
            (torch.zeros(batch, 3, height, width),),
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes=(free,),
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ExportMismatch(f"The network cannot be written as ONNX: {error}") from error
    assert program is not None  # noqa: S101 - the dynamo exporter always returns one
    model = program.model_proto
    _name_axes(model, dynamic=dynamic)
    for key, value in _metadata(card).items():
        model.metadata_props.add(key=key, value=value)
    onnx.save_model(model, os.fspath(path))
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def _name_axes(model: onnx.ModelProto, *, dynamic: bool) -> None:
    """Give the free axes their plain names; the exporter calls them s0, s53, s77."""
    names = {0: "batch", 2: "height", 3: "width"} if dynamic else {0: "batch"}
    for value in (model.graph.input[0], model.graph.output[0]):
        for axis, name in names.items():
            value.type.tensor_type.shape.dim[axis].dim_param = name


def _metadata(card: ModelCard) -> dict[str, str]:
    """What a client needs to feed the file and to read its answer; lists are JSON."""
    data, chosen = card.spec.data, architecture(card.spec.model.architecture)
    return {
        "trainyard.run_id": card.run_id,
        "trainyard.architecture": card.spec.model.architecture,
        "trainyard.encoder": card.spec.model.encoder,
        "trainyard.classes": json.dumps([info.name for info in card.classes]),
        "trainyard.colors": json.dumps([list(info.color) for info in card.classes]),
        "trainyard.values": json.dumps([info.value for info in card.classes]),
        "trainyard.mean": json.dumps(card.rule.mean),
        "trainyard.std": json.dumps(card.rule.std),
        "trainyard.channels": "RGB",
        "trainyard.input_rule": "(pixel / 255 - mean) / std",
        "trainyard.fit": data.fit,
        "trainyard.image_size": str(data.image_size),
        "trainyard.size_multiple": str(chosen.size_multiple if chosen.dynamic_size else data.image_size),
        "trainyard.ignore_index": str(IGNORE_INDEX),
    }


def _largest_difference(network: nn.Module, path: Path, shapes: list[Shape]) -> float:
    """The largest absolute difference of any logit at any of the shapes; raises ExportMismatch."""
    try:
        session = onnxruntime.InferenceSession(os.fspath(path), providers=["CPUExecutionProvider"])
        differences = {shape: _difference(network, session, shape) for shape in shapes}
    except (
        runtime_errors.Fail,
        runtime_errors.InvalidArgument,
        runtime_errors.InvalidGraph,
        runtime_errors.NotImplemented,
        runtime_errors.RuntimeException,
    ) as error:
        raise ExportMismatch(f"onnxruntime cannot run the exported network: {error}") from error
    worst = max(differences, key=lambda shape: differences[shape])
    # Written so that a NaN does not pass.
    if not differences[worst] <= MAX_DIFFERENCE:
        raise ExportMismatch(
            f"The exported network differs from the trained one by {differences[worst]:.2g} at "
            f"batch x height x width {worst}; {MAX_DIFFERENCE:g} is allowed."
        )
    return differences[worst]


def _difference(network: nn.Module, session: onnxruntime.InferenceSession, shape: Shape) -> float:
    batch, height, width = shape
    numbers = torch.Generator().manual_seed(0)
    images: Tensor = torch.randn(batch, 3, height, width, generator=numbers)
    with torch.inference_mode():
        expected = network(images).numpy()
    (answered,) = session.run(["logits"], {"image": images.numpy()})
    return float(np.abs(expected - answered).max())
