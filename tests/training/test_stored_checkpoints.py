"""Checkpoints and prepared versions as earlier releases wrote them are used for all they are made for."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import torch

from tests.fixtures.stored_storage import (
    RELEASES,
    checkpoint_of,
    record_named,
    unpack,
    version_folder,
)
from tests.training.conftest import Run, tiny_spec
from trainyard.errors import StorageUnavailable, Unreadable
from trainyard.runs.events import Event, Notice
from trainyard.runs.signals import Signals
from trainyard.spec.stored import read_spec
from trainyard.storage.files import Storage
from workers.predict.weights import write_weights
from workers.prepared.version import PreparedDataset
from workers.training.checkpoints.files import ABOUT
from workers.training.fit import fit, fit_epochs
from workers.training.job import SavedFile, TrainingJob
from workers.training.predict import main as predict
from workers.training.tasks.segmentation.prediction.predictor import load_predictor


@pytest.fixture(params=RELEASES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    yield unpack(request.param, tmp_path / "storage")
    shutil.rmtree(tmp_path / "storage")


def job_of(storage: Storage, name: str, epochs: int, **over: Any) -> TrainingJob:
    """The job that goes on with the run of that name."""
    record = record_named(storage, name)
    last = record["checkpoints"]["last"]
    file = SavedFile(path=checkpoint_of(storage, record, "last"), epoch=last["epoch"], sha256=last["sha256"])
    job = TrainingJob(
        run_id=record["id"],
        spec=read_spec(record["spec"]),
        epochs=epochs,
        folder=storage.run(record["id"]).path,
        prepared=version_folder(storage),
        weights_file=None,
        threads=1,
        resume_from=(file,),
        content_hash=record["dataset_hash"],
    )
    return replace(job, **over)


def told(job: TrainingJob, *, finish: bool = False) -> tuple[Any, list[str]]:
    """What training came to, and its notices but for classes that so short a training does not find; with its
    report where it is to `finish`, which takes longer than an epoch."""
    events: list[Event] = []
    result = (fit if finish else fit_epochs)(job, events.append, Signals)
    notices = [event.message for event in events if isinstance(event, Notice)]
    return result, [notice for notice in notices if not notice.startswith("Class ")]


@pytest.mark.variants(6)
@pytest.mark.parametrize(("name", "done"), [("completed", 2), ("stopped", 1)])
def test_a_run_goes_on(old: Storage, name: str, done: int):
    record = record_named(old, name)
    done = max(done, record["checkpoints"]["last"]["epoch"])  # one was stopped an epoch later
    result, notices = told(job_of(old, name, epochs=done + 1), finish=name == "completed")
    assert (result.status, result.epoch) == ("completed", done + 1)
    assert result.step >= record["step"], "the stopped one had done the last batch of its epoch"
    assert notices == []


@pytest.mark.variants(3)
def test_a_fork_begins_with_it(old: Storage):
    origin = checkpoint_of(old, record_named(old, "completed"), "best")
    job = job_of(old, "fork", epochs=1, resume_from=(), init_checkpoint=origin)
    result, notices = told(job)
    assert result.epoch == 1
    assert "51 of 51 layers loaded" in notices[0]


def test_its_weights_are_had_alone(old: Storage, tmp_path: Path):
    path = checkpoint_of(old, record_named(old, "completed"), "best")
    write_weights(path, tmp_path / "weights.safetensors")
    content = torch.load(path, weights_only=True)
    state = content["state_dict"]
    with safetensors.safe_open(tmp_path / "weights.safetensors", "pt") as file:
        assert {f"network.{name}" for name in file.keys()} == set(state)  # noqa: SIM118 - no mapping
        assert all(torch.equal(file.get_tensor(name), state[f"network.{name}"]) for name in file.keys())  # noqa: SIM118
        facts = file.metadata()
    assert [one["name"] for one in json.loads(facts["trainyard.classes"])] == ["ground", "box"]
    assert read_spec(json.loads(facts["trainyard.spec"])).model.encoder == "tu-test_resnet"
    assert json.loads(facts["trainyard.epoch"]) == content[ABOUT]["epoch"]


@pytest.mark.variants(3)
def test_it_predicts(old: Storage, tmp_path: Path):
    path = checkpoint_of(old, record_named(old, "completed"), "last")
    predictor = load_predictor(path)
    assert [one.name for one in predictor.classes] == ["ground", "box"]
    found = predictor.probabilities(np.zeros((32, 32, 3), np.uint8))
    assert found.shape == (2, 32, 32)
    assert found.sum(axis=0) == pytest.approx(1)
    assert predict([str(path), str(tmp_path / "absent.png"), "--out", str(tmp_path)]) == 1


@pytest.mark.variants(3)
def test_a_prepared_version_is_trained_on(old: Storage, run_folder: Path):
    version = version_folder(old)
    prepared = PreparedDataset(version)
    image, mask = prepared.image(prepared.samples[0]), prepared.mask(prepared.samples[0])
    assert image.shape == (16, 20, 3)
    assert set(np.unique(mask)) == {0, 1}
    assert image[mask == 1].reshape(-1, 3).mean(axis=0) == pytest.approx((220, 60, 60), abs=1)
    run = Run(run_folder, version)
    assert run.fit(epochs=1, spec=tiny_spec()).status == "completed"


def rewritten(path: Path, change: Any) -> Path:
    content = torch.load(path, weights_only=True)
    change(content[ABOUT])
    torch.save(content, path)
    return path


@pytest.mark.variants(3)
def test_a_checkpoint_with_an_older_or_newer_spec_is_used(old: Storage):
    def change(about: dict[str, Any]) -> None:
        del about["spec"]["optimization"]["ema_decay"], about["spec"]["export"], about["batches"]
        about["spec"]["of_tomorrow"] = about["of_tomorrow"] = {"x": 1}
        about["spec"]["optimization"]["losses"][0]["name"] = "of yesterday"
        about["classes"][0]["of_tomorrow"] = 1

    path = rewritten(checkpoint_of(old, record_named(old, "completed"), "last"), change)
    assert load_predictor(path).image_size == 32

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    saved = SavedFile(path=path, epoch=2, sha256=digest)
    result, notices = told(job_of(old, "completed", epochs=3, resume_from=(saved,)))
    assert (result.epoch, notices) == (3, [])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda about: about.update(spec="a text"), Unreadable),
        (lambda about: about["spec"].update(version=99), Unreadable),
        (lambda about: about.update(schema=99), StorageUnavailable),
        (lambda about: about.update(classes=[{"index": "x"}]), Unreadable),
    ],
)
def test_a_checkpoint_of_another_form_is_told_of(tmp_path: Path, change: Any, kind: type[Exception]):
    old = unpack(RELEASES[0], tmp_path / "storage")
    path = rewritten(checkpoint_of(old, record_named(old, "completed"), "last"), change)
    with pytest.raises(kind):
        load_predictor(path)
