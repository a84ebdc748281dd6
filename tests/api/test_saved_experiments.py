"""Experiments that are saved in a project, and the runs that are made of them."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import ROOT, Hand, submit
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.reindex import Reindex
from trainyard.storage.files import Storage
from trainyard.store.connection import Client

PATH = "/api/v1/saved-experiments"
SPEC = {"epochs": 7, "optimization": {"learning_rate": 0.0003}}


def saved(client: FlaskClient, name: str = "careful", **asked: Any) -> dict[str, Any]:
    answer = client.post(PATH, json={"name": name, **asked})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def ids(answer: TestResponse) -> list[str]:
    assert answer.json is not None
    return [one["id"] for one in answer.json["items"]]


def test_what_is_saved_is_read_listed_changed_and_forgotten(client: FlaskClient):
    made = saved(client, project="lab", spec=SPEC, notes="slow")
    assert (made["name"], made["project"], made["spec"], made["notes"]) == ("careful", "lab", SPEC, "slow")
    assert made["created_by"]
    path = f"{PATH}/{made['id']}"
    assert client.get(path).json == made
    other = saved(client, "quick", spec={"epochs": 1})
    assert ids(client.get(PATH)) == [other["id"], made["id"]]
    assert ids(client.get(f"{PATH}?project=lab")) == [made["id"]]
    changed = client.patch(path, json={"spec": {"epochs": 9}}).json
    assert (changed["spec"], changed["notes"]) == ({"epochs": 9}, "slow")
    assert client.patch(path, json={"notes": "slower"}).json["spec"] == {"epochs": 9}
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404
    assert ids(client.get(f"{PATH}?project=lab")) == []
    assert saved(client, project="lab")["id"] == made["id"], "the name is free again"


def test_a_run_is_made_of_it_by_its_name_in_the_runs_project(client: FlaskClient, dataset_id: str):
    saved(client, spec=SPEC)
    saved(client, project="lab", spec={"epochs": 3})
    run = submit(client, dataset_id, experiment="careful", spec={"data": {"batch_size": 2}}).json
    assert run["experiment"] == "careful"
    spec = run["spec"]
    assert (spec["epochs"], spec["optimization"]["learning_rate"], spec["data"]["batch_size"]) == (
        7,
        0.0003,
        2,
    )
    assert submit(client, dataset_id, experiment="careful", project="lab").json["epochs"] == 3
    checked = client.post("/api/v1/runs/check", json={"dataset_id": dataset_id, "experiment": "careful"})
    assert checked.json["epochs"] == 7
    unknown = submit(client, dataset_id, experiment="carefull")
    assert unknown.status_code == 422
    assert "demo, " in unknown.json["errors"]["experiment"][0]
    assert "careful" in unknown.json["errors"]["experiment"][0]


def test_a_draft_may_name_it(client: FlaskClient, dataset_id: str):
    saved(client, project="lab", spec=SPEC)
    asked = {"experiment": "careful", "project": "lab", "dataset_id": dataset_id}
    draft = client.post("/api/v1/drafts", json=asked).json["id"]
    assert client.post(f"/api/v1/drafts/{draft}/submit").json["epochs"] == 7


def test_it_is_laid_over_a_ready_one_another_one_or_a_run(client: FlaskClient, dataset_id: str):
    base = saved(client, "base", experiment="demo", spec={"augmentation": {"preset": "none"}})
    over = saved(client, "over", experiment="base", spec={"augmentation": {"preset": "light"}})
    assert over["spec"]["model"] == base["spec"]["model"], "that of demo"
    run = submit(client, dataset_id, experiment="over", spec={"epochs": 5}).json
    assert run["spec"]["augmentation"]["preset"] == "light"
    of_run = saved(client, "again", run_id=run["id"], spec={"epochs": 6})
    assert of_run["run_id"] == run["id"]
    again = submit(client, dataset_id, experiment="again").json["spec"]
    assert again == {**run["spec"], "epochs": 6}


def test_saved_again_it_is_the_same_and_other_settings_are_refused(client: FlaskClient):
    made = saved(client, spec=SPEC)
    again = client.post(PATH, json={"name": "careful", "spec": SPEC})
    assert again.json == made
    assert again.headers["Idempotent-Replayed"] == "true"
    other = client.post(PATH, json={"name": "careful", "spec": {"epochs": 8}})
    assert other.status_code == 409
    assert made["id"] in other.json["remedy"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": "demo"}, "name"),
        ({}, "name"),
        ({"name": "x", "spec": {"epochs": 0}}, "spec"),
        ({"name": "x", "spec": {"model": {"encoder": "resnet19"}}}, "spec"),
        ({"name": "x", "experiment": "none"}, "experiment"),
        ({"name": "x", "experiment": "demo", "run_id": "run-0123456789ab"}, "run_id"),
    ],
)
def test_what_could_not_be_trained_is_refused(client: FlaskClient, asked: dict[str, Any], field: str):
    answer = client.post(PATH, json=asked)
    assert answer.status_code == 422, answer.text
    assert field in answer.json["errors"]


def test_a_change_is_checked_as_what_is_saved(client: FlaskClient):
    path = f"{PATH}/{saved(client, spec=SPEC)['id']}"
    assert client.patch(path, json={"spec": {"epochs": -1}}).status_code == 422
    assert client.patch(path, json={}).status_code == 422
    assert client.patch(f"{PATH}/exp-0123456789ab", json={"notes": "x"}).status_code == 404
    assert client.get(path).json["spec"] == SPEC


def test_a_redis_that_was_emptied_has_them_again(
    client: FlaskClient, storage: Storage, redis_client: Client, hand: Hand
):
    made = saved(client, project="lab", spec=SPEC)
    redis_client.flushall()
    assert client.get(f"{PATH}/{made['id']}").status_code == 503, "and not 404"
    assert client.post(PATH, json={"name": "careful", "project": "lab"}).status_code == 503
    runs = RunRegistry(redis_client, storage)
    Reindex(redis_client, storage, DatasetRegistry(redis_client, storage), runs).rebuild()
    assert client.get(f"{PATH}/{made['id']}").json == made
    assert ids(client.get(f"{PATH}?project=lab")) == [made["id"]]
    assert "lab" in [one["name"] for one in client.get("/api/v1/projects").json["items"]]


def test_a_key_of_one_project_changes_those_of_no_other(keyed: Flask):
    client, admin = keyed.test_client(), {"Authorization": f"Bearer {ROOT}"}
    asked = {"name": "anna", "role": "trainer", "projects": ["lab"]}
    own = {"Authorization": f"Bearer {client.post('/api/v1/keys', json=asked, headers=admin).json['key']}"}
    other = client.post(PATH, json={"name": "x", "project": "other"}, headers=admin).json["id"]
    assert client.post(PATH, json={"name": "y", "project": "other"}, headers=own).status_code == 403
    assert client.patch(f"{PATH}/{other}", json={"notes": "z"}, headers=own).status_code == 403
    assert client.delete(f"{PATH}/{other}", headers=own).status_code == 403
    assert client.post(PATH, json={"name": "y", "project": "lab"}, headers=own).status_code == 201
