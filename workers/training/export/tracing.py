"""A network as an ONNX graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from trainyard.errors import ExportMismatch

_LARGEST_FILE = 2**31 - 2**20
"""Bytes of weights that fit one ONNX file, which is a protobuf message and so below 2 GiB."""


def check_weights(network: nn.Module) -> None:
    """Raise ExportMismatch for a network whose weights no file takes."""
    weights = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if weights > _LARGEST_FILE:
        raise ExportMismatch(
            f"One ONNX file holds less than 2 GiB; the weights are {weights / 2**30:.1f} GiB.",
            remedy="Use the checkpoints; a smaller encoder fits, and with export.onnx false a run completes.",
        )


def traced(
    network: nn.Module, example: Tensor, outputs: Sequence[str], free: Mapping[int, Any]
) -> onnx.ModelProto:
    """The graph of a network in eval mode on the CPU, with the input `image` and outputs of those names.

    `free` are the axes of the input that are of any size. Raises ExportMismatch when no graph can be made.
    """
    try:
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["image"],
            output_names=list(outputs),
            dynamic_shapes=(dict(free),),
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ExportMismatch(f"The network cannot be written as ONNX: {error}") from error
    assert program is not None  # noqa: S101 - the dynamo exporter always returns one
    return program.model_proto


def add_facts(model: onnx.ModelProto, facts: Mapping[str, str]) -> None:
    """Put them into the graph's metadata."""
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)


def with_output(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """The same graph with that as its only output, where it has that output."""
    lean = onnx.ModelProto()
    lean.CopyFrom(model)
    if any(output.name == name for output in lean.graph.output):
        kept = [output for output in lean.graph.output if output.name == name]
        del lean.graph.output[:]
        lean.graph.output.extend(kept)
    return lean


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators that the graph asks for."""
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
