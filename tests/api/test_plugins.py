"""Specs and data sets that name what plug-ins offer: accepted where a worker has it, and waited for."""

import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import submit, upload
from trainyard.plugins.offers import Offer
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.storage.files import Storage
from trainyard.store.connection import Client
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore

OFFERS = (
    Offer(
        kind="loss", name="lab.tversky", help="an index", task="segmentation", forms=("multiclass",),
        params={"alpha": (0, 1)},
    ),
    Offer(kind="loss", name="lab.ordinal", task="classification"),
    Offer(kind="optimizer", name="lab.sgd"),
    Offer(kind="metric", name="lab.edge_distance", task="segmentation"),
    Offer(
        kind="architecture", name="lab.net", task="segmentation", size_multiple=48, encoders=("lab.small",)
    ),
    Offer(kind="format", name="lab.scans"),
)  # fmt: skip


def alive(client: Client, *queues: str, offers: tuple[Offer, ...] = OFFERS, name: str = "w") -> None:
    WorkerStore(client).beat(
        WorkerState(
            id=name,
            host="h",
            pid=1,
            queues=queues,
            device="d",
            memory_bytes=1,
            started_at=time.time(),
            offers=offers,
        )
    )


def loss(name: str = "lab.tversky", **params: float) -> dict[str, Any]:
    return {"optimization": {"losses": [{"name": name, "weight": 1.0, "params": params}]}}


NET = {"model": {"architecture": "lab.net", "encoder": "lab.small"}, "data": {"image_size": 96}}
MONITORED = {"checkpoints": {"monitor": "val_lab.edge_distance"}}


@pytest.mark.parametrize(
    "spec", [loss(alpha=0.3), {"optimization": {"optimizer": "lab.sgd"}}, MONITORED, NET, {**loss(), **NET}]
)
def test_what_a_worker_offers_may_be_asked_for(
    client: FlaskClient, dataset_id: str, redis_client: Client, spec: dict[str, Any]
):
    alive(redis_client, "cpu")
    response = submit(client, dataset_id, spec=spec)
    assert response.status_code == 201, response.text
    assert response.json["spec"]["version"] >= 6
    assert client.get(f"/api/v1/runs/{response.json['id']}").json["waiting"]["reason"]["code"] == "starting"


@pytest.mark.parametrize(
    ("spec", "field", "said"),
    [
        (loss("lab.other"), ("optimization", "losses", "0", "name"), "lab.ordinal, lab.tversky, or one of"),
        (loss("lab.ordinal"), ("optimization", "losses", "0", "name"), "a loss of segmentation"),
        (loss(alpha=1.5), ("optimization", "losses", "0", "params"), "alpha must be from 0 to 1"),
        (loss(beta=0.5), ("optimization", "losses", "0", "params"), "accepted: alpha"),
        (
            {**loss(), "model": {"task": "binary"}},
            ("optimization", "losses", "0", "name"),
            "another loss, or model.task: multiclass",
        ),
        (
            {"optimization": {**loss()["optimization"], "class_weighting": "auto"}},
            ("optimization", "class_weighting"),
            "none, or a loss that takes them",
        ),
        ({"optimization": {"optimizer": "lab.adam"}}, ("optimization", "optimizer"), "lab.sgd, or one of"),
        ({"early_stopping": {"monitor": "val_lab.iou"}}, ("early_stopping", "monitor"), "lab.edge_distance"),
        ({**NET, "data": {"image_size": 100}}, ("data", "image_size"), "a multiple of 48"),
        ({**NET, "model": {**NET["model"], "encoder": "resnet18"}}, ("model", "encoder"), "lab.small"),
        ({"model": {"encoder": "lab.small"}}, ("model", "encoder"), "an encoder of smp"),
        (loss("Lab.Tversky"), ("optimization", "losses", "0", "name"), "Must be one of: cross_entropy"),
        ({"checkpoints": {"monitor": "lab.edge_distance"}}, ("checkpoints", "monitor"), "Must be one of:"),
    ],
)
def test_anything_else_is_told_at_submission(
    client: FlaskClient,
    dataset_id: str,
    redis_client: Client,
    spec: dict[str, Any],
    field: tuple[str, ...],
    said: str,
):
    alive(redis_client, "cpu")
    response = submit(client, dataset_id, spec=spec)
    assert response.status_code == 422, response.text
    problems = response.json["errors"]["spec"]
    for name in field:
        problems = problems[name]
    assert said in problems[0]


