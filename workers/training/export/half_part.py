"""A part of an ONNX graph in float16, the rest as it is."""

from collections.abc import Collection, Iterator

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

_UNTOUCHED = frozenset({"Cast", "Constant", "ConstantOfShape", "Range"})
"""Operators that say themselves of what type they make numbers."""
_SUFFIX = ".half"


def to_half_within(model: onnx.ModelProto, part: Collection[str]) -> onnx.ModelProto:
    """The graph with the weights and the arithmetic of the nodes named in `part` in float16: numbers are
    converted where they come in and go out. Those of all others, inputs and outputs stay in float32.

    onnxruntime's own converter has no such form: between any two nodes that it leaves in float32 it rounds
    to float16.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    _Halving(made, part).apply()
    return made


class _Halving:
    def __init__(self, model: onnx.ModelProto, part: Collection[str]) -> None:
        self._graph = model.graph
        self._floats = set(_floats_of(model))
        self._weights = {one.name: one for one in self._graph.initializer}
        self._narrow = [
            node
            for node in self._graph.node
            if node.name in part and node.op_type not in _UNTOUCHED and self._floats.intersection(node.output)
        ]
        self._own = {name for node in self._narrow for name in node.output if name in self._floats}
        self._made: list[NodeProto] = []
        self._converted: set[str] = set()

    def apply(self) -> None:
        """Convert the part where it stands."""
        narrow = {id(node) for node in self._narrow}
        for node in self._graph.node:
            if id(node) not in narrow:
                self._made.append(node)
                continue
            # Of a Resize what follows the map are its scales, which are float32 in any case.
            last = 1 if node.op_type == "Resize" else len(node.input)
            node.input[:] = [self._halved(name) for name in node.input[:last]] + list(node.input[last:])
            wide = [name for name in node.output if name in self._own]
            node.output[:] = [name + _SUFFIX if name in self._own else name for name in node.output]
            self._made.append(node)
            self._made += [_cast(name + _SUFFIX, name, TensorProto.FLOAT) for name in wide]
        nodes = [NodeProto.FromString(node.SerializeToString()) for node in self._made]
        del self._graph.node[:]
        self._graph.node.extend(_wanted(nodes, {one.name for one in self._graph.output}))
        used = set(_inputs_of(self._graph))
        weights = [one for one in self._graph.initializer if one.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(weights)

    def _halved(self, name: str) -> str:
        """The name under which a tensor is had in float16, made so where it is not yet."""
        if name not in self._floats and name not in self._weights:
            return name
        half = name + _SUFFIX
        if name in self._own or half in self._converted:
            return half
        if name in self._weights:
            weight = numpy_helper.to_array(self._weights[name])
            if weight.dtype != np.float32:
                return name
            largest = np.finfo(np.float16).max
            narrow = np.clip(weight, -largest, largest).astype(np.float16)
            self._graph.initializer.append(numpy_helper.from_array(narrow, half))
        else:
            self._made.append(_cast(name, half, TensorProto.FLOAT16))
        self._converted.add(half)
        return half


def _floats_of(model: onnx.ModelProto) -> Iterator[str]:
    """Names of the tensors of float32, as far as they can be told without computing."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    for one in (*graph.value_info, *graph.input, *graph.output):
        if one.type.tensor_type.elem_type == TensorProto.FLOAT:
            yield one.name


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"{target}.cast", to=kind)


def _wanted(nodes: list[NodeProto], outputs: set[str]) -> list[NodeProto]:
    """Without conversions of which nobody asks the result."""
    used = {name for node in nodes for name in _names_in(node)} | outputs
    return [node for node in nodes if node.op_type != "Cast" or node.output[0] in used]


def _inputs_of(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield from _names_in(node)


def _names_in(node: NodeProto) -> Iterator[str]:
    """What a node reads, and what the graphs within it do."""
    yield from node.input
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield from _inputs_of(attribute.g)
            yield from (one.name for one in attribute.g.output)
