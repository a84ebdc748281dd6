"""What a completed detection leaves: report, pictures, verified ONNX files, predictions of files."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.training.conftest import CONFIGS, Run
from tests.training.detection.conftest import CLASSES, INSTANCES, MEAN, NAMES, STD, tiny
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.tasks.detection import ARCHITECTURES, MASKED
from workers.prepared.run_lengths import decompressed
from workers.prepared.version import PreparedDataset
from workers.training import predict
from workers.training.checkpoints.files import ModelCard
from workers.training.data.picture_files import write_picture
from workers.training.network.normalization import Normalization
from workers.training.tasks.detection.export.graph import make_graph
from workers.training.tasks.detection.network.networks import empty_detector
from workers.training.tasks.detection.prediction.model_files import predictor_of
from workers.training.tasks.model_file import open_model

EVERY_FORM = {"onnx": True, "half": True, "int8": True}


def spec_of(architecture: str, **over: Any) -> dict[str, Any]:
    wanted = {"export": EVERY_FORM, "optimization": {"learning_rate": 0.01}, **over}
    if architecture in MASKED:
        return tiny(**{**INSTANCES, **wanted})
    return tiny(**{"model": {"architecture": architecture}, **wanted})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, scenes: Path) -> RunFolder:
    """SSDlite after some epochs, with all that it leaves."""
    run = Run(tmp_path_factory.mktemp("trained") / "run", scenes, finishes=True)
    run.fit(epochs=12, spec=spec_of("SSDlite", augmentation={"preset": "none"}))
    return RunFolder(run.folder)


@pytest.fixture
def pictures(tmp_path: Path, scenes: Path) -> list[Path]:
    """Four validation images as files."""
    prepared = PreparedDataset(scenes)
    samples = [sample for sample in prepared.samples if sample.split == "val"][:4]
    for sample in samples:
        write_picture(np.asarray(prepared.image(sample)), tmp_path / "pictures" / f"{sample.name}.png")
    return sorted((tmp_path / "pictures").glob("*.png"))


def test_the_report_tells_what_is_found(trained: RunFolder) -> None:
    report = json.loads(trained.report_json.read_text())
    numbers = report["splits"]["val"]
    assert (numbers["images"], numbers["objects"]) == (8, 11)
    assert [row["name"] for row in numbers["classes"]] == list(NAMES)
    assert sum(row["objects"] for row in numbers["classes"]) == 11
    counts = np.array(numbers["confusion"]["counts"])
    assert counts.shape == (3, 3)
    assert counts[:2].sum() == 11, "each object stands in one row"
    assert 0 < numbers["threshold"] < 1
    assert report["validation"]["map50"] == numbers["map50"]
    assert report["validation"]["map50_in_training"] == pytest.approx(numbers["map50"], abs=0.02)
    assert all(0 <= y <= 1 for curve in numbers["curves"] for _, y in curve["pr"])
    assert {one["figure"] for one in numbers["random"]} <= {
        f"figures/{path.name}" for path in trained.figures.glob("*.png")
    }
    page = trained.report_html.read_text()
    assert "mAP50" in page
    assert page.count("data:image/webp") == len(numbers["worst"]) + len(numbers["random"])


def test_pictures_show_truth_beside_what_is_found(trained: RunFolder) -> None:
    for name in ("overlay", "val-pr", "val-confusion", "val-random-01"):
        assert min(Image.open(trained.figures / f"{name}.png").size) > 100, name


def test_the_card_says_how_the_file_is_used(trained: RunFolder) -> None:
    card = json.loads(trained.export_card.read_text())
    assert card["input"]["shape"] == "(1, 3, 64, 64)"
    assert [output["name"] for output in card["outputs"]] == ["boxes", "labels", "scores"]
    files = {file["precision"]: file for file in card["files"]}
    assert list(files) == ["fp32", "fp16", "int8"]
    assert files["fp32"]["matched"] == 1.0
    for name, apart in (("fp32", 0.001), ("fp16", 0.005), ("int8", 0.03)):
        file = files[name]
        assert file["compared_detections"] > 0
        apart = max(apart, 1 / 11 if name != "fp32" else 0)  # one of the objects
        assert file["val_map50"] == pytest.approx(file["torch_val_map50"], abs=apart)
    assert files["fp16"]["bytes"] < 0.65 * files["fp32"]["bytes"]
    assert files["int8"]["bytes"] < files["fp16"]["bytes"]
    facts = onnxruntime.InferenceSession(str(trained.onnx)).get_modelmeta().custom_metadata_map
    assert json.loads(facts["trainyard.classes"]) == list(NAMES)
    assert float(facts["trainyard.threshold"]) == card["threshold"]


@pytest.mark.variants(2)
@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "SSDlite"])
def test_every_detector_is_exported_and_finds_what_it_found(
    run_folder: Path, few_scenes: Path, architecture: str
) -> None:
    run = Run(run_folder, few_scenes, finishes=True)
    forms = {**EVERY_FORM, "with_preprocessing": True}
    result = run.fit(epochs=1, spec=spec_of(architecture, export=forms))
    assert result.export is not None
    assert result.export["matched"] >= 0.999
    card = json.loads(RunFolder(run_folder).export_card.read_text())
    assert [file["precision"] for file in card["files"]] == ["fp32", "fp16", "int8"], card["refused"]
    session = onnxruntime.InferenceSession(str(RunFolder(run_folder).onnx))
    names = [output.name for output in session.get_outputs()]
    assert names == ["boxes", "labels", "scores", *(["masks"] if architecture in MASKED else [])]
    boxes, labels, scores, *masks = session.run(None, {"image": np.zeros((1, 64, 64, 3), np.uint8)})
    assert boxes.shape == (len(labels), 4)
    assert (np.diff(scores) <= 0).all()
    assert all(one.shape[1:] == (28, 28) for one in masks)


@pytest.mark.variants(2)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_of_nothing_found_a_file_tells_nothing(architecture: str, scenes: Path) -> None:
    """Also by a runtime that computes the graph just as it stands."""
    spec = Experiments(CONFIGS).compose(spec_of(architecture))
    network = empty_detector(spec.model, len(CLASSES)).eval()
    for part in network.modules():
        if getattr(part, "score_thresh", None) is not None:
            part.score_thresh = 2.0  # type: ignore[assignment]
    card = ModelCard(run_id="run", spec=spec, classes=CLASSES, rule=Normalization(mean=MEAN, std=STD))
    graph = make_graph(network, card, 0.5)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    found = session.run(None, {"image": np.zeros((1, 3, 64, 64), np.float32)})
    assert [one.shape for one in found[:3]] == [(0, 4), (0,), (0,)]


def test_files_and_folders_are_predicted(trained: RunFolder, pictures: list[Path], tmp_path: Path) -> None:
    """The ONNX file finds what the checkpoint does, in pixels of the files."""
    found = {}
    for model in (trained.best_checkpoint, trained.onnx):
        out = tmp_path / model.suffix
        assert predict.main([str(model), str(pictures[0].parent), "--out", str(out), "--threads", "1"]) == 0
        content = json.loads((out / "predictions.json").read_text())
        assert [Path(one["image"]).name for one in content["images"]] == [path.name for path in pictures]
        assert {path.name for path in out.glob("*.png")} == {path.name for path in pictures}
        found[model.suffix] = content["images"]
    for one, other in zip(found[".ckpt"], found[".onnx"], strict=True):
        assert len(one["objects"]) == len(other["objects"]) > 0
        boxes = [[thing["box"] for thing in image["objects"]] for image in (one, other)]
        np.testing.assert_allclose(*boxes, atol=0.05)
        assert all(left + width <= 80.01 and top + height <= 64.01 for left, top, width, height in boxes[0])


def test_tables_and_coco_tell_the_same(trained: RunFolder, pictures: list[Path], tmp_path: Path) -> None:
    predict.main([str(trained.onnx), *map(str, pictures), "--out", str(tmp_path), "--threads", "1"])
    told = json.loads((tmp_path / "predictions.json").read_text())
    objects = [thing for image in told["images"] for thing in image["objects"]]
    with (tmp_path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == [thing["name"] for thing in objects]
    coco = json.loads((tmp_path / "predictions.coco.json").read_text())
    assert len(coco["annotations"]) == sum(thing["predicted"] for thing in objects)
    assert [info["name"] for info in coco["categories"]] == list(NAMES)


def test_tiles_are_refused(trained: RunFolder, pictures: list[Path], tmp_path: Path) -> None:
    arguments = [str(trained.onnx), str(pictures[0]), "--out", str(tmp_path), "--tiles", "--threads", "1"]
    assert predict.main(arguments) == 1


def test_outlines_are_told_of_instances(run_folder: Path, few_scenes: Path, pictures: list[Path]) -> None:
    run = Run(run_folder, few_scenes)
    run.fit(epochs=1, spec=spec_of("MaskRCNN", export={"onnx": False}))
    predictor = predictor_of(open_model(RunFolder(run_folder).best_checkpoint))
    image = np.asarray(Image.open(pictures[3]))
    answer = predictor.predict(image)
    assert answer.outlines is not None
    told = predictor.told(answer, (64, 80))
    assert all(sum(decompressed(one["outline"]["counts"].encode())) == 64 * 80 for one in told)
    assert predictor.drawn(image, answer).shape[2] == 3


def test_two_files_of_one_name_are_refused(trained: RunFolder, pictures: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other" / pictures[0].name
    other.parent.mkdir()
    other.write_bytes(pictures[0].read_bytes())
    arguments = [str(trained.onnx), str(pictures[0]), str(other), "--out", str(tmp_path), "--threads", "1"]
    assert predict.main(arguments) == 1
