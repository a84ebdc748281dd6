"""Experiments as a worker takes them in: whole, and with files that nobody has vouched for."""

import hashlib
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import pytest

from trainyard.decoding import decoder
from trainyard.errors import InvalidRequest
from trainyard.library.import_job import ClaimedRun
from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import RunFolder
from trainyard.storage.metric_rows import read_rows
from trainyard_client.archives import packed_experiment, read_experiment
from trainyard_local import Experiment
from workers.imports.child import take_in

MOST = 1 << 30
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def files(trained: Experiment) -> Files:
    """What the client sends of an experiment, by name."""
    with packed_experiment(read_experiment(trained.folder)) as path, tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


def taken(files: Files, tmp_path: Path, most: int = MOST) -> tuple[ClaimedRun, RunFolder]:
    archive = tmp_path / "upload.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for name, content in files.items():
            written.writestr(name, content)
    folder = RunFolder(tmp_path / "run")
    claimed = take_in(archive, folder, most)
    text = json.dumps(asdict(claimed))  # as it goes over the pipe
    return decoder(ClaimedRun, own={TrainingSpec: read_spec})(json.loads(text)), folder


def refused(files: Files, tmp_path: Path, most: int = MOST) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        taken(files, tmp_path, most)
    return caught.value


def with_record(files: Files, **values: Any) -> Files:
    return files | {"run.json": json.dumps({**json.loads(files["run.json"]), **values}).encode()}


def test_all_that_an_experiment_has_is_taken_over(trained: Experiment, files: Files, tmp_path: Path):
    claimed, folder = taken(files, tmp_path)
    own = trained.record
    assert (claimed.run_id, claimed.status, claimed.epoch) == (own.id, "completed", 1)
    assert (claimed.spec, claimed.dataset_hash) == (own.spec, own.dataset_hash)
    assert [one.worker for one in claimed.attempts] == ["local"]
    attempt = folder.attempt(claimed.fence)
    assert read_rows(folder, claimed.fence) == [
        *json.loads((trained.folder / "metrics.json").read_text())["rows"]
    ]
    for name, checkpoint in claimed.checkpoints.items():
        assert (folder.path / checkpoint.file).read_bytes() == files[f"checkpoints/{name}.ckpt"]
        assert checkpoint.sha256 == own.checkpoints[name].sha256
    assert {*claimed.checkpoints} == {"best", "last"}
    assert claimed.checkpoints["best"].file == claimed.checkpoints["last"].file, (
        "the same bytes lie there once"
    )
    assert attempt.report_html.read_bytes() == files["report.html"]
    assert (attempt.figures / "curves.svg").exists()
    assert folder.log.read_bytes() == files["logs/training.log"]
    assert [one.name for one in folder.tensorboard.iterdir()]
    assert claimed.result is not None
    assert claimed.result["best"]["epoch"] == claimed.result["best_epoch"] == 1
    assert claimed.metrics["val_miou"].best_epoch == 1


def test_its_events_have_ids_of_this_servers_stream(files: Files, tmp_path: Path):
    event = {"event": "notice", "message": "said"}
    lines = [
        {"id": "5-1", **event}, {"id": "18446744073709551615-7", **event}, {"id": "4-4", **event},
        {"id": "6-1", "event": "checkpoint", "kinds": 5}, {"event": "nothing"}, "text",
    ]  # fmt: skip
    text = "\n".join(json.dumps(line) for line in lines) + "\n{broken"
    _, folder = taken(files | {"events.jsonl": text.encode()}, tmp_path)
    kept = [json.loads(line) for line in folder.events.read_text().splitlines()]
    assert [(line["event"], line["message"]) for line in kept] == [("notice", "said")] * 3
    assert [line["id"] for line in kept] == ["5-0", "5-1", "5-2"]


def test_a_folder_in_the_archive_is_the_experiments(files: Files, tmp_path: Path):
    inside = {f"exp1/{name}": content for name, content in files.items()}
    assert taken(inside, tmp_path)[0].status == "completed"


