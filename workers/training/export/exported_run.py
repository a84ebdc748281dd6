"""The files of a run's export, whatever its task: which are written, what is told of each, and the card."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from trainyard.errors import ExportMismatch
from trainyard.runs.events import Event, Notice
from trainyard.spec.training_spec import ExportSpec
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json
from workers.training.export.files import sha256_of
from workers.training.export.tracing import opset_of
from workers.training.export.variants import Feed, to_half, to_int8

Facts = dict[str, Any]
Check = Callable[[str, onnx.ModelProto, Path], Facts]
"""Compares a variant, by its name, with the trained network and writes it; returns its facts. Raises
ExportMismatch, and then there is no file."""


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """How smaller forms are made: int8 is calibrated on `images`, feeds of the training split. In float16 are
    the nodes named in `half`, all for None; those in `not_int8` stay in float32."""

    images: Iterable[Feed]
    half: tuple[str, ...] | None = None
    not_int8: tuple[str, ...] = ()


def export_variants(
    graph: onnx.ModelProto,
    narrowing: Narrowing,
    spec: ExportSpec,
    folder: RunFolder,
    check: Check,
    card: Callable[[list[Facts], list[Facts]], Facts],
    report: Callable[[Event], None],
) -> Facts:
    """Write the files that the spec asks for and export/card.json; returns the facts of model.onnx.

    `card` makes the card's content of the facts of files
    and of what was refused. Each file is compared with the network first, and one over its tolerance is not
    written: an fp32 or fp16 file raises ExportMismatch; an int8 file, whose loss no one can foresee, is left
    out with a notice and stands under `refused` in the card. Raises StorageUnavailable where the storage
    fails.
    """
    shutil.rmtree(folder.export, ignore_errors=True)  # an earlier export may have had other files
    files: list[Facts] = []
    refused: list[Facts] = []
    for name, path, make in _variants(graph, narrowing, spec, folder):
        try:
            files.append(check(name, make(), path))
        except ExportMismatch as error:
            if name != "int8":
                raise
            refused.append({"file": path.name, "precision": name, "reason": error.message})
            report(Notice(message=f"{path.name} was not written: {error.message}"))
    write_json(folder.export_card, card(files, refused))
    return {**files[0], "file": f"{folder.export.name}/{files[0]['file']}", "refused": refused}


def _variants(
    graph: onnx.ModelProto, narrowing: Narrowing, spec: ExportSpec, folder: RunFolder
) -> Iterator[tuple[str, Path, Callable[[], onnx.ModelProto]]]:
    """Name, file and maker of each file asked for, fp32 first."""
    yield "fp32", folder.onnx, lambda: graph
    if spec.half:
        yield "fp16", folder.onnx.with_suffix(".fp16.onnx"), lambda: to_half(graph, narrowing.half)
    if spec.int8:
        path = folder.onnx.with_suffix(".int8.onnx")
        yield "int8", path, lambda: to_int8(graph, iter(narrowing.images), narrowing.not_int8)


def file_facts(name: str, path: Path, model: onnx.ModelProto, spec: ExportSpec) -> Facts:
    """What is told of a file of any task."""
    return {
        "file": path.name,
        "precision": name,
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
        "opset": opset_of(model),
        "preprocessing": "inside" if spec.with_preprocessing else "outside",
    }
