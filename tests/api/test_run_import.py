"""Experiments that are handed over, with a hand that lays them out as a worker would."""

import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import ROOT, Hand, archive, submit, upload
from tests.api.exported import export
from tests.api.summary import SUMMARY
from trainyard.errors import InvalidRequest
from trainyard.library.import_job import ClaimedRun, ImportJob
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.checkpoints import Checkpoint
from trainyard.runs.record import AttemptRecord, ForkedFrom, MetricSummary
from trainyard.scheduling.leftovers import LOST_AFTER_S, clear_leftovers
from trainyard.scheduling.reindex import Reindex
from trainyard.settings import CONFIGS, Settings
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder, Storage
from trainyard.storage.json_files import write_json
from trainyard.storage.metric_rows import write_rows
from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.resources.prediction_store import PredictionStore

HASH = str(SUMMARY["content_hash"])
ROW = {"epoch": 1, "step": 5, "train_loss": 1.0, "val_loss": 0.9, "val_miou": 0.4}
CLAIMED = ClaimedRun(
    run_id="run-00000000000a",
    name="exp3",
    revision=8,
    created_at=1.7e9,
    status="completed",
    dataset_hash=HASH,
    experiment=None,
    spec=Experiments(CONFIGS).compose({"epochs": 1}),
    epochs=1,
    epoch=1,
    step=5,
    used_seconds=12.5,
    fence=1,
    attempts=(AttemptRecord(attempt=1, worker="local", started_at=1.7e9, ended_at=1.7e9 + 9, epochs=1),),
    checkpoints={
        "last": Checkpoint(file=".attempts/1/.saved/a.ckpt", epoch=1, step=5, bytes=3, sha256="0" * 64)
    },
    notices=(),
    has_results=True,
    metrics={"val_miou": MetricSummary(best=0.4, best_epoch=1, last=0.4, last_epoch=1)},
    best_row=ROW,
    last_row=ROW,
    result={"status": "completed", "best_epoch": 1, "best": ROW, "export": None},
)


