"""A trained detector as an ONNX graph, with all that a client needs to feed it and to read its answer."""

import io
import warnings
from collections.abc import Mapping

import onnx
import torch
from torch import Tensor, nn

from trainyard.errors import ExportMismatch
from trainyard.tasks.detection import INSTANCES
from workers.training.checkpoints.files import ModelCard
from workers.training.export.tracing import add_facts, check_weights
from workers.training.network.shapes import REFUSALS
from workers.training.tasks.detection.network.detector import Detector
from workers.training.tasks.exported_facts import exported_facts

OUTPUTS = ("boxes", "labels", "scores")
MASKS = "masks"
OPSET = 17


class OneImage(nn.Module):
    """Boxes (M, 4), labels (M,), scores (M,) and masks (M, 28, 28) of one image: (1, 3, S, S) float32, or
    with the preprocessing (1, S, S, 3) uint8 RGB."""

    _mean: Tensor
    _std: Tensor

    def __init__(self, network: nn.Module, card: ModelCard) -> None:
        super().__init__()
        self.network = network
        self._masks = card.spec.model.task == INSTANCES
        self._baked = card.spec.export.with_preprocessing
        self.register_buffer("_mean", torch.tensor(card.rule.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("_std", torch.tensor(card.rule.std).view(1, 3, 1, 1) * 255)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        if self._baked:
            image = (image.permute(0, 3, 1, 2).float() - self._mean) / self._std
        (found,) = self.network(image).detections
        told = (found["boxes"], found["labels"], found["scores"])
        return (*told, found["masks"][:, 0]) if self._masks else told


def make_graph(network: nn.Module, card: ModelCard, threshold: float) -> onnx.ModelProto:
    """The graph of a detector in eval mode on the CPU, weights and metadata inside; one image at a time, of
    the trained size. Raises ExportMismatch when no graph can be made.

    By torch's older exporter, which follows one image through: what the newer one makes of as many boxes as
    there happen to be, torchvision has operators for in the older one alone.
    """
    assert isinstance(network, Detector)  # noqa: S101 - narrows the type
    check_weights(network)
    size, masks = card.spec.data.image_size, card.spec.model.task == INSTANCES
    pixels = torch.randint(0, 256, (1, size, size, 3), generator=torch.Generator().manual_seed(0))
    example = pixels.to(torch.uint8)
    if not card.spec.export.with_preprocessing:
        example = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
    names = [*OUTPUTS, *([MASKS] if masks else [])]
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of what depends on the one image, which the comparison judges
            torch.onnx.export(
                OneImage(network, card).eval(),
                (example,),
                buffer,  # type: ignore[arg-type]
                input_names=["image"],
                output_names=names,
                dynamic_axes={name: {0: "objects"} for name in names},
                opset_version=OPSET,
                dynamo=False,
            )
    except (torch.onnx.OnnxExporterError, *REFUSALS) as error:
        raise ExportMismatch(f"The network cannot be written as ONNX: {error}") from error
    model = tidied(onnx.load_from_string(buffer.getvalue()))
    add_facts(model, {**exported_facts(card), "trainyard.threshold": repr(threshold)})
    return model


def tidied(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph without what the exporter makes of equal weights, and computable where nothing is found.

    Equal weights are one, copied by Identity nodes, which smaller forms of a graph do not see through. Boxes
    are flattened by a Reshape to (their number, -1), which of no boxes at all onnxruntime only computes where
    it may change the graph first.
    """
    graph = model.graph
    weights = {one.name for one in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    copies = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Identity" and node.input[0] in weights
    }
    kept = [_flattening(node, makers) for node in graph.node if node.output[0] not in copies]
    for node in kept:
        node.input[:] = [copies.get(name, name) for name in node.input]
    del graph.node[:]
    graph.node.extend(kept)
    return model


def _flattening(node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]) -> onnx.NodeProto:
    """A Flatten in place of a Reshape of joined sides to two axes; any other node as it is."""
    if node.op_type != "Reshape":
        return node
    given, shape = (makers.get(name) for name in node.input)
    if given is None or shape is None or (given.op_type, shape.op_type) != ("Concat", "Concat"):
        return node
    if [makers[name].op_type for name in shape.input if name in makers] != ["Unsqueeze"] * 2:
        return node
    return onnx.helper.make_node("Flatten", node.input[:1], node.output, name=node.name, axis=1)
