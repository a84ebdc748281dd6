"""The end of a data set."""

import threading
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, upload
from trainyard.datasets.record import Dataset
from trainyard.errors import Conflict, OwnershipLost
from trainyard.lease import LeaseRules, Ownership
from trainyard.runs.record import Run, RunStatus
from trainyard.storage.files import Storage
from trainyard.storage.ids import new_run_id
from workers.datasets.supervisor import IngestSupervisor

DATASETS = "/api/v1/datasets"
RUNS = "/api/v1/runs"


def delete(client: FlaskClient, dataset_id: str) -> Any:
    return client.delete(f"{DATASETS}/{dataset_id}")


def test_a_deleted_set_is_gone(client: FlaskClient, storage: Storage, dataset_id: str):
    kept = upload(client).json["id"]  # type: ignore[index]
    response = delete(client, dataset_id)
    assert (response.status_code, response.data) == (204, b"")
    assert client.get(f"{DATASETS}/{dataset_id}").status_code == 404
    assert delete(client, dataset_id).status_code == 404
    for query in ("", "?status=ready", "?project=default", "?status=ready&project=default"):
        listed = client.get(f"{DATASETS}{query}").json["items"]  # type: ignore[index]
        assert dataset_id not in [one["id"] for one in listed]
    assert [path.name for path in (storage.root / "datasets").iterdir()] == [kept]


def test_one_that_waits_is_not_ingested(client: FlaskClient, hand: Hand):
    assert delete(client, upload(client).json["id"]).status_code == 204  # type: ignore[index]
    assert hand.datasets.claim("ingest", "w") is None


@pytest.mark.parametrize("began", [False, True])
def test_a_run_that_is_not_over_keeps_its_set(client: FlaskClient, hand: Hand, run_id: str, began: bool):
    dataset_id = client.get(f"{RUNS}/{run_id}").json["dataset_id"]  # type: ignore[index]
    if began:
        hand.begin()
    response = delete(client, dataset_id)
    assert response.status_code == 409
    assert response.json["errors"] == {"runs": {run_id: "running" if began else "queued"}}
    assert run_id in response.json["message"]
    assert client.get(f"{DATASETS}/{dataset_id}").json["status"] == "ready"  # type: ignore[index]


@pytest.mark.parametrize("end", ["stopped", "completed", "failed"])
def test_an_ended_run_keeps_its_record_and_says_that_its_set_is_deleted(
    client: FlaskClient, hand: Hand, run_id: str, end: str
):
    if end == "stopped":
        client.post(f"{RUNS}/{run_id}/stop")
    else:
        hand.runs.finish(hand.begin(), RunStatus(end))
    before: Any = client.get(f"{RUNS}/{run_id}").json
    assert before["dataset_deleted"] is False
    assert delete(client, before["dataset_id"]).status_code == 204
    after: Any = client.get(f"{RUNS}/{run_id}").json
    assert after == {**before, "dataset_deleted": True}


def test_a_run_given_back_by_its_worker_still_needs_its_set(client: FlaskClient, hand: Hand, run_id: str):
    hand.runs.release(hand.begin())
    dataset_id = client.get(f"{RUNS}/{run_id}").json["dataset_id"]  # type: ignore[index]
    assert delete(client, dataset_id).status_code == 409


def test_no_run_is_accepted_for_a_deleted_set(client: FlaskClient, hand: Hand, run_id: str, storage: Storage):
    """As when the set was read before it was deleted and the run is submitted after."""
    run = hand.runs.get(run_id)
    client.post(f"{RUNS}/{run_id}/stop")
    assert delete(client, run.dataset_id).status_code == 204
    with pytest.raises(Conflict, match="deleted"):
        hand.runs.submit(Run(**{**vars(run), "id": new_run_id()}))
    response = client.post(RUNS, json={"dataset_id": run.dataset_id})
    assert response.status_code == 404
    assert hand.runs.claim("cpu", "w") is None


def test_a_run_and_a_delete_at_once_never_both_succeed(client: FlaskClient, hand: Hand, app: Any):
    for _ in range(20):
        upload(client)
        dataset_id = hand.ingest()
        start, answers = threading.Barrier(2), {}

        def submit(dataset_id=dataset_id, start=start, answers=answers) -> None:
            start.wait()
            body = {"dataset_id": dataset_id}
            answers["run"] = app.test_client().post(RUNS, json=body).status_code

        thread = threading.Thread(target=submit)
        thread.start()
        start.wait()
        answers["delete"] = delete(client, dataset_id).status_code
        thread.join()
        assert (answers["run"], answers["delete"]) in {(201, 409), (404, 204), (409, 204)}


def test_a_worker_leaves_nothing_of_a_set_deleted_under_it(client: FlaskClient, hand: Hand, storage: Storage):
    dataset_id = upload(client).json["id"]  # type: ignore[index]
    held: Dataset | None = hand.datasets.claim("ingest", "w")
    assert held
    assert delete(client, dataset_id).status_code == 204
    with pytest.raises(OwnershipLost):
        IngestSupervisor(
            hand.datasets, storage, threading.Event(), held, Ownership(LeaseRules(), time.monotonic())
        ).supervise()
    assert list((storage.root / "datasets").iterdir()) == []


def test_unknown_ids(client: FlaskClient):
    for identifier in ("ds-000000000000", "x", "..", "run-000000000000"):
        assert delete(client, identifier).status_code in (404, 405)
