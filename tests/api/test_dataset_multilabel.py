"""A set whose classes overlap, from its upload to a run."""

import io
import threading
import time
import zipfile

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.api.conftest import Hand, submit, upload
from trainyard.lease import LeaseRules, Ownership
from trainyard.storage.files import Storage
from workers.datasets.supervisor import IngestSupervisor

DATASETS = "/api/v1/datasets"


def overlapping() -> bytes:
    """A zip of six images, of which each has a mask of cat and one of dog; these share a quarter."""
    numbers = np.random.default_rng(5)
    left, middle = np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8)
    left[:, :8], middle[:, 4:12] = 255, 255
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for place in range(6):
            image = numbers.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            for folder, array in (("images", image), ("masks/cat", left), ("masks/dog", middle)):
                encoded = io.BytesIO()
                Image.fromarray(array).save(encoded, "PNG")
                made.writestr(f"{folder}/{place}.png", encoded.getvalue())
    return buffer.getvalue()


def work(hand: Hand, storage: Storage) -> None:
    held = hand.datasets.claim("ingest", "worker")
    assert held
    owned = Ownership(LeaseRules(), time.monotonic())
    IngestSupervisor(hand.datasets, storage, threading.Event(), held, owned).supervise()


@pytest.fixture
def multilabel(client: FlaskClient, hand: Hand, storage: Storage) -> str:
    """The id of such a set, ingested."""
    response = upload(client, overlapping())
    assert response.status_code == 202, response.text
    work(hand, storage)
    return str(response.json["id"])  # type: ignore[index]


def test_the_record_says_what_it_is(client: FlaskClient, multilabel: str):
    record = client.get(f"{DATASETS}/{multilabel}").json
    assert (record["status"], record["summary"]["task"]) == ("ready", "multilabel")
    assert [(one["name"], one["share"]) for one in record["summary"]["classes"]] == [
        ("cat", 0.5),
        ("dog", 0.5),
    ]
    assert [(one["severity"], one["code"]) for one in record["problems"]] == [
        ("warning", "multilabel_overlap")
    ]
    task = client.get("/openapi.json").json["components"]["schemas"]["DatasetSummary"]["properties"]["task"]
    assert task["enum"] == ["multiclass", "multilabel"]


def test_its_samples_and_previews_are_shown(client: FlaskClient, multilabel: str):
    items = client.get(f"{DATASETS}/{multilabel}/samples?class=dog").json["items"]
    assert [item["classes"] for item in items] == [["cat", "dog"]] * 6
    assert client.get(items[0]["url"]).status_code == 200


def test_a_run_of_the_task_is_accepted(client: FlaskClient, multilabel: str):
    response = submit(client, multilabel, spec={"model": {"task": "multilabel"}})
    assert response.status_code == 201, response.text
    assert response.json["spec"]["model"]["task"] == "multilabel"


def test_a_run_of_another_task_is_told_which_it_is(client: FlaskClient, multilabel: str, dataset_id: str):
    said = {}
    for set_id, task in ((multilabel, "multiclass"), (multilabel, "binary"), (dataset_id, "multilabel")):
        response = submit(client, set_id, spec={"model": {"task": task}})
        assert (response.status_code, response.json["code"]) == (422, "invalid_request")
        said[task] = response.json["errors"]["spec"]["model"]["task"]
    assert said["multiclass"] == said["binary"] == ["multilabel: what this set is"]
    assert said["multilabel"] == ["multiclass, or binary for two classes: what this set is"]


def test_a_label_map_that_merges_makes_it_trainable(
    client: FlaskClient, multilabel: str, hand: Hand, storage: Storage
):
    refused = client.post(f"{DATASETS}/{multilabel}/label-map", json={"label_map": {"2": None}})
    assert refused.status_code == 202
    work(hand, storage)
    record = client.get(f"{DATASETS}/{multilabel}").json
    assert [one["code"] for one in record["refused_change"]["problems"]] == ["multilabel_ignore"]
    merged = {"label_map": {"2": 1}, "classes": {"0": "background", "1": "pet"}}
    assert client.post(f"{DATASETS}/{multilabel}/label-map", json=merged).status_code == 202
    work(hand, storage)
    summary = client.get(f"{DATASETS}/{multilabel}").json["summary"]
    assert (summary["task"], [one["share"] for one in summary["classes"]]) == ("multiclass", [0.25, 0.75])
    assert submit(client, multilabel).status_code == 201


def test_a_summary_of_before_is_multiclass(client: FlaskClient, dataset_id: str):
    assert client.get(f"{DATASETS}/{dataset_id}").json["summary"]["task"] == "multiclass"
