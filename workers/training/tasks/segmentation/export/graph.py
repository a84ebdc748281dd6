"""A trained network as an ONNX graph, with all that a client needs to feed it and to read its answer."""

from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from trainyard.tasks.registry import needs_of
from workers.prepared.version import IGNORE_INDEX
from workers.training.checkpoints.files import ModelCard
from workers.training.export.images import Shape
from workers.training.export.logits import LOGITS
from workers.training.export.tracing import add_facts, check_weights, traced
from workers.training.tasks.exported_facts import exported_facts
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.mask_labels import THRESHOLD

CLASSES = "classes"

_FREE_TRACE: Shape = (2, 128, 192)
"""What a graph of free size is traced with. The exporter takes an axis of one, in any feature map, for a
constant, and equal axes for one axis; here no axis is either."""


class WithPreprocessing(nn.Module):
    """From pixels to classes: images (N, H, W, 3) uint8 RGB give (N, H, W) uint8, with the logits.

    Of a multilabel network bit c is set where a pixel has class c; of more than eight classes they are
    (N, H, W, P), with bit c % 8 of byte c // 8.
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
    uint8 RGB and there is `classes`, (N, H, W) or (N, H, W, P) uint8, before the logits, which are there to
    be compared. N is free; H and W are, where the architecture allows it.
    Raises ExportMismatch when no graph can be made.
    """
    check_weights(network)
    model = _traced(network, card)
    _name_axes(model, card)
    of_masks = {"trainyard.threshold": str(THRESHOLD), "trainyard.ignore_index": str(IGNORE_INDEX)}
    add_facts(model, {**exported_facts(card), **of_masks})
    return model


def is_dynamic(card: ModelCard) -> bool:
    """Whether the graph takes sizes other than the trained one."""
    return needs_of(card.spec.model.architecture).dynamic_size


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
    return traced(
        WithPreprocessing(network, card).eval() if baked else network,
        example,
        [CLASSES, LOGITS] if baked else [LOGITS],
        free,
    )


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
