"""Drafts: saved, edited, checked, submitted once, and listed apart from runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.conftest import ROOT, Hand, upload
from tests.api.server import Server
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.reindex import Reindex
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard_client import Client as ApiClient
from trainyard_client.errors import Refused

DRAFTS = "/api/v1/drafts"
RUNS = "/api/v1/runs"


def saved(client: FlaskClient, **body: Any) -> dict[str, Any]:
    answer = client.post(DRAFTS, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    assert answer.headers["Location"] == f"{DRAFTS}/{found['id']}"
    return found


def test_a_draft_is_saved_edited_checked_and_submitted(
    client: FlaskClient, dataset_id: str, notified: list[str]
):
    draft = saved(client, name="later", spec={"epochs": 7})
    assert (draft["project"], draft["request"]) == ("default", {"name": "later", "spec": {"epochs": 7}})
    path = f"{DRAFTS}/{draft['id']}"
    assert client.get(path).json == draft
    lacking = client.post(f"{path}/check")
    assert (lacking.status_code, list(lacking.json["errors"])) == (422, ["dataset_id"])
    spec = {"model": {"architecture": "Linknet"}}
    changed = client.patch(path, json={"spec": spec, "notes": "n", "experiment": "nope"}).json
    assert changed["request"] == {"name": "later", "spec": spec, "notes": "n", "experiment": "nope"}
    assert changed["revision"] > draft["revision"]
    lacking = client.post(f"{path}/check")
    assert (lacking.status_code, set(lacking.json["errors"])) == (422, {"dataset_id", "experiment"})
    more = {"dataset_id": dataset_id, "experiment": "demo", "spec": {"epochs": 3}, "notes": None}
    assert client.patch(path, json=more).status_code == 200
    checked = client.post(f"{path}/check").json
    assert (checked["epochs"], checked["name"], checked["experiment"]) == (3, "later", "demo")
    assert client.get(RUNS).json["items"] == []
    notified.clear()
    submitted = client.post(f"{path}/submit")
    assert submitted.status_code == 201, submitted.text
    run = submitted.json
    assert (run["status"], run["epochs"], run["name"], run["notes"]) == ("queued", 3, "later", "")
    assert notified == ["cpu"]
    assert client.get(path).status_code == 404
    again = client.post(f"{path}/submit")
    assert (again.status_code, again.json["id"]) == (201, run["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(client.get(RUNS).json["items"]) == 1


def test_drafts_are_listed_newest_first_and_by_project(client: FlaskClient):
    ids = [saved(client, project=project)["id"] for project in ("a", "b", "a")]
    listed = client.get(DRAFTS).json
    assert [one["id"] for one in listed["items"]] == ids[::-1]
    first = client.get(f"{DRAFTS}?project=a&limit=1").json
    second = client.get(f"{DRAFTS}?project=a&limit=1&cursor={first['next_cursor']}").json
    assert [one["id"] for one in first["items"] + second["items"]] == [ids[2], ids[0]]
    assert second["next_cursor"] is None
    assert client.delete(f"{DRAFTS}/{ids[1]}").status_code == 204
    assert client.get(f"{DRAFTS}?project=b").json["items"] == []
    assert client.delete(f"{DRAFTS}/{ids[1]}").status_code == 404


def test_one_of_a_data_set_belongs_to_its_project(client: FlaskClient, hand: Hand):
    upload(client, project="lab")
    dataset_id = hand.ingest()
    draft = saved(client, dataset_id=dataset_id)
    assert draft["project"] == "lab"
    run = client.post(f"{DRAFTS}/{draft['id']}/submit").json
    assert run["project"] == "lab"


@pytest.mark.parametrize(
    "body",
    [
        {"epochs": 3}, {"spec": {"epochs": "3"}}, {"spec": {"nope": 1}}, {"name": ""}, {"priority": 10},
        {"spec": []}, [],
    ],
)  # fmt: skip
def test_fields_are_checked_when_they_are_saved(client: FlaskClient, body: Any):
    assert client.post(DRAFTS, json=body).status_code == 422
    draft = saved(client)
    assert client.patch(f"{DRAFTS}/{draft['id']}", json=body).status_code == 422
    assert client.get(f"{DRAFTS}/{draft['id']}").json["request"] == {}


def test_what_a_submission_refuses_leaves_the_draft(client: FlaskClient):
    upload(client)
    dataset_id = client.get("/api/v1/datasets").json["items"][0]["id"]
    for body, status in (({"dataset_id": dataset_id}, 409), ({"dataset_id": "ds-0123456789ab"}, 404)):
        path = f"{DRAFTS}/{saved(client, **body)['id']}"
        for act in ("check", "submit"):
            assert client.post(f"{path}/{act}").status_code == status
        assert client.get(path).status_code == 200


def test_one_that_was_submitted_and_not_deleted_makes_no_second_run(
    client: FlaskClient, app: Flask, dataset_id: str, monkeypatch: pytest.MonkeyPatch
):
    draft = saved(client, dataset_id=dataset_id)
    drafts = app.extensions["trainyard"].drafts._drafts
    with monkeypatch.context() as patch:
        patch.setattr(drafts, "remove", lambda _: None)
        run = client.post(f"{DRAFTS}/{draft['id']}/submit").json
    assert client.post(f"{DRAFTS}/{draft['id']}/submit").json["id"] == run["id"]
    assert client.get(f"{DRAFTS}/{draft['id']}").status_code == 404
    assert len(client.get(RUNS).json["items"]) == 1


def test_a_key_of_other_projects_changes_no_draft(keyed: Flask, client: FlaskClient):
    guarded = keyed.test_client()
    admin = {"Authorization": f"Bearer {ROOT}"}
    body = {"name": "k", "role": "trainer", "projects": ["b"]}
    key = guarded.post("/api/v1/keys", json=body, headers=admin).json["key"]
    own = {"Authorization": f"Bearer {key}"}
    foreign, mine = saved(client, project="a"), saved(client, project="b")
    assert guarded.post(DRAFTS, json={"project": "a"}, headers=own).status_code == 403
    assert guarded.patch(f"{DRAFTS}/{foreign['id']}", json={"name": "x"}, headers=own).status_code == 403
    assert guarded.patch(f"{DRAFTS}/{mine['id']}", json={"project": "a"}, headers=own).status_code == 403
    assert guarded.patch(f"{DRAFTS}/{mine['id']}", json={"name": "x"}, headers=own).status_code == 200
    assert guarded.get(f"{DRAFTS}/{foreign['id']}", headers=own).status_code == 200


def test_drafts_outlive_redis(client: FlaskClient, redis_client: Client, storage: Storage):
    kept, gone = (saved(client, name=name)["id"] for name in ("kept", "gone"))
    client.delete(f"{DRAFTS}/{gone}")
    assert read_json(storage.draft(kept).record)["request"] == {"name": "kept"}
    redis_client.flushall()
    assert client.get(DRAFTS).status_code == 503
    datasets, runs = DatasetRegistry(redis_client, storage), RunRegistry(redis_client, storage)
    Reindex(redis_client, storage, datasets, runs).rebuild()
    assert [one["id"] for one in client.get(DRAFTS).json["items"]] == [kept]
    assert not storage.draft(gone).path.exists()


def test_one_that_cannot_be_read_fails_no_list(client: FlaskClient, redis_client: Client):
    broken, sound = (saved(client, name=name)["id"] for name in ("broken", "sound"))
    redis_client.hset(keys.record("draft", broken), "request", "{")
    items = client.get(DRAFTS).json["items"]
    assert [(one["id"], one["unreadable"] is None) for one in items] == [(sound, True), (broken, False)]


def test_the_client_and_the_command(server: Server, tmp_path: Path):
    url = str(server.http.base_url)

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "trainyard_client", *words, "--url", url]
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return subprocess.run(line, capture_output=True, text=True, env=environment, check=False)

    (server.storage.root / "incoming" / "cells").mkdir(parents=True)
    with ApiClient(url) as client:
        draft_id = command("draft", "save", "-e", "demo", "--set", "data.batch_size=4", "-q").stdout.strip()
        assert client.drafts.get(draft_id).request == {
            "experiment": "demo",
            "spec": {"data": {"batch_size": 4}},
        }
        assert draft_id in command("draft", "ls").stdout
        refused = command("draft", "check", draft_id)
        assert (refused.returncode, "dataset_id" in refused.stderr) == (3, True)
        client.datasets.register("cells", "cells")
        dataset_id = server.ready_set()
        shown = command("draft", "edit", draft_id, "--dataset", dataset_id, "--epochs", "2", "--json").stdout
        assert json.loads(shown)["request"]["spec"] == {"data": {"batch_size": 4}, "epochs": 2}
        command("draft", "edit", draft_id, "--name", "n", "--unset", "experiment")
        assert "experiment" not in client.drafts.get(draft_id).request
        assert command("draft", "check", draft_id).returncode == 0
        run_id = command("draft", "submit", draft_id, "-q").stdout.strip()
        assert client.runs.get(run_id).epochs == 2
        assert client.drafts.submit(draft_id).id == run_id
        other = client.drafts.save(name="x")
        with pytest.raises(Refused, match="no whole request"):
            client.drafts.submit(other.id)
        assert command("draft", "rm", other.id).returncode == 0
        assert list(client.drafts.list()) == []