class Worker:
    """Takes experiments in: lays out the files of CLAIMED, and answers it with `values` changed."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self.values: dict[str, Any] = {}
        self.error: InvalidRequest | None = None
        self.taken: list[str] = []
        self._storage = storage
        self._client = connect(settings.redis_url)
        self._store = PredictionStore(self._client, keys.IMPORTS)
        self._over = threading.Event()
        state = WorkerState(
            id="w", host="h", pid=1, queues=("predict",), device="", memory_bytes=1, started_at=time.time()
        )
        WorkerStore(self._client).beat(state)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def _work(self) -> None:
        while not self._over.is_set():
            if (found := self._store.take()) is not None:
                assert isinstance(found[0], ImportJob)
                self._store.answer(found[0].id, self._answer(found[0]))

    def _answer(self, job: ImportJob) -> dict[str, Any]:
        folder = self._storage.prediction(job.id)
        self.taken.append(folder.received.upload.read_bytes().hex())
        if self.error:
            return {"error": self.error.to_dict()}
        lay_out(folder.run)
        return {"result": asdict(replace(CLAIMED, **self.values))}


def lay_out(run: RunFolder) -> None:
    own = run.attempt(1)
    own.saved.mkdir(parents=True)
    (own.saved / "a.ckpt").write_bytes(b"abc")
    write_json(own.saved / "a.ckpt.json", {"epoch": 1, "step": 5})
    write_rows(run, 1, [ROW])
    write_json(own.report_json, {})
    own.report_html.write_text("<p>report</p>")
    export(own, names=("ground", "disc"))
    run.events.write_text('{"id": "1700000000000-0", "event": "notice", "message": "as it was"}\n')
    run.log.parent.mkdir()
    run.log.write_text("trained\n")


@pytest.fixture
def worker(settings: Settings, storage: Storage) -> Iterator[Worker]:
    running = Worker(settings, storage)
    yield running
    running.end()


def send(
    client: FlaskClient, key: str | None = None, content: bytes | None = None, **fields: Any
) -> TestResponse:
    data = {"file": (io.BytesIO(content or archive()), "exp3.zip"), **fields}
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/v1/runs/import", data=data, headers=headers)


def imported(client: FlaskClient, key: str | None = None, **fields: Any) -> dict[str, Any]:
    answer = send(client, key, **fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def files_left(storage: Storage) -> list[str]:
    """Files of imports under way and of runs."""
    folders = (storage.predictions, storage.uploads, storage.root / "runs")
    return [str(path) for folder in folders if folder.exists() for path in folder.iterdir()]


def test_an_experiment_becomes_a_run_that_has_ended(client: FlaskClient, worker: Worker, storage: Storage):
    run = imported(client, project="lab", tags='["first", "local"]', group="steps", notes="from home")
    assert (run["name"], run["status"], run["epoch"], run["queue"]) == ("exp3", "completed", 1, "cpu")
    assert (run["project"], run["tags"], run["group"]) == ("lab", ["first", "local"], "steps")
    told = run["imported"]
    assert (told["run_id"], told["name"], told["revision"]) == ("run-00000000000a", "exp3", 8)
    assert told["created_at"].startswith("2023-11-14")
    assert told["by"]
    assert run["dataset_deleted"]
    assert run["dataset_hash"] == HASH
    path = f"/api/v1/runs/{run['id']}"
    assert client.get(f"{path}/metrics").json["items"] == [ROW]
    assert [one["name"] for one in client.get(f"{path}/checkpoints").json["items"]] == ["last"]
    assert client.get(f"{path}/checkpoints/last").data == b"abc"
    assert client.get(f"{path}/artifacts/report.html").data == b"<p>report</p>"
    assert client.get(f"{path}/log").text == "trained\n"
    events = client.get(f"{path}/events").text
    assert "as it was" in events
    assert '"completed"' in events
    listed = client.get("/api/v1/runs?tag=first&sort=best.val_miou").json["items"]
    assert [one["id"] for one in listed] == [run["id"]]
    page = client.get(f"/runs/{run['id']}").text
    assert page.count("trained elsewhere as") == 1
    assert "not on this server" in page
    assert [path for path in files_left(storage) if "runs" not in path] == []


def test_it_is_registered_and_forked_as_any_run(client: FlaskClient, worker: Worker, dataset_id: str):
    run = imported(client)
    assert run["dataset_id"] == dataset_id, "the set with that content is found"
    model = client.post("/api/v1/trained-models", json={"run_id": run["id"], "name": "m"})
    assert model.status_code == 201, model.text
    assert model.json["dataset_id"] == dataset_id
    fork = client.post(f"/api/v1/runs/{run['id']}/fork", json={"checkpoint": "last"})
    assert fork.status_code == 201, fork.text
    other = submit(client, dataset_id).json["id"]
    compared = client.get(f"/api/v1/runs/compare?ids={run['id']},{other}").json
    assert compared["metrics"][0]["best_run"] == run["id"]


def test_it_goes_on_where_its_data_set_is_here(
    client: FlaskClient, worker: Worker, hand: Hand, notified: list[str]
):
    run = imported(client)
    path = f"/api/v1/runs/{run['id']}"
    refused = client.post(f"{path}/resume", json={"epochs": 3})
    assert refused.status_code == 409
    assert "is not here" in refused.json["message"]
    assert upload(client).status_code == 202
    other = hand.ingest(content_hash="b" * 64)
    answer = client.patch(path, json={"dataset_id": other})
    assert answer.status_code == 422
    assert HASH in str(answer.json["errors"]["dataset_id"])
    assert client.patch(path, json={"dataset_id": "ds-0123456789ab"}).status_code == 404
    assert upload(client, name="same").status_code == 202
    dataset_id = hand.ingest()
    assert client.patch(path, json={"dataset_id": dataset_id}).json["dataset_deleted"] is False
    assert client.patch(path, json={"dataset_id": other}).status_code == 409, "it has its set"
    assert client.post(f"{path}/resume", json={"epochs": 3}).status_code == 200
    held = hand.begin()
    assert (held.id, held.fence, held.epoch) == (run["id"], 2, 1)
    listed = client.get(f"/api/v1/runs?dataset_id={dataset_id}").json["items"]
    assert [one["id"] for one in listed] == [run["id"]]


def test_a_data_set_that_is_named_must_have_the_content(client: FlaskClient, worker: Worker, hand: Hand):
    upload(client)
    dataset_id = hand.ingest(content_hash="b" * 64)
    answer = send(client, dataset_id=dataset_id)
    assert answer.status_code == 422
    assert "dataset_id" in answer.json["errors"]
    assert send(client, dataset_id="ds-0123456789ab").status_code == 404


def test_the_same_key_is_the_same_run(client: FlaskClient, worker: Worker, storage: Storage):
    first = imported(client, "k")
    again = send(client, "k")
    assert again.json["id"] == first["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(worker.taken) == 1
    other = send(client, "k", name="another")
    assert other.status_code == 409
    assert send(client, "k", content=archive(2)).status_code == 409
    assert len(client.get("/api/v1/runs").json["items"]) == 1
    assert [path for path in files_left(storage) if "runs" not in path] == []


def begun(client: FlaskClient, content: bytes) -> dict[str, str]:
    """A whole upload in pieces, as an import names it."""
    made = client.post("/api/v1/uploads", json={"bytes": len(content)}).json
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert client.patch(f"/api/v1/uploads/{made['id']}", data=content, headers=headers).status_code == 204
    return {"upload_id": made["id"], "sha256": hashlib.sha256(content).hexdigest()}


def test_an_upload_in_pieces_becomes_a_run_once(client: FlaskClient, worker: Worker, storage: Storage):
    whole = begun(client, archive())
    made = client.post("/api/v1/runs/import", json=whole)
    assert made.status_code == 201, made.text
    assert worker.taken == [archive().hex()]
    again = client.post("/api/v1/runs/import", json=whole)
    assert again.json["id"] == made.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [path for path in files_left(storage) if "runs" not in path] == []


def test_an_upload_that_is_not_what_was_sent_stays(client: FlaskClient, worker: Worker):
    whole = begun(client, archive())
    wrong = client.post("/api/v1/runs/import", json={**whole, "sha256": "0" * 64})
    assert wrong.status_code == 422
    assert client.post("/api/v1/runs/import", json={**whole, "project": "other"}).status_code == 422
    assert client.post("/api/v1/runs/import", json=whole).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "file"),
        ({"upload_id": "up-0123456789ab"}, "sha256"),
        ({"sha256": "0" * 64}, "upload_id"),
        ({"tags": ["a,b"]}, "tags"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_asked_wrongly_is_said(client: FlaskClient, worker: Worker, body: dict[str, Any], field: str):
    answer = client.post("/api/v1/runs/import", json=body)
    assert answer.status_code == 422
    assert field in answer.json["errors"]


def test_of_what_is_refused_nothing_stays(client: FlaskClient, worker: Worker, storage: Storage):
    worker.error = InvalidRequest("run.json: no.", errors={"file": ["run.json: no"]}, remedy="Send it whole.")
    answer = send(client, "k")
    assert (answer.status_code, answer.json["errors"]) == (422, {"file": ["run.json: no"]})
    assert send(client, content=b"no archive").status_code == 422
    assert files_left(storage) == []
    worker.error = None
    assert send(client, "k").status_code == 201, "what is sent right with the key is taken"


def test_without_a_worker_it_is_said_who_is_missing(client: FlaskClient, storage: Storage):
    answer = send(client)
    assert (answer.status_code, answer.json["code"]) == (503, "no_import_worker")
    assert files_left(storage) == []


def test_a_fork_names_what_its_origin_has_become(client: FlaskClient, worker: Worker):
    origin = imported(client, project="lab")
    forked = ForkedFrom(run_id=CLAIMED.run_id, checkpoint="best", loaded_layers=1, total_layers=1)
    worker.values = {"run_id": "run-00000000000b", "forked_from": forked}
    assert imported(client, project="lab")["forked_from"]["run_id"] == origin["id"]
    assert imported(client, project="other")["forked_from"]["run_id"] == CLAIMED.run_id


def test_a_redis_that_was_emptied_has_it_again(
    client: FlaskClient, worker: Worker, storage: Storage, redis_client: Client
):
    run = imported(client, project="lab")
    worker_state = redis_client.get(keys.worker("w"))
    redis_client.flushall()
    runs = RunRegistry(redis_client, storage)
    Reindex(redis_client, storage, DatasetRegistry(redis_client, storage), runs).rebuild()
    assert client.get(f"/api/v1/runs/{run['id']}").json == run
    assert [one["id"] for one in client.get("/api/v1/runs?sort=best.val_miou").json["items"]] == [run["id"]]
    redis_client.set(keys.worker("w"), worker_state or "")
    redis_client.sadd(keys.WORKERS, "w")
    worker.values = {"forked_from": ForkedFrom(run_id=CLAIMED.run_id, checkpoint="best")}
    assert imported(client, project="lab")["forked_from"]["run_id"] == run["id"]


def test_what_a_process_left_that_died_is_cleared_away(
    client: FlaskClient, worker: Worker, storage: Storage, redis_client: Client
):
    runs = RunRegistry(redis_client, storage)
    folder = storage.run("run-0123456789ab")
    lay_out(folder)
    run = replace(runs.get(imported(client)["id"]), id="run-0123456789ab", revision=0)
    write_json(folder.record, runs.to_json(run))
    Reindex(redis_client, storage, DatasetRegistry(redis_client, storage), runs).rebuild()
    assert clear_leftovers([runs], time.time()) == []
    assert clear_leftovers([runs], time.time() + LOST_AFTER_S + 60) == ["run-0123456789ab"]
    assert not folder.path.exists()


def test_a_key_of_one_project_hands_nothing_over_to_another(keyed: Flask, worker: Worker, storage: Storage):
    admin = {"Authorization": f"Bearer {ROOT}"}
    client = keyed.test_client()
    asked = {"name": "anna", "role": "trainer", "projects": ["lab"]}
    key = client.post("/api/v1/keys", json=asked, headers=admin).json["key"]

    def sent(project: str) -> TestResponse:
        data = {"file": (io.BytesIO(archive()), "exp.zip"), "project": project}
        headers = {"Authorization": f"Bearer {key}"}
        return client.post("/api/v1/runs/import", data=data, headers=headers)

    assert sent("other").status_code == 403
    assert files_left(storage) == []
    assert sent("lab").status_code == 201
    assert json.loads(sent("lab").text)["imported"]["by"].startswith("key-")
