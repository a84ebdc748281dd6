"""A trained classifier as an ONNX graph, with all that a client needs to feed it and to read its answer."""

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from trainyard.tasks.classification import MULTILABEL
from workers.training.checkpoints.files import ModelCard
from workers.training.export.logits import LOGITS
from workers.training.export.tracing import add_facts, check_weights, traced
from workers.training.tasks.classification.labels.answers import THRESHOLD
from workers.training.tasks.exported_facts import exported_facts

PROBABILITIES = "probabilities"


class WithPreprocessing(nn.Module):
    """From pixels to probabilities: images (N, H, W, 3) uint8 RGB give (N, C), with the logits."""

    _mean: Tensor
    _std: Tensor

    def __init__(self, network: nn.Module, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        self._several = card.spec.model.task == MULTILABEL
        self.register_buffer("_mean", torch.tensor(card.rule.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("_std", torch.tensor(card.rule.std).view(1, 3, 1, 1) * 255)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits: Tensor = self.network((image.permute(0, 3, 1, 2).float() - self._mean) / self._std)
        return logits.sigmoid() if self._several else logits.softmax(dim=1), logits


def make_graph(network: nn.Module, card: ModelCard) -> onnx.ModelProto:
    """The graph of a network in eval mode on the CPU, weights and metadata inside.

    Input `image` is (N, 3, S, S) float32 under the input rule, output `logits` (N, C). With the preprocessing
    baked in, `image` is (N, S, S, 3) uint8 RGB and there is `probabilities`, (N, C), before the logits, which
    are there to be compared. N is free, S the trained size. Raises ExportMismatch when no graph can be made.
    """
    check_weights(network)
    size, baked = card.spec.data.image_size, card.spec.export.with_preprocessing
    example = torch.zeros(2, size, size, 3, dtype=torch.uint8) if baked else torch.zeros(2, 3, size, size)
    model = traced(
        WithPreprocessing(network, card).eval() if baked else network,
        example,
        [PROBABILITIES, LOGITS] if baked else [LOGITS],
        {0: Dim.DYNAMIC},
    )
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    add_facts(model, {**exported_facts(card), "trainyard.threshold": str(THRESHOLD)})
    return model
