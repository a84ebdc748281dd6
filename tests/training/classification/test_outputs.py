"""What a completed classification leaves: report, figures, verified files; and what its files answer."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from tests.training.classification.conftest import NAMES, SEVERAL, draw_labelled, tiny
from tests.training.conftest import Run
from trainyard.runs.events import Notice
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json
from workers.prepared.version import PreparedDataset
from workers.training.predict import main as predict
from workers.training.tasks.classification.prediction.model_files import predictor_of
from workers.training.tasks.model_file import open_model

ALL_FORMS = {"onnx": True, "half": True, "int8": True}


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory, multilabelled: Path) -> Path:
    """A run of several labels with every file."""
    folder = tmp_path_factory.mktemp("several") / "run"
    over = {**SEVERAL, "optimization": {**SEVERAL["optimization"], "learning_rate": 0.01}}
    Run(folder, multilabelled).fit(epochs=4, spec=tiny(**over, export=ALL_FORMS))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def exclusive(tmp_path_factory: pytest.TempPathFactory, labelled: Path) -> Path:
    """A run of one class for each image, its preprocessing baked in."""
    folder = tmp_path_factory.mktemp("exclusive") / "run"
    export = {**ALL_FORMS, "with_preprocessing": True}
    spec = tiny(optimization={"learning_rate": 0.01}, export=export, data={"eval_topk": [2]})
    Run(folder, labelled).fit(epochs=4, spec=spec)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", ["exclusive", "several"])
def test_each_file_answers_as_the_checkpoint(
    name: str, request: pytest.FixtureRequest, labelled: Path, multilabelled: Path
) -> None:
    folder = RunFolder(request.getfixturevalue(name))
    card = read_json(folder.export_card)
    written = [file["precision"] for file in card["files"]]
    assert written[:2] == ["fp32", "fp16"]
    assert {*written, *(one["precision"] for one in card["refused"])} == {"fp32", "fp16", "int8"}
    assert all(file["val_images"] == 9 for file in card["files"])
    prepared = PreparedDataset(labelled if name == "exclusive" else multilabelled)
    images = [prepared.image(sample) for sample in prepared.samples]
    trained, exported = (
        predictor_of(open_model(path)).predict(images) for path in (folder.best_checkpoint, folder.onnx)
    )
    for one, other in zip(trained, exported, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
        assert one.has == other.has


def test_the_file_tells_what_it_is(exclusive: Path, several: Path) -> None:
    session = onnxruntime.InferenceSession(RunFolder(exclusive).onnx)
    (given,), (answered,) = session.get_inputs(), session.get_outputs()
    assert (given.type, given.shape) == ("tensor(uint8)", ["batch", 32, 32, 3])
    assert (answered.name, answered.shape) == ("probabilities", ["batch", 3])
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["trainyard.classes"]) == list(NAMES)
    assert facts["trainyard.learning_task"] == "classification"
    (likely,) = session.run(None, {"image": np.zeros((4, 32, 32, 3), np.uint8)})
    assert likely.sum(axis=1) == pytest.approx(1.0)
    (logits,) = onnxruntime.InferenceSession(RunFolder(several).onnx).get_outputs()
    assert logits.name == "logits"


def test_the_report_counts_what_validation_has(exclusive: Path) -> None:
    folder = RunFolder(exclusive)
    report = read_json(folder.report_json)
    numbers = report["splits"]["val"]
    counts = np.array(numbers["confusion"]["counts"])
    assert counts.sum() == numbers["images"] == 9
    assert counts.sum(axis=1).tolist() == [row["images"] for row in numbers["classes"]] == [3, 3, 3]
    assert np.trace(counts) == numbers["right"] == pytest.approx(9 * numbers["acc1"])
    assert sum(pair["images"] for pair in numbers["confused"]) == 9 - numbers["right"]
    assert report["validation"]["acc1"] == report["validation"]["acc1_in_training"]
    assert numbers["acc2"] >= numbers["acc1"]
    worst = [one["probability"] for one in numbers["worst"]]
    assert worst == sorted(worst)
    drawn = {path.name for path in folder.figures.glob("*.png")}
    assert {"overlay.png", "val-confusion.png", "val-roc.png", "val-pr.png", "val-worst-01.png"} <= drawn
    page = folder.report_html.read_text()
    assert "acc@2" in page
    assert "taken for" in page
    card = read_json(folder.export_card)
    assert card["metrics"]["val"]["f1_per_class"].keys() == set(NAMES)


def test_several_labels_have_a_matrix_each(several: Path) -> None:
    numbers = read_json(RunFolder(several).report_json)["splits"]["val"]
    counts = np.array(numbers["confusion"]["counts"])
    assert counts.shape == (3, 2, 2)
    assert (counts.sum(axis=(1, 2)) == 9).all()
    assert counts[:, 1, 1].tolist() == [round(row["recall"] * row["images"]) for row in numbers["classes"]]
    assert not (RunFolder(several).figures / "val-confusion.png").exists()


def test_a_class_that_is_not_found_is_told_of(run_folder: Path, tmp_path: Path) -> None:
    run = Run(run_folder, draw_labelled(tmp_path / "set", train=4, val=9), finishes=True)
    run.fit(epochs=1, spec=tiny(optimization={"learning_rate": 1e-8}))
    assert any(one.message.startswith("Class ") for one in run.of(Notice))


@pytest.mark.parametrize("form", ["ckpt", "onnx"])
def test_folders_of_images_are_told(
    form: str, exclusive: Path, labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared = PreparedDataset(labelled)
    for sample in prepared.samples[:3]:
        path = tmp_path / "images" / NAMES[sample.classes[0]] / "same.png"
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), cv2.cvtColor(prepared.image(sample), cv2.COLOR_RGB2BGR))
    (tmp_path / "images" / "notes.txt").write_text("no picture")
    folder = RunFolder(exclusive)
    model = folder.best_checkpoint if form == "ckpt" else folder.onnx
    assert predict([str(model), str(tmp_path / "images"), "--out", str(tmp_path / "out")]) == 0
    told = read_json(tmp_path / "out" / "predictions.json")["images"]
    assert [Path(one["image"]).parent.name for one in told] == sorted(NAMES)
    for one in told:
        probabilities = [each["probability"] for each in one["classes"]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1.0, abs=1e-5)
        assert [each["predicted"] for each in one["classes"]] == [True, False, False]
    with (tmp_path / "out" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["predicted"] for row in rows] == [one["classes"][0]["name"] for one in told]
    assert (tmp_path / "out" / "predictions.png").stat().st_size
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_tiles_are_none_of_it(exclusive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((20, 30, 3), 90, np.uint8))
    model = RunFolder(exclusive).best_checkpoint
    assert predict([str(model), str(tmp_path / "grey.png"), "--out", str(tmp_path), "--tiles"]) == 1
    assert "Leave --tiles out" in capsys.readouterr().err
