"""Which parts of a detector's graph may be computed in fewer bits: layers, and no arithmetic of boxes."""

from collections.abc import Iterator

import onnx

from workers.training.checkpoints.files import ModelCard
from workers.training.export.exported_run import Narrowing
from workers.training.export.logits import feed_of
from workers.training.export.variants import Feed, calibration_places
from workers.training.tasks.detection.data.squares import Squares, load_images

_BODY = ("/network/encoder/", "/network/pyramid/")
_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "Relu")


def narrowing_of(graph: onnx.ModelProto, train: Squares, card: ModelCard) -> Narrowing:
    """Of float16 all layers, of int8 those of encoder and pyramid, and of the heads those that further layers
    follow: float16 tells places of 1024 px and more a pixel apart, and eight bits tell no scores."""
    body = [node for node in graph.graph.node if node.name.startswith(_BODY)]
    heads = [node for node in graph.graph.node if not node.name.startswith(_BODY)]
    rectified = {name for node in heads if node.op_type == "Relu" for name in node.input}
    return Narrowing(
        images=_feeds(train, card),
        half=tuple(node.name for node in (*body, *(one for one in heads if one.op_type in _LAYERS))),
        not_int8=tuple(node.name for node in heads if not rectified.intersection(node.output)),
    )


def _feeds(train: Squares, card: ModelCard) -> Iterator[Feed]:
    for place in calibration_places(len(train)):
        yield feed_of(load_images(train, [place]), card.rule, card.spec.export)
