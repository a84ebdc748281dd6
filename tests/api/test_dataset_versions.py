"""Ingests of one upload, one after the other: each is a version that never changes."""

import io
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.api.conftest import Hand, upload
from trainyard.lease import LeaseRules, Ownership
from trainyard.runs.record import Run
from trainyard.storage.files import Storage
from workers.datasets.supervisor import IngestSupervisor
from workers.prepared.version import PreparedDataset
from workers.runs.supervisor import RunSupervisor

DATASETS = "/api/v1/datasets"
CLASSES = '{"0": "background", "1": "pet"}'


def pictures(*values: int) -> bytes:
    """A zip of six noisy images whose masks hold the values in equal stripes."""
    numbers = np.random.default_rng(3)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for place in range(6):
            mask = np.repeat(np.array(values, np.uint8), 8)[None].repeat(16, axis=0)
            image = numbers.integers(0, 256, (*mask.shape, 3), dtype=np.uint8)
            for folder, array in (("images", image), ("masks", mask)):
                encoded = io.BytesIO()
                Image.fromarray(array).save(encoded, "PNG")
                made.writestr(f"{folder}/{place}.png", encoded.getvalue())
    return buffer.getvalue()


class Ingests:
    """A client, and a worker that ingests when it is told to."""

    def __init__(self, client: FlaskClient, hand: Hand, storage: Storage) -> None:
        self._client = client
        self._hand = hand
        self.storage = storage

    def upload(self, *values: int, **fields: str) -> str:
        """The id of a set that was uploaded and ingested."""
        response = upload(self._client, pictures(*values), **fields)
        assert response.status_code == 202, response.text
        self.work()
        return str(response.json["id"])  # type: ignore[index]

    def work(self) -> None:
        held = self._hand.datasets.claim("ingest", "worker")
        assert held
        IngestSupervisor(
            self._hand.datasets,
            self.storage,
            threading.Event(),
            held,
            Ownership(LeaseRules(), time.monotonic()),
        ).supervise()

    def read(self, dataset_id: str) -> Any:
        return self._client.get(f"{DATASETS}/{dataset_id}").json

    def relabel(self, dataset_id: str, label_map: Any, **body: Any) -> Any:
        return self._client.post(f"{DATASETS}/{dataset_id}/label-map", json={"label_map": label_map, **body})


@pytest.fixture
def ingests(client: FlaskClient, hand: Hand, storage: Storage) -> Ingests:
    return Ingests(client, hand, storage)


def test_an_ingest_makes_the_first_version(ingests: Ingests):
    record = ingests.read(dataset_id := ingests.upload(0, 1))
    assert (record["status"], record["version"], record["images_done"]) == ("ready", 1, 6)
    [version] = record["versions"]
    assert version["version"] == 1
    assert version["content_hash"] == record["summary"]["content_hash"]
    assert (version["images"], version["splits"]) == (6, {"train": 5, "val": 1})
    assert version["created_at"].endswith("Z")
    folder = ingests.storage.dataset(dataset_id).version(version["content_hash"])
    assert folder.name == version["content_hash"][:16]
    assert PreparedDataset(folder).content_hash == version["content_hash"]


def test_a_proposed_label_map_makes_a_set_whose_values_do_not_fit_usable(ingests: Ingests):
    dataset_id = ingests.upload(0, 255, classes=CLASSES)
    failed = ingests.read(dataset_id)
    assert (failed["status"], failed["version"], failed["versions"]) == ("failed", None, [])
    fields = {"severity", "code", "file", "message", "remedy", "count", "examples"}
    assert all(fields == one.keys() for one in failed["problems"])
    assert failed["proposed_label_map"]["255"] == 1
    response = ingests.relabel(dataset_id, failed["proposed_label_map"])
    assert response.status_code == 202, response.text
    assert response.headers["Location"] == f"{DATASETS}/{dataset_id}"
    assert response.json["status"] == "queued"
    ingests.work()
    ready = ingests.read(dataset_id)
    assert (ready["status"], ready["version"], ready["error"]) == ("ready", 1, None)
    assert ready["options"]["label_map"] == failed["proposed_label_map"]
    assert [one["name"] for one in ready["summary"]["classes"]] == ["background", "pet"]
    assert ready["proposed_label_map"] is None


def test_another_label_map_is_another_version_and_the_first_stays(ingests: Ingests):
    dataset_id = ingests.upload(0, 1, 2)
    first = ingests.read(dataset_id)
    assert len(first["summary"]["classes"]) == 3
    waiting = ingests.relabel(dataset_id, {"2": 1}).json
    assert (waiting["status"], waiting["version"]) == ("queued", 1)
    assert waiting["options"]["label_map"] is None
    assert waiting["change"]["label_map"] == {"2": 1}
    assert waiting["summary"] == first["summary"]
    ingests.work()
    second = ingests.read(dataset_id)
    assert (second["version"], second["change"]) == (2, None)
    assert [one["label_map"] for one in second["versions"]] == [None, {"2": 1}]
    assert second["versions"][0] == first["versions"][0]
    assert len(second["summary"]["classes"]) == 2
    for version in second["versions"]:
        folder = ingests.storage.dataset(dataset_id).version(version["content_hash"])
        assert PreparedDataset(folder).content_hash == version["content_hash"]


