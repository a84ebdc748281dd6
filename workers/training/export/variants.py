"""Smaller forms of an ONNX graph: float16, and eight-bit integers."""

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

from trainyard.errors import ExportMismatch
from workers.training.export.half_part import to_half_within
from workers.training.export.sessions import RUNTIME_FAILURES

Feed = dict[str, NDArray[Any]]

CALIBRATION_IMAGES = 64
"""Training images whose activations set the ranges of int8."""

FLOAT_FIRST = 4
"""Convolutions nearest to the pixels that stay in float, as the last one does, which draws the borders.

On a set of nuclei (Unet, EfficientNet-Lite0, 128 px) mIoU is 0.858 so, as in fp32, and 0.806 with the first
ones in int8.
"""

_QUANTISED = ["Conv", "ConvTranspose", "Gemm", "MatMul"]


def to_half(model: onnx.ModelProto, part: Collection[str] | None = None) -> onnx.ModelProto:
    """The graph with weights and arithmetic in float16, all or those of the nodes named in `part`; inputs and
    outputs keep their types.

    Weights beyond float16's range, 65504, are cut to it; the comparison with the checkpoint tells.
    """
    if part is not None:
        return to_half_within(model, part)
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    half: onnx.ModelProto = convert_float_to_float16(copied, keep_io_types=True)
    return half


class _Images(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Iterator[Feed]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def to_int8(model: onnx.ModelProto, images: Iterator[Feed], wide: Collection[str] = ()) -> onnx.ModelProto:
    """The graph quantised statically to int8 activations and int8 weights with a scale per channel.

    `images` are one-image feeds of the training split; each activation's range is the least and greatest
    value met. The first convolutions and the last stay in float: see FLOAT_FIRST; so do nodes in `wide`.
    Raises ExportMismatch where the graph cannot be quantised.
    """
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    with tempfile.TemporaryDirectory() as folder:
        # A graph handed over in memory would come back without its weights.
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save_model(model, str(source))
        try:
            quantize_static(
                source,
                target,
                _Images(images),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=_QUANTISED,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=[*convolutions[:FLOAT_FIRST], *convolutions[-1:], *wide],
                extra_options={"CalibTensorRangeSymmetric": False},
            )
            return onnx.load(str(target))
        except (*RUNTIME_FAILURES, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise ExportMismatch(f"The network cannot be quantised: {error}") from error


def calibration_places(images: int) -> list[int]:
    """The places, evenly spread, of up to CALIBRATION_IMAGES of that many images."""
    count = min(images, CALIBRATION_IMAGES)
    return [int(place) for place in np.linspace(0, images - 1, count)]
