"""A trained network as an ONNX graph, with all that a client needs to feed it and to read its answer."""

import json
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from trainyard.errors import ExportMismatch
from trainyard.tasks.registry import needs_of
from workers.prepared.version import IGNORE_INDEX
from workers.training.checkpoints.files import ModelCard
from workers.training.export.sessions import LEARNING_TASK
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.mask_labels import THRESHOLD

Shape = tuple[int, int, int]
"""Batch, height, width."""

LOGITS, CLASSES = "logits", "classes"

_FREE_TRACE: Shape = (2, 128, 192)
"""What a graph of free size is traced with. The exporter takes an axis of one, in any feature map, for a
constant, and equal axes for one axis; here no axis is either."""

_LARGEST_FILE = 2**31 - 2**20
"""Bytes of weights that fit one ONNX file, which is a protobuf message and so below 2 GiB."""


class WithPreprocessing(nn.Module):
    """From pixels to classes: images (N, H, W, 3) uint8 RGB give (N, H, W) uint8, with the logits.

    Of a multilabel network bit c is set where a pixel has class c.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(self, network: nn.Module, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        self._reading = reading_of(card.spec.model.task, len(card.classes))
        self.register_buffer("_mean", torch.tensor(card.rule.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("_std", torch.tensor(card.rule.std).view(1, 3, 1, 1) * 255)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits: Tensor = self.network((image.permute(0, 3, 1, 2).float() - self._mean) / self._std)
        return self._reading.decide(logits), logits


def make_graph(network: nn.Module, card: ModelCard) -> onnx.ModelProto:
    """The graph of a network in eval mode on the CPU, weights and metadata inside.

    Input `image` is (N, 3, H, W) float32 under the input rule, output `logits` (N, C, H, W); a binary
    network has one logit, for the second class. With the preprocessing baked in, `image` is (N, H, W, 3)
    uint8 RGB and there is `classes`, (N, H, W) uint8, before the logits, which are there to be compared:
    `without_logits` takes them away. N is free; H and W are, where the architecture allows it.
    Raises ExportMismatch when no graph can be made.
    """
    weights = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if weights > _LARGEST_FILE:
        raise ExportMismatch(
            f"One ONNX file holds less than 2 GiB; the weights are {weights / 2**30:.1f} GiB.",
            remedy="Use the checkpoints; a smaller encoder fits, and with export.onnx false a run completes.",
        )
    model = _traced(network, card)
    _name_axes(model, card)
    for key, value in _metadata(card).items():
        model.metadata_props.add(key=key, value=value)
    return model


def is_dynamic(card: ModelCard) -> bool:
    """Whether the graph takes sizes other than the trained one."""
    return needs_of(card.spec.model.architecture).dynamic_size


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators that the graph asks for."""
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def without_logits(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with `classes` as its only output, where it has that output."""
    lean = onnx.ModelProto()
    lean.CopyFrom(model)
    if any(output.name == CLASSES for output in lean.graph.output):
        kept = [output for output in lean.graph.output if output.name == CLASSES]
        del lean.graph.output[:]
        lean.graph.output.extend(kept)
    return lean


def _traced(network: nn.Module, card: ModelCard) -> onnx.ModelProto:
    baked, dynamic = card.spec.export.with_preprocessing, is_dynamic(card)
    trained = card.spec.data.image_size
    batch, height, width = _FREE_TRACE if dynamic else (2, trained, trained)
    sides = (1, 2) if baked else (2, 3)
    free: dict[int, Any] = dict.fromkeys((0, *sides) if dynamic else (0,), Dim.DYNAMIC)
    example = (
        torch.zeros(batch, height, width, 3, dtype=torch.uint8)
        if baked
        else torch.zeros(batch, 3, height, width)
    )
    try:
        program = torch.onnx.export(
            WithPreprocessing(network, card).eval() if baked else network,
            (example,),
            input_names=["image"],
            output_names=[CLASSES, LOGITS] if baked else [LOGITS],
            dynamic_shapes=(free,),
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ExportMismatch(f"The network cannot be written as ONNX: {error}") from error
    assert program is not None  # noqa: S101 - the dynamo exporter always returns one
    return program.model_proto


def _name_axes(model: onnx.ModelProto, card: ModelCard) -> None:
    """Give the free axes their plain names; the exporter calls them s0, s53, s77."""
    for value in (*model.graph.input, *model.graph.output):
        axes = value.type.tensor_type.shape.dim
        channels_last_or_none = value.name == CLASSES or (
            value.name == "image" and card.spec.export.with_preprocessing
        )
        sides = (1, 2) if channels_last_or_none else (2, 3)
        axes[0].dim_param = "batch"
        if is_dynamic(card):
            axes[sides[0]].dim_param, axes[sides[1]].dim_param = "height", "width"


def _metadata(card: ModelCard) -> dict[str, str]:
    """Facts as text; lists are JSON."""
    data, chosen = card.spec.data, needs_of(card.spec.model.architecture)
    baked = card.spec.export.with_preprocessing
    return {
        "trainyard.run_id": card.run_id,
        LEARNING_TASK: card.spec.task,
        "trainyard.architecture": card.spec.model.architecture,
        "trainyard.task": card.spec.model.task,
        "trainyard.threshold": str(THRESHOLD),
        "trainyard.encoder": card.spec.model.encoder,
        "trainyard.classes": json.dumps([info.name for info in card.classes]),
        "trainyard.colors": json.dumps([list(info.color) for info in card.classes]),
        "trainyard.values": json.dumps([info.value for info in card.classes]),
        "trainyard.mean": json.dumps(card.rule.mean),
        "trainyard.std": json.dumps(card.rule.std),
        "trainyard.depth": json.dumps(card.to_dict()["depth"]),
        "trainyard.channels": "RGB",
        "trainyard.layout": "NHWC" if baked else "NCHW",
        "trainyard.preprocessing": "inside" if baked else "outside",
        "trainyard.input_rule": "pixel, uint8" if baked else "(pixel / 255 - mean) / std",
        "trainyard.fit": data.fit,
        "trainyard.image_size": str(data.image_size),
        "trainyard.size_multiple": str(chosen.size_multiple if chosen.dynamic_size else data.image_size),
        "trainyard.dynamic_size": json.dumps(chosen.dynamic_size),
        "trainyard.ignore_index": str(IGNORE_INDEX),
    }
