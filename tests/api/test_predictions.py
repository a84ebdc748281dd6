"""Asking a trained model about images over the API, with a hand that answers as a worker would."""

import base64
import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.composition import compose
from app.service.models.predictions import picture_name
from app.service.requests import worker_answers as module
from tests.api.conftest import Hand, submit
from tests.api.exported import export
from trainyard.errors import ChildDied, InvalidRequest, StorageUnavailable, TrainyardError
from trainyard.library.prediction import PICTURES, PredictionJob
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.store.connection import Client, connect
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.resources.prediction_store import PredictionStore

Answer = Callable[[Any], dict[str, Any]]


@pytest.fixture
def model_id(client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage) -> str:
    run_id = submit(client, dataset_id).json["id"]
    hand.runs.finish(hand.begin(), "completed")
    export(storage.run(run_id), precisions=("fp32", "fp16"))
    return str(client.post("/api/v1/trained-models", json={"run_id": run_id, "name": "m"}).json["id"])


class Worker:
    """Says that it predicts, and answers each job by `answer`."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self.jobs: list[PredictionJob] = []
        self.answer: Answer = self.drawn
        self._storage = storage
        self._client = connect(settings.redis_url)
        self._store = PredictionStore(self._client)
        self._over = threading.Event()
        state = WorkerState(
            id="w", host="h", pid=1, queues=("predict",), device="", memory_bytes=1, started_at=time.time()
        )
        WorkerStore(self._client).beat(state)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def drawn(self, job: PredictionJob) -> dict[str, Any]:
        """Pictures of a form hold its name and what was sent."""
        folder, images = self._storage.prediction(job.id), []
        for place, name in enumerate(job.names):
            sent = folder.image(place).read_bytes()
            for form in {job.form, *job.pictures} & {*PICTURES}:
                folder.picture(place, form).write_bytes(form.encode() + sent)
            images.append({"name": name, "width": 4, "height": 3, "notices": [], "classes": []})
        return {"result": {"seconds": 0.5, "images": images}}

    def refuses(self, error: TrainyardError) -> None:
        self.answer = lambda job: {"error": error.to_dict()}

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def _work(self) -> None:
        while not self._over.is_set():
            if taken := self._store.take():
                self.jobs.append(taken[0])
                self._store.answer(taken[0].id, self.answer(taken[0]))


@pytest.fixture
def worker(settings: Settings, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setattr("trainyard.store.resources.prediction_store.LOOK_S", 0.1)
    found = Worker(settings, storage)
    yield found
    found.close()


def predict(client: FlaskClient, model_id: str, *images: bytes, **fields: str) -> TestResponse:
    files = [(io.BytesIO(content), f"{place}.png") for place, content in enumerate(images)]
    return client.post(f"/api/v1/trained-models/{model_id}/predict", data={**fields, "image": files})


@pytest.mark.parametrize("form", PICTURES)
def test_one_image_is_answered_by_one_picture(
    client: FlaskClient, model_id: str, worker: Worker, storage: Storage, form: str
):
    answer = predict(client, model_id, b"pixels", form=form)
    assert (answer.status_code, answer.mimetype) == (200, "image/png"), answer.text
    assert answer.data == form.encode() + b"pixels"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    (job,) = worker.jobs
    assert (job.model_id, job.file, job.form, job.way, job.names) == (
        model_id, "model.onnx", form, "trained", ("0.png",)
    )  # fmt: skip
    assert list(storage.predictions.iterdir()) == [], "nothing is kept"


def test_several_are_answered_by_an_archive(client: FlaskClient, model_id: str, worker: Worker):
    answer = predict(client, model_id, b"a", b"b", way="tiles", precision="fp16")
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == ["predictions.json", "1-0.png", "2-1.png"]
        assert archive.read("2-1.png") == b"class_mapb"
    assert [(job.way, job.file) for job in worker.jobs] == [("tiles", "model.fp16.onnx")]


def test_json_tells_of_each_and_carries_the_pictures_asked_for(
    client: FlaskClient, model_id: str, worker: Worker, storage: Storage
):
    plain = predict(client, model_id, b"a", b"b", form="json").json
    assert [one["name"] for one in plain["images"]] == ["0.png", "1.png"]
    assert (plain["model_id"], plain["version"], plain["seconds"]) == (model_id, 1, 0.5)
    assert "overlay" not in plain["images"][0]
    told = predict(client, model_id, b"a", form="json", pictures="overlay,class_map").json["images"]
    assert base64.b64decode(told[0]["overlay"]) == b"overlaya"
    assert base64.b64decode(told[0]["class_map"]) == b"class_mapa"
    assert list(storage.predictions.iterdir()) == []


def test_without_a_worker_that_predicts_it_says_so_at_once(client: FlaskClient, model_id: str):
    answer = predict(client, model_id, b"a")
    assert (answer.status_code, answer.json["code"]) == (503, "no_predict_worker")
    assert "python -m workers" in answer.json["remedy"]


@pytest.mark.parametrize("taken", [True, False])
def test_what_is_not_done_in_time_is_given_up(
    settings: Settings, redis_client: Client, model_id: str, worker: Worker, storage: Storage, taken: bool
):
    hasty = replace(settings, predict_s=1)
    client = create_app(hasty, compose(hasty, redis_client, lambda queue: True)).test_client()
    if taken:
        worker.answer = lambda job: time.sleep(2) or {"result": {}}
    else:
        worker._over.set()
        worker._thread.join()
    answer = predict(client, model_id, b"a")
    assert (answer.status_code, answer.json["code"]) == (504, "prediction_timeout")
    assert ("No worker has taken it" in answer.json["message"]) is not taken
    assert list(storage.predictions.iterdir()) == []
    assert PredictionStore(redis_client).waiting() == 0


def test_what_the_worker_ran_into_is_told(client: FlaskClient, model_id: str, worker: Worker):
    worker.refuses(InvalidRequest("0.png: This is no picture.", remedy="Save it as PNG."))
    answer = predict(client, model_id, b"a")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert (answer.json["message"], answer.json["remedy"]) == (
        "0.png: This is no picture.",
        "Save it as PNG.",
    )
    worker.refuses(ChildDied())
    answer = predict(client, model_id, b"a")
    assert (answer.status_code, answer.json["code"], answer.json["cause"]) == (
        500, "child_died", "infrastructure",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "fields"),
    [("form", {"form": "mask"}), ("way", {"way": "x"}), ("pictures", {"pictures": "x"}),
     ("precision", {"precision": "int8"}), ("nothing", {"nothing": "1"})],
)  # fmt: skip
def test_a_wrong_field_is_named(
    client: FlaskClient, model_id: str, worker: Worker, storage: Storage, field: str, fields: dict[str, str]
):
    answer = predict(client, model_id, b"a", **fields)
    assert answer.status_code == 422, answer.text
    assert field in answer.json["errors"]
    assert (worker.jobs, list(storage.predictions.iterdir())) == ([], [])


def test_images_are_needed_and_bounded(
    client: FlaskClient, model_id: str, worker: Worker, settings: Settings, storage: Storage
):
    url = f"/api/v1/trained-models/{model_id}/predict"
    empty = client.post(url, data={"form": "json"}, content_type="multipart/form-data")
    assert (empty.status_code, "image" in empty.json["errors"]) == (422, True)
    other = client.post(url, data={"file": (io.BytesIO(b"a"), "a.png")})
    assert (other.status_code, "image" in other.json["errors"]) == (422, True)
    assert client.post(url, json={}).status_code == 415
    assert predict(client, model_id, *[b"a"] * 17).status_code == 422
    assert predict(client, model_id, b"a" * (settings.max_upload_bytes + 1)).status_code == 413
    assert predict(client, "model-0123456789ab", b"a").status_code == 404
    assert worker.jobs == []
    assert not storage.predictions.exists() or list(storage.predictions.iterdir()) == []


def test_what_waits_is_bounded(
    client: FlaskClient, model_id: str, worker: Worker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MAX_WAITING", 0)
    answer = predict(client, model_id, b"a")
    assert (answer.status_code, answer.json["code"]) == (503, "too_many_predictions")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a b.png", "3-a-b.png"), ("../../x.tar.gz", "3-x-tar.png"), ("c:\\d\\ü.jpg", "3-ü.png"),
     ("", "3-image.png"), (".png", "3-image.png"), ("é" * 90, f"3-{'é' * 60}.png")],
)  # fmt: skip
def test_no_path_of_a_client_becomes_a_name_in_an_archive(name: str, expected: str):
    assert picture_name(name, 2) == expected


def test_weights_alone_are_written_by_a_worker(
    client: FlaskClient, run_id: str, worker: Worker, storage: Storage
):
    url = f"/api/v1/runs/{run_id}/checkpoints/best"
    assert client.get(f"{url}?form=weights").status_code == 404
    checkpoint = storage.run(run_id).best_checkpoint
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"a checkpoint")

    def written(job: Any) -> dict[str, Any]:
        target = storage.prediction(job.id).weights
        target.parent.mkdir(parents=True)
        target.write_bytes(b"tensors of " + (storage.run(job.run_id).path / job.file).read_bytes())
        return {"result": {}}

    worker.answer = written
    answer = client.get(f"{url}?form=weights")
    assert (answer.status_code, answer.data) == (200, b"tensors of a checkpoint")
    assert f"{run_id}-best.safetensors" in answer.headers["Content-Disposition"]
    assert list(storage.predictions.iterdir()) == []
    worker.refuses(StorageUnavailable("best.ckpt was not written by Trainyard."))
    assert client.get(f"{url}?form=weights").json["code"] == "storage_unavailable"
    assert client.get(url).data == b"a checkpoint"
    assert "form" in client.get(f"{url}?form=x").json["errors"]
