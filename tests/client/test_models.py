"""Trained models by client and command: what is sent, and what becomes of the answers."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from trainyard_client.client import Client
from trainyard_client.command.models import model
from trainyard_client.command.terminal.session import Session
from trainyard_client.errors import NotFound, ServerBusy, SettingsError
from trainyard_client.transport import Transport

ROOT = "/api/v1/trained-models"
CONTENT = b"a network"


def a_model(version: int, stage: str = "candidate", name: str = "nuclei") -> dict[str, Any]:
    return {
        "id": f"model-{version:012x}", "name": name, "version": version, "stage": stage, "project": "lab",
        "unreadable": None, "notes": "", "run_id": "run-1", "run_name": "first", "dataset_id": "ds-1",
        "dataset_name": "cells", "dataset_version": 2, "content_hash": "abc", "architecture": "Unet",
        "encoder": "resnet18", "task": "multiclass", "epoch": 3, "image_size": 64,
        "created_at": "2026-11-29T12:00:00.000Z", "created_by": "anna", "metrics": {"val": {"miou": 0.8125}},
        "classes": [{"index": 0, "name": "ground", "color": [0, 0, 0]}],
        "files": [{"name": "model.onnx", "precision": "fp32", "bytes": len(CONTENT), "sha256": "x"},
                  {"name": "card.json", "precision": None, "bytes": 2, "sha256": "y"}],
    }  # fmt: skip


class Answers:
    """A server of four versions; keeps what it was sent."""

    def __init__(self) -> None:
        stages = ("archived", "production", "staging", "archived")
        self.models = [a_model(number, stage) for number, stage in enumerate(stages, 1)][::-1]
        self.sent: list[tuple[str, str, Any]] = []
        self.busy = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        is_json = request.headers.get("Content-Type") == "application/json"
        body = json.loads(request.content) if is_json else request.content
        self.sent.append((request.method, request.url.path, body or dict(request.url.params)))
        if self.busy:
            return httpx.Response(503, json={"code": "no_predict_worker", "message": "No worker."})
        if "/files/" in request.url.path:
            return httpx.Response(200, headers={"ETag": '"e"'}, content=CONTENT)
        if request.url.path.endswith("/predict"):
            return httpx.Response(200, json=self.predicted(request.content))
        if request.url.path == ROOT and request.method == "GET":
            wanted = request.url.params.get("name")
            items = [one for one in self.models if wanted in (None, one["name"])]
            return httpx.Response(200, json={"items": items, "next_cursor": None})
        if request.method == "DELETE":
            return httpx.Response(204)
        return httpx.Response(200, json=self.models[-1] | (body if isinstance(body, dict) else {}))

    def predicted(self, content: bytes) -> dict[str, Any]:
        found = [
            {
                "index": 0,
                "name": "ground",
                "color": [0, 0, 0],
                "pixels": 9,
                "share": 0.75,
                "box": [0, 0, 3, 3],
            },
            {"index": 1, "name": "disc", "color": [9, 9, 9], "pixels": 0, "share": 0.0, "box": None},
        ]
        pictures = {form: base64.b64encode(form.encode()).decode() for form in ("class_map", "overlay")}
        shown = pictures if b"overlay" in content else {}
        image = {
            "width": 4,
            "height": 3,
            "notices": ["it is dark"],
            "classes": found,
            "picture": None,
            **shown,
        }
        names = [part.split(b'"')[0].decode() for part in content.split(b'filename="')[1:]]
        images = [{"name": name, **image} for name in names]
        return {"model_id": "m", "version": 1, "task": "multiclass", "seconds": 0.1, "images": images}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = Answers()
    transport = Transport("http://server", sleep=lambda _: None, handler=httpx.MockTransport(found))
    monkeypatch.setattr(Session, "client", Client(transport=transport))
    return found


@pytest.fixture
def client(answers: Answers) -> Client:
    return Session.client  # type: ignore[return-value]


def invoke(*words: str, status: int = 0) -> str:
    done = CliRunner().invoke(model, words)
    assert done.exit_code == status, (done.output, done.exception)
    return done.stdout


@pytest.mark.parametrize(
    ("text", "version"),
    [("nuclei", 2), ("nuclei@3", 3), ("nuclei@staging", 3), ("nuclei@production", 2), ("nuclei@archived", 4),
     ("model-000000000001", 1)],
)  # fmt: skip
def test_a_model_is_found_by_what_people_call_it(client: Client, text: str, version: int):
    assert client.models.find(text).version == version


def test_without_one_in_production_the_newest_in_use_is_meant(client: Client, answers: Answers):
    for one in answers.models:
        one["stage"] = one["stage"].replace("production", "archived")
    assert client.models.find("nuclei").stage == "staging"
    for one in answers.models:
        one["stage"] = "archived"
    assert client.models.find("nuclei").version == 4


def test_what_there_is_instead_is_told(client: Client):
    with pytest.raises(NotFound, match="nuclei@9") as error:
        client.models.find("nuclei@9")
    assert "nuclei@2 (production)" in error.value.remedy
    with pytest.raises(NotFound, match="other"):
        client.models.find("other")


def test_a_model_is_registered_staged_and_deleted(answers: Answers):
    assert invoke("register", "run-1", "nuclei", "--stage", "staging", "-q") == "model-000000000001\n"
    shown = invoke("stage", "nuclei@3", "production", "--notes", "fast")
    assert "nuclei@1" in shown
    assert "0.8125" in shown
    invoke("rm", "nuclei@1", "--yes")
    writes = [one for one in answers.sent if one[0] != "GET"]
    assert writes == [
        ("POST", ROOT, {"run_id": "run-1", "name": "nuclei", "stage": "staging"}),
        ("PATCH", f"{ROOT}/model-000000000003", {"stage": "production", "notes": "fast"}),
        ("DELETE", f"{ROOT}/model-000000000001", {}),
    ]


def test_lists_pass_their_filters_on(answers: Answers):
    table = invoke("ls", "--stage", "production", "--name", "nuclei", "--run", "run-1")
    (sent,) = answers.sent
    assert sent[2] == {"limit": "100", "name": "nuclei", "stage": "production", "run_id": "run-1"}
    assert "nuclei" in table
    assert json.loads(invoke("ls", "--json"))[0]["version"] == 4
    assert invoke("ls", "-q").split() == [f"model-{number:012x}" for number in (4, 3, 2, 1)]


def test_files_are_downloaded_into_a_folder(answers: Answers, tmp_path: Path):
    written = invoke("download", "nuclei", "--to", str(tmp_path)).split()
    assert [Path(one).name for one in written] == ["model.onnx", "card.json"]
    assert (tmp_path / "model.onnx").read_bytes() == CONTENT
    assert CliRunner().invoke(model, ["download", "nuclei", "x.onnx"]).exception.remedy.startswith("It has")


def test_images_are_asked_about_in_batches_and_pictures_saved(answers: Answers, tmp_path: Path):
    images = [tmp_path / f"{number}.jpg" for number in range(17)]
    for image in images:
        image.write_bytes(b"pixels")
    out = tmp_path / "out"
    words = ["predict", "nuclei", *map(str, images), "--to", str(out), "--way", "tiles"]
    shown = invoke(*words)
    posts = [body for method, _, body in answers.sent if method == "POST"]
    assert [body.count(b"pixels") for body in posts] == [16, 1]
    assert all(b"tiles" in body and b"class_map,overlay" in body for body in posts)
    assert "75.0%" in shown
    assert "disc" not in shown, "no pixel has it"
    assert (out / "16.png").read_bytes() == b"class_map"
    assert (out / "3.overlay.png").read_bytes() == b"overlay"
    assert len(list(out.iterdir())) == 34
    (line,) = invoke("predict", "nuclei", str(images[0]), "--json").splitlines()
    told = json.loads(line)
    assert (told["name"], "overlay" in told, told["classes"][0]["pixels"]) == ("0.jpg", False, 9)


def test_classes_of_whole_images_are_told_by_their_probability(
    answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    answers.models = [one | {"architecture": "Classifier"} for one in answers.models]
    common = {"color": [0, 0, 0]}
    classes = [
        {"index": 1, "name": "disc", "probability": 0.875, "predicted": True, **common},
        {"index": 0, "name": "ground", "probability": 0.125, "predicted": False, **common},
    ]
    overlay = base64.b64encode(b"overlay").decode()
    image = {"name": "a.jpg", "width": 4, "height": 3, "notices": [], "classes": classes, "overlay": overlay}
    told = {"model_id": "m", "version": 1, "task": "multiclass", "seconds": 0.1, "images": [image]}
    monkeypatch.setattr(answers, "predicted", lambda _: told)
    (tmp_path / "a.jpg").write_bytes(b"pixels")
    shown = invoke("predict", "nuclei", str(tmp_path / "a.jpg"), "--to", str(tmp_path / "out"))
    assert b"class_map" not in answers.sent[-1][2]
    assert "disc" in shown
    assert "87.5%" in shown
    assert "ground" not in shown
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.overlay.png"]


def test_two_images_of_one_name_are_not_written_over_each_other(answers: Answers, tmp_path: Path):
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).write_bytes(b"pixels")
    words = [
        "predict",
        "nuclei",
        str(tmp_path / "a.png"),
        str(tmp_path / "a.jpg"),
        "--to",
        str(tmp_path / "o"),
    ]
    assert "a.png" in CliRunner().invoke(model, words).stderr
    assert not (tmp_path / "o").exists()


def test_a_run_is_exported_in_the_forms_asked_for(answers: Answers):
    shown = invoke("export", "run-1", "--half", "--no-wait")
    assert answers.sent == [("POST", "/api/v1/runs/run-1/export", {"half": True})]
    assert "model-000000000001 is" in shown


def test_a_server_without_a_worker_is_asked_once(answers: Answers, client: Client, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"pixels")
    answers.busy = True
    with pytest.raises(ServerBusy) as error:
        client.models.predict("model-000000000001", [tmp_path / "a.png"])
    assert error.value.code == "no_predict_worker"
    assert len(answers.sent) == 1
    with pytest.raises(SettingsError, match=r"absent\.png"):
        client.models.predict("model-000000000001", [tmp_path / "absent.png"])
