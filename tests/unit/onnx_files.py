"""Small ONNX files that tell of themselves as exported ones do."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
from onnx import helper


def save_with_facts(
    graph: onnx.GraphProto, path: Path, facts: Mapping[str, Any], texts: Mapping[str, str]
) -> None:
    """Write a model of the graph; `facts` become JSON, `texts` stay as they are."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    for key, text in {**{name: json.dumps(value) for name, value in facts.items()}, **texts}.items():
        model.metadata_props.add(key=f"trainyard.{key}", value=text)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, str(path))