def test_a_worker_of_another_class_does_not_count(client: FlaskClient, dataset_id: str, redis_client: Client):
    alive(redis_client, "gpu")
    response = submit(client, dataset_id, spec=loss())
    assert response.status_code == 422
    assert response.json["message"] == "No worker of the class cpu offers the loss 'lab.tversky'."
    assert submit(client, dataset_id, spec=loss(), device_class="gpu").status_code == 201


@pytest.mark.parametrize("spec", [loss(), {"optimization": {"optimizer": "lab.sgd"}}, MONITORED, NET])
def test_a_run_waits_for_a_worker_that_has_its_plug_ins(
    client: FlaskClient, dataset_id: str, redis_client: Client, storage: Storage, spec: dict[str, Any]
):
    alive(redis_client, "cpu")
    asking, plain = submit(client, dataset_id, spec=spec), submit(client, dataset_id)
    alive(redis_client, "cpu", offers=())
    seen = client.get(f"/api/v1/runs/{asking.json['id']}").json["waiting"]
    assert (seen["reason"]["code"], seen["predicted_start"]) == ("no_plugin", None)
    runs = RunRegistry(redis_client, storage)
    others = [offer.key for offer in OFFERS if offer.kind == "format"]
    assert runs.claim("cpu", "without", 0, others).id == plain.json["id"]
    assert runs.claim("cpu", "without", 0, others) is None
    assert runs.claim("cpu", "with", 0, [offer.key for offer in OFFERS]).id == asking.json["id"]


def test_a_data_set_of_a_plug_in_s_format(client: FlaskClient, redis_client: Client, storage: Storage):
    refused = upload(client, format="lab.scans")
    assert refused.status_code == 422
    assert refused.json["errors"] == {"format": ["none of plug-ins, or one of Trainyard's own"]}
    alive(redis_client, "ingest")
    accepted = upload(client, format="lab.scans")
    assert accepted.status_code == 202, accepted.text
    sets = DatasetRegistry(redis_client, storage)
    assert sets.claim("ingest", "without") is None
    assert sets.claim("ingest", "with", 0, ["format lab.scans"]).id == accepted.json["id"]


def test_the_catalogue_and_the_workers_tell_of_offers(client: FlaskClient, redis_client: Client):
    assert client.get("/api/v1/catalog").json["plugins"] == []
    alive(redis_client, "cpu", name="a", offers=OFFERS[:3])
    alive(redis_client, "ingest", name="b", offers=OFFERS[2:])
    listed = client.get("/api/v1/catalog").json["plugins"]
    assert [one["name"] for one in listed] == [
        "lab.net", "lab.scans", "lab.ordinal", "lab.tversky", "lab.edge_distance", "lab.sgd",
    ]  # fmt: skip
    assert listed[3] == {
        "kind": "loss", "name": "lab.tversky", "help": "an index", "task": "segmentation",
        "forms": ["multiclass"], "params": {"alpha": [0, 1]}, "takes_class_weights": False,
        "size_multiple": 1, "encoders": [],
    }  # fmt: skip
    workers = client.get("/api/v1/workers").json["items"]
    assert [[one["name"] for one in worker["offers"]] for worker in workers] == [
        ["lab.tversky", "lab.ordinal", "lab.sgd"], ["lab.sgd", "lab.edge_distance", "lab.net", "lab.scans"],
    ]  # fmt: skip