@pytest.mark.parametrize(
    ("status", "notice"), [("stopped", None), ("failed", "failed where it was"), ("running", "was cut off")]
)
def test_what_did_not_complete_is_stopped(files: Files, tmp_path: Path, status: str, notice: str | None):
    claimed, folder = taken(with_record(files, status=status, error={"message": "out of memory"}), tmp_path)
    assert claimed.status == "stopped"
    assert not claimed.has_results
    assert not folder.attempt(claimed.fence).report_html.exists()
    assert (folder.figures / "curves.svg").exists()
    assert [notice in one for one in claimed.notices] == ([True] if notice else [])


def test_weights_of_another_machine_are_none_here(files: Files, tmp_path: Path):
    spec = json.loads(files["run.json"])["spec"]
    spec["model"]["encoder_weights"] = "file:/home/weights.safetensors"
    claimed, _ = taken(with_record(files, spec=spec), tmp_path)
    assert claimed.spec.model.encoder_weights == "none"
    assert "/home/weights.safetensors" in claimed.notices[-1]


def test_numbers_that_cannot_be_are_left_out(files: Files, tmp_path: Path):
    attempt = {"attempt": 77, "worker": "root\n", "device": "x\ny", "started_at": 9e18, "reason": "<b>"}
    record = with_record(
        files, used_seconds=-1, created_at=9e18, name="<i>\u202e\n", epochs=-5, attempts=[attempt],
        forked_from={"run_id": "../../etc", "checkpoint": "best"}, notices=["a\nb"],
    )  # fmt: skip
    claimed, _ = taken(record, tmp_path)
    assert (claimed.used_seconds, claimed.epochs, claimed.fence) == (0, 1, 1)
    assert claimed.name.isprintable()
    assert claimed.forked_from is None
    (only,) = claimed.attempts
    assert (only.attempt, only.worker, only.device, only.reason) == (1, "local", "x y", "stopped")
    assert claimed.notices == ("a b",)


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return open, ("/tmp/should-not-be",)


def evil_checkpoint() -> bytes:
    return pickle.dumps(Evil(), protocol=2)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("run.json", b"{", "no JSON"),
        ("run.json", b"[]", "no record"),
        ("run.json", b"{}", "there is no"),
        ("metrics.json", b'{"rows": [{"epoch": "1"}]}', "no rows"),
        ("metrics.json", b'{"rows": [{"epoch": 2, "step": 1}, {"epoch": 1, "step": 1}]}', "not in order"),
        ("checkpoints/last.ckpt", b"PK", "cannot be read"),
        ("checkpoints/last.ckpt", evil_checkpoint(), "cannot be read"),
        ("export/card.json", b"{}", "there is no"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused(
    files: Files, tmp_path: Path, name: str, content: bytes, said: str
):
    error = refused(files | {name: content}, tmp_path)
    assert name in error.message
    assert said in error.message
    assert error.errors["file"]


CARD = {
    "epoch": 1,
    "task": "multiclass",
    "classes": [{"index": 0, "name": "ground", "color": [0, 0, 0]}],
    "input": {"image_size": 32},
    "metrics": {"val": {"miou": 0.5, "iou": {"ground": 0.5}}},
    "files": [
        {"file": "model.onnx", "precision": "fp32", "bytes": 4, "sha256": hashlib.sha256(b"none").hexdigest(),
         "opset": 20, "preprocessing": "outside", "max_difference": 0.0},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "export/model.onnx"),
        ({"metrics": {"val": {"iou": 5}}}, "no known form"),
        ({"metrics": {"val": {"miou": "<script>"}}}, "no known form"),
        ({"classes": [{"index": 0, "name": "a\nb", "color": [0, 0, 0]}]}, "no known form"),
        ({"epoch": 2}, "another experiment"),
        ({"dataset": {"content_hash": "0" * 64}}, "another experiment"),
        ({"files": []}, "model.onnx"),
        ({"files": [{**CARD["files"][0], "file": "../../run.json"}]}, "model.onnx"),  # type: ignore[index]
        ({"files": [{**CARD["files"][0], "sha256": "0" * 64}]}, "describes"),  # type: ignore[index]
    ],
)
def test_an_export_that_is_not_what_its_card_says_is_refused(
    files: Files, tmp_path: Path, values: dict[str, Any], said: str
):
    own = {"content_hash": json.loads(files["run.json"])["dataset_hash"]}
    card = json.dumps({**CARD, "dataset": own, **values}).encode()
    error = refused(files | {"export/card.json": card, "export/model.onnx": b"none"}, tmp_path)
    assert said in error.message