def test_the_same_content_again_is_the_same_version(ingests: Ingests):
    dataset_id = ingests.upload(0, 1, 2)
    for label_map in ({"2": 1}, {"0": 0}):
        ingests.relabel(dataset_id, label_map)
        ingests.work()
    record = ingests.read(dataset_id)
    assert record["version"] == 1
    assert len(record["versions"]) == 2
    assert len(list(ingests.storage.dataset(dataset_id).prepared.iterdir())) == 2


def test_a_refused_change_leaves_the_version_in_use(ingests: Ingests):
    dataset_id = ingests.upload(0, 1)
    before = ingests.read(dataset_id)
    ingests.relabel(dataset_id, {"0": 0, "1": 0}, classes={"3": "nothing"})
    ingests.work()
    record = ingests.read(dataset_id)
    assert (record["status"], record["version"], record["change"]) == ("ready", 1, None)
    for field in ("options", "summary", "problems", "versions"):
        assert record[field] == before[field]
    refused = record["refused_change"]
    assert refused["options"]["label_map"] == {"0": 0, "1": 0}
    assert [one for one in refused["problems"] if one["severity"] == "error"]
    assert refused["error"]["code"] == "bad_dataset"
    ingests.relabel(dataset_id, {"0": 0})
    assert ingests.read(dataset_id)["refused_change"] is None


def test_a_set_under_way_cannot_be_relabelled(ingests: Ingests, hand: Hand, client: FlaskClient):
    dataset_id = upload(client, pictures(0, 1)).json["id"]  # type: ignore[index]
    for status in ("queued", "ingesting"):
        response = ingests.relabel(dataset_id, {"1": 0})
        assert response.status_code == 409
        assert response.json["errors"] == {"status": status}
        hand.datasets.claim("ingest", "w")
    assert ingests.relabel("ds-000000000000", {"1": 0}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"label_map": {}}, {"label_map": None}, {"label_map": {"-1": 0}}, {"label_map": {"1": 65536}},
     {"label_map": {"1": 1.0}}, {"label_map": [1]}, {"label_map": {"1": 0}, "classes": {"0": ""}},
     {"label_map": {"1": 0}, "folds": 2}],
)  # fmt: skip
def test_odd_label_maps_change_nothing(client: FlaskClient, dataset_id: str, body: Any):
    before = client.get(f"{DATASETS}/{dataset_id}").json
    response = client.post(f"{DATASETS}/{dataset_id}/label-map", json=body)
    assert response.status_code == 422, response.text
    assert client.get(f"{DATASETS}/{dataset_id}").json == before


def test_a_run_trains_from_the_version_it_was_submitted_for(
    ingests: Ingests, client: FlaskClient, hand: Hand, storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    dataset_id = ingests.upload(0, 1, 2)
    first = ingests.read(dataset_id)["summary"]["content_hash"]
    run: Any = client.post("/api/v1/runs", json={"dataset_id": dataset_id}).json
    ingests.relabel(dataset_id, {"2": 1})
    ingests.work()
    assert run["dataset_hash"] == first != ingests.read(dataset_id)["summary"]["content_hash"]
    held: Run = hand.begin()
    folder = storage.dataset(dataset_id).version(first)
    (folder / "script").write_text("ok")
    monkeypatch.setattr("workers.runs.supervisor.TRAINING_CHILD", "tests.unit.scripted_child")
    RunSupervisor(
        hand.runs, storage, 1, threading.Event(), held, Ownership(LeaseRules(), time.monotonic())
    ).supervise()
    assert hand.runs.get(held.id).status == "finishing", (
        "its child found the script, so it was given the folder"
    )


def test_a_set_read_where_it_lies_fails_when_it_is_gone(
    ingests: Ingests, client: FlaskClient, storage: Storage, tmp_path: Path
):
    incoming = storage.root / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "a.zip").write_bytes(pictures(0, 1))
    dataset_id = client.post(DATASETS, json={"name": "a", "path": "a.zip"}).json["id"]  # type: ignore[index]
    ingests.work()
    assert ingests.read(dataset_id)["status"] == "ready"
    assert list(incoming.iterdir()) == [incoming / "a.zip"]
    (incoming / "a.zip").unlink()
    assert ingests.relabel(dataset_id, {"1": 0}).status_code == 202
    ingests.work()
    record = ingests.read(dataset_id)
    assert (record["status"], record["refused_change"]["error"]["code"]) == ("ready", "invalid_request")


def test_folds_are_chosen_by_a_run(ingests: Ingests, client: FlaskClient):
    dataset_id = ingests.upload(0, 1, folds="3")
    folded = json.loads(
        (next(ingests.storage.dataset(dataset_id).prepared.iterdir()) / "index.json").read_text()
    )
    assert sorted(sample["fold"] for sample in folded["samples"]) == [0, 0, 1, 1, 2, 2]

    def submitted(**data: Any) -> Any:
        return client.post("/api/v1/runs", json={"dataset_id": dataset_id, "spec": {"data": data}})

    assert submitted(split_index=2).json["spec"]["data"]["split_index"] == 2
    for data in ({"split_index": 3}, {"split_index": 0, "val_fraction": 0.5}, {"split_index": -1}):
        response = submitted(**data)
        assert response.status_code == 422, response.text
        assert "split_index" in response.json["errors"]["spec"]["data"]


def test_a_set_without_folds_has_none_to_choose(client: FlaskClient, dataset_id: str):
    spec = {"data": {"split_index": 0}}
    response = client.post("/api/v1/runs", json={"dataset_id": dataset_id, "spec": spec})
    assert response.status_code == 422
    assert "no folds" in str(response.json["errors"]["spec"]["data"]["split_index"])
