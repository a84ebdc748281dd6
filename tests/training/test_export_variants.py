"""ONNX in float16 and int8, with the preprocessing inside, and the card that goes with them."""

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.training.conftest import CLASSES, CONFIGS, Run, draw_set, tiny_spec
from trainyard.errors import ExportMismatch, InvalidRequest
from trainyard.runs.events import Notice
from trainyard.spec.experiments import Experiments, load_spec
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.prepared.version import PreparedDataset
from workers.training.checkpoints.files import ABOUT, ModelCard, read_checkpoint
from workers.training.export import exported_run
from workers.training.export.logits import LogitParity
from workers.training.network.normalization import Normalization
from workers.training.tasks.segmentation.data.squares import load, plain_squares
from workers.training.tasks.segmentation.export import onnx_files as export
from workers.training.tasks.segmentation.export.graph import make_graph
from workers.training.tasks.segmentation.export.parity import Tolerance, failure
from workers.training.tasks.segmentation.network.networks import empty_network

ALL = {"onnx": True, "half": True, "int8": True}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that has learnt something, with every variant."""
    folder = tmp_path_factory.mktemp("trained")
    run = Run(folder / "run", draw_set(folder / "drawn", train=24, val=8))
    run.fit(epochs=8, spec=tiny_spec(export=ALL, optimization={"learning_rate": 0.01}))
    return run


def _card(run: Run) -> dict[str, Any]:
    return read_json(RunFolder(run.folder).export_card)


def _session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_every_variant_is_one_file_and_keeps_its_tolerance(trained: Run) -> None:
    folder = RunFolder(trained.folder)
    files = {entry["precision"]: entry for entry in _card(trained)["files"]}
    assert list(files) == ["fp32", "fp16", "int8"]
    names = {"card.json", "model.onnx", "model.fp16.onnx", "model.int8.onnx"}
    assert {path.name for path in folder.export.iterdir()} == names
    for precision, entry in files.items():
        path = folder.export / entry["file"]
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert entry["bytes"] == path.stat().st_size
        assert abs(entry["val_miou"] - entry["torch_val_miou"]) <= entry["tolerance"]["miou"]
        assert entry["val_images"] == 8
        (logits,) = _session(path).run(["logits"], {"image": np.zeros((3, 3, 64, 40), np.float32)})
        assert (logits.shape, logits.dtype) == ((3, 3, 64, 40), np.float32), precision
    assert files["fp32"]["torch_val_miou"] > 0.4, "the comparison of mIoU means something"
    assert files["fp16"]["bytes"] < 0.6 * files["fp32"]["bytes"]
    assert 0 < files["fp16"]["relative_difference"] <= 0.02


def test_variants_compute_in_what_they_are_named_after(trained: Run) -> None:
    folder = RunFolder(trained.folder)
    half = onnx.load(str(folder.export / "model.fp16.onnx"))
    wide = [entry for entry in half.graph.initializer if entry.data_type == onnx.TensorProto.FLOAT]
    assert sum(np.prod(entry.dims) for entry in wide) < 100
    quantised = onnx.load(str(folder.export / "model.int8.onnx"))
    kinds = [node.op_type for node in quantised.graph.node]
    assert kinds.count("DequantizeLinear") > kinds.count("Conv") > 5


def test_card_says_what_a_client_needs(trained: Run) -> None:
    card = _card(trained)
    report = read_json(RunFolder(trained.folder).report_json)
    assert [info["name"] for info in card["classes"]] == [info.name for info in CLASSES]
    assert card["palette"]["1"] == [220, 40, 40]
    assert card["dataset"]["content_hash"] == "drawn"
    assert card["spec"]["model"]["architecture"] == "Unet"
    assert card["metrics"]["val"]["miou"] == report["splits"]["val"]["miou"]
    assert card["input"]["rule"] == "(pixel / 255 - mean) / std"
    assert card["input"]["mean"] == [0.33, 0.32, 0.34]
    assert any("No pretrained weights" in note for note in card["licence_notes"])
    assert card["refused"] == []


@pytest.mark.variants(1)
@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_preprocessing_inside_gives_the_checkpoints_classes(
    task: str, run_folder: Path, tmp_path: Path
) -> None:
    classes = CLASSES[: 2 if task == "binary" else 3]
    prepared = _only(classes, tmp_path / "set")
    spec = tiny_spec(
        model={**tiny_spec()["model"], "task": task},
        export={**ALL, "int8": False, "with_preprocessing": True},
    )
    if task == "binary":
        spec["optimization"] = {"losses": [{"name": "bce", "weight": 1, "params": {}}]}
    Run(run_folder, prepared).fit(epochs=1, spec=spec)

    folder = RunFolder(run_folder)
    images, _ = _samples(prepared, folder)
    expected = _answer(folder, images, len(classes))
    for name in ("model.onnx", "model.fp16.onnx"):
        session = _session(folder.export / name)
        (given,), (output,) = session.get_inputs(), session.get_outputs()
        assert (given.type, given.shape) == ("tensor(uint8)", ["batch", "height", "width", 3])
        assert (output.name, output.type, output.shape) == (
            "classes", "tensor(uint8)", ["batch", "height", "width"],
        )  # fmt: skip
        (answered,) = session.run(None, {"image": images})
        assert np.mean(answered != expected) <= (0 if name == "model.onnx" else 0.01)
    assert len(np.unique(expected)) > 1


def _only(classes: list[Any], folder: Path) -> Path:
    draw_set(folder, train=4, val=2)
    index = json.loads((folder / "index.json").read_text())
    index["classes"] = index["classes"][: len(classes)]
    (folder / "index.json").write_text(json.dumps(index))
    masks = np.memmap(folder / "masks.bin", np.uint8, "r+")
    if len(classes) == 2:
        masks[masks == 2] = 1
    masks.flush()
    return folder


def _samples(prepared: Path, folder: RunFolder) -> tuple[Any, Any]:
    dataset = PreparedDataset(prepared)
    spec = Experiments(CONFIGS).compose(tiny_spec())
    images, masks = load(plain_squares(dataset, dataset.samples, spec), range(4))
    return images.numpy(), masks.numpy()


def _answer(folder: RunFolder, images: Any, classes: int) -> Any:
    """The checkpoint's classes, computed without any of the export's code."""
    content = read_checkpoint(folder.best_checkpoint)
    about = content[ABOUT]
    network = empty_network(load_spec(about["spec"]).model, classes).eval()
    network.load_state_dict({k.removeprefix("network."): v for k, v in content["state_dict"].items()})
    mean, std = (np.array(about[name], np.float32) for name in ("mean", "std"))
    given = ((images / 255 - mean) / std).astype(np.float32).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        logits = network(torch.from_numpy(np.ascontiguousarray(given))).numpy()
    return (logits[:, 0] > 0) if logits.shape[1] == 1 else logits.argmax(axis=1)


@pytest.fixture(scope="module")
def made_once() -> Callable[..., Any]:
    """`make_graph` of a network that is always the same: making it takes most of the time."""
    made: list[onnx.ModelProto] = []

    def make(*given: Any) -> onnx.ModelProto:
        if not made:
            made.append(make_graph(*given))
        return copy.deepcopy(made[0])

    return make


@pytest.fixture
def exporting(
    prepared: Path, tmp_path: Path, made_once: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Exports an untrained network with what a test has tampered with."""
    monkeypatch.setattr(export, "make_graph", made_once)
    spec = Experiments(CONFIGS).compose(tiny_spec(export=ALL))
    dataset = PreparedDataset(prepared)
    squares = plain_squares(dataset, dataset.samples[:4], spec)
    torch.manual_seed(0)
    network = empty_network(spec.model, 3).eval()
    card = ModelCard(
        run_id="run-0123456789ab",
        spec=spec,
        classes=CLASSES,
        rule=Normalization(mean=(0.33, 0.32, 0.34), std=(0.1, 0.1, 0.1)),
    )
    data = export.ExportData(val=squares, calibration=squares, content_hash="drawn")

    def run(report: Callable[[Any], None]) -> Any:
        return export.export_run(
            network, card, data, RunFolder(tmp_path), epoch=1, evaluation={"splits": {}}, report=report
        )

    return run