def test_a_network_with_parts_in_other_files_is_refused(files: Files, tmp_path: Path):
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    graph = onnx.GraphProto(name="g", initializer=[tensor])
    content = onnx.ModelProto(ir_version=10, graph=graph).SerializeToString()
    own = {"content_hash": json.loads(files["run.json"])["dataset_hash"]}
    file = {**CARD["files"][0], "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}  # type: ignore[index]
    card = json.dumps({**CARD, "dataset": own, "files": [file]}).encode()
    error = refused(files | {"export/card.json": card, "export/model.onnx": content}, tmp_path)
    assert "other files" in error.message


def test_a_spec_that_nobody_could_submit_is_refused_with_the_field(files: Files, tmp_path: Path):
    spec = json.loads(files["run.json"])["spec"]
    spec["model"]["encoder"] = "resnet19"
    assert "encoder" in refused(with_record(files, spec=spec), tmp_path).errors["spec"]["model"]


def test_a_checkpoint_of_another_network_is_refused(files: Files, tmp_path: Path):
    spec = json.loads(files["run.json"])["spec"]
    spec["model"]["architecture"] = "FPN"
    assert "another network" in refused(with_record(files, spec=spec), tmp_path).message


def test_a_checkpoint_under_a_wrong_epoch_is_refused(files: Files, tmp_path: Path):
    wrong = files | {"checkpoints/epoch=007.ckpt": files["checkpoints/last.ckpt"]}
    assert "It is of epoch 1" in refused(wrong, tmp_path).message


def test_without_a_last_checkpoint_there_is_nothing_to_take_over(files: Files, tmp_path: Path):
    others = {name: content for name, content in files.items() if name != "checkpoints/last.ckpt"}
    assert "hard-dereference" in str(refused(others, tmp_path).message)


@pytest.mark.parametrize("status", ["queued", "cancelled", "finishing"])
def test_an_experiment_that_was_never_trained_is_refused(files: Files, tmp_path: Path, status: str):
    assert "nothing to take over" in refused(with_record(files, status=status), tmp_path).message


def test_names_that_point_elsewhere_are_refused_and_nothing_is_written_there(files: Files, tmp_path: Path):
    error = refused(files | {"../../outside.ckpt": b"x"}, tmp_path)
    assert "outside" in str(error.errors["file"])
    assert not (tmp_path.parent / "outside.ckpt").exists()


def test_names_that_are_not_known_are_passed_over(files: Files, tmp_path: Path):
    names = ("export/evil.sh", "figures/.hidden.png", "figures/a.html", "origin/o.ckpt")
    others = dict.fromkeys(names, b"x")
    _, folder = taken(files | others, tmp_path)
    found = {path.name for path in folder.path.rglob("*") if path.is_file()}
    assert not found & {"evil.sh", ".hidden.png", "a.html", "o.ckpt"}


def test_an_archive_that_unpacks_to_too_much_is_refused(files: Files, tmp_path: Path):
    assert "at most 1000" in refused(files, tmp_path, most=1000).message
    zeros = io.BytesIO()
    with zipfile.ZipFile(zeros, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.json", files["run.json"])
        archive.writestr("logs/training.log", b"\0" * (100 << 20))
    bomb = tmp_path / "bomb"
    bomb.mkdir()
    (bomb / "upload.zip").write_bytes(zeros.getvalue())
    with pytest.raises(InvalidRequest, match="times as many"):
        take_in(bomb / "upload.zip", RunFolder(bomb / "run"), MOST)


@pytest.mark.parametrize("records", [(), ("a/run.json", "b/run.json")])
def test_an_archive_holds_one_experiment(tmp_path: Path, records: tuple[str, ...]):
    error = refused({**dict.fromkeys(records, b"{}"), "notes.txt": b"x"}, tmp_path)
    assert "experiments" in error.message


def test_what_is_no_archive_is_refused(tmp_path: Path):
    (tmp_path / "upload.zip").write_bytes(b"none at all")
    with pytest.raises(InvalidRequest, match="no zip or tar"):
        take_in(tmp_path / "upload.zip", RunFolder(tmp_path / "run"), MOST)
