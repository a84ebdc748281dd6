"""The exported files of an experiment: those that its card describes, which onnxruntime can load."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from trainyard.decoding import decoder
from trainyard.errors import TrainyardError, Unreadable
from trainyard.runs.record import Run
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json
from trainyard.tasks.registry import TASKS
from workers.imports.archive import ExperimentFiles, unusable
from workers.imports.claims import is_number, json_object, text_of
from workers.predict.loaded_models import answering

CARD = "export/card.json"
MAX_CARD = 8 << 20
_OF_CLASSES = ("iou", "f1_per_class", "ap50_per_class")
"""Of the metrics of a split those that are by class."""


@dataclass(frozen=True, kw_only=True)
class _File:
    """An exported file, as the card tells of it, and how far it was from the trained network."""

    file: str
    precision: str
    bytes: int
    sha256: str
    opset: int
    preprocessing: str
    max_difference: float
    relative_difference: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Class:
    index: int
    name: str
    color: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class _Input:
    image_size: int


@dataclass(frozen=True, kw_only=True)
class _Dataset:
    content_hash: str


@dataclass(frozen=True, kw_only=True)
class _Card:
    """What others read of a card."""

    epoch: int
    task: str
    classes: tuple[_Class, ...]
    input: _Input
    dataset: _Dataset
    files: tuple[_File, ...]
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)


_card_of = decoder(_Card)


def take_export(files: ExperimentFiles, run: Run, folder: RunFolder) -> dict[str, Any] | None:
    """Place the card and its files in the attempt's folder; what is told of model.onnx, None without one.

    Raises InvalidRequest for a card that is none, and for a file that is not the one which it describes, or
    that is no network.
    """
    if CARD not in files:
        return None
    content = json_object(CARD, files.text(CARD, MAX_CARD))
    card = _checked(content, run)
    own = folder.attempt(run.fence)
    for one in card.files:
        name = f"export/{one.file}"
        if name not in files:
            raise unusable(name, "It is not in the archive.")
        copied = files.copy(name, own.export / one.file)
        if (copied.sha256, copied.bytes) != (one.sha256, one.bytes):
            raise unusable(name, f"It is not the file that {CARD} describes.")
        _check_network(copied.path, name)
    write_json(own.export_card, content)
    first = card.files[0]
    scores = _scores(content["files"][0])
    return {**asdict(first), "file": f"export/{first.file}", **scores, "refused": []}


def _checked(content: Mapping[str, Any], run: Run) -> _Card:
    try:
        card = _card_of(content)
    except Unreadable as error:
        raise unusable(CARD, error.message) from error
    if not card.files or card.files[0].file != "model.onnx" or len(set(card.files)) < len(card.files):
        raise unusable(CARD, "Its first file is not model.onnx.")
    if card.dataset.content_hash != run.dataset_hash or not 0 < card.epoch <= run.epoch:
        raise unusable(CARD, "It is of another experiment.")
    are_shown = all(text_of(one.name, 1000) == one.name for one in card.classes)
    if not are_shown or not all(map(_are_scores, card.metrics.values())):
        raise unusable(CARD, "Its classes or its metrics are of no known form.")
    return card


def _are_scores(metrics: Mapping[str, Any]) -> bool:
    """Whether the metrics of a split are numbers, or numbers by class, or more of such."""
    by_class = all(isinstance(metrics[name], dict) for name in _OF_CLASSES if name in metrics)
    return by_class and _is_plain(metrics, 4)


def _is_plain(value: Any, depth: int) -> bool:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(_is_plain(one, depth - 1) for one in inner)
    return value is None or is_number(value)


def _scores(told: Mapping[str, Any]) -> dict[str, float]:
    """The scores by which a task tells that file and network are alike."""
    parities = [task.parity[0] for task in TASKS.values() if task.parity]
    names = [name for parity in parities for name in (parity, f"torch_{parity}")]
    return {name: told[name] for name in names if is_number(told.get(name))}


def _check_network(path: Path, name: str) -> None:
    """Raise InvalidRequest for what is no network of Trainyard, or has parts in other files."""
    try:
        model = onnx.load(path, load_external_data=False)
        if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(model.graph)):
            raise unusable(name, "Parts of it lie in other files.")
        answering(path, 1)
    except (DecodeError, ValueError, KeyError, TypeError) as error:
        raise unusable(name, "It is no network that Trainyard has exported.") from error
    except TrainyardError as error:
        raise unusable(name, error.message) from error


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """All constants of a graph and of those within it."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                if inner.node or inner.initializer:
                    yield from _tensors(inner)