@pytest.mark.thorough
def test_half_over_its_tolerance_fails_loudly(
    exporting: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = exported_run.to_half

    def broken(model: onnx.ModelProto, part: None) -> onnx.ModelProto:
        half = honest(model, part)
        weights = next(e for e in half.graph.initializer if e.data_type == onnx.TensorProto.FLOAT16)
        weights.raw_data = (np.frombuffer(weights.raw_data, np.float16) * 3).tobytes()
        return half

    monkeypatch.setattr(exported_run, "to_half", broken)
    with pytest.raises(ExportMismatch, match="fp16"):
        exporting(print)
    assert [path.name for path in RunFolder(tmp_path).export.iterdir()] == ["model.onnx"]


@pytest.mark.thorough
def test_int8_over_its_tolerance_is_left_out_and_said(
    exporting: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(export.TOLERANCES, "int8", Tolerance(difference=0.0, miou=1.0))
    notices: list[Notice] = []
    facts = exporting(notices.append)

    folder = RunFolder(tmp_path)
    assert {path.name for path in folder.export.iterdir()} == {"card.json", "model.onnx", "model.fp16.onnx"}
    (refused,) = read_json(folder.export_card)["refused"]
    assert refused["file"] == "model.int8.onnx"
    assert facts["refused"] == [refused]
    assert "model.int8.onnx" in notices[0].message


def test_large_logits_may_differ_by_their_rounding() -> None:
    bound = export.TOLERANCES["fp32"]
    large = LogitParity(shapes=[(1, 32, 32)], difference=0.003, relative=4e-6)
    assert failure(large, 0.5, 0.5, bound) is None
    assert failure(replace(large, relative=4e-4), 0.5, 0.5, bound)


def test_no_bound_is_kept_by_nan() -> None:
    lost = LogitParity(shapes=[(1, 32, 32)], difference=float("nan"), relative=float("nan"))
    assert failure(lost, 0.5, 0.5, Tolerance(difference=1.0, miou=1.0))
    assert failure(lost, 0.5, 0.5, Tolerance(relative=1.0, miou=1.0))
    assert failure(lost, float("nan"), 0.5, Tolerance(miou=1.0))
    assert failure(lost, 0.5, 0.6, Tolerance(miou=0.05))
    assert failure(lost, 0.5, 0.54, Tolerance(miou=0.05)) is None


def test_variants_without_the_file_they_are_of_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"export\.half") as refusal:
        Experiments(CONFIGS).compose(tiny_spec(export={"onnx": False, "half": True}))
    assert refusal.value.errors["spec"]["export"]["onnx"] == ["true, or half false"]
