"""Who may do what, of every address the application has: made from its URL map, so that none is forgotten."""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app import create_app
from app.composition import compose
from app.http.access.authentication import READING, is_open, needed_role
from tests.api.conftest import ROOT, Hand, submit
from tests.api.exported import export
from trainyard.access import Role
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store.connection import Client

KEYS, RUNS = "/api/v1/keys", "/api/v1/runs"
OPEN = {"/ping", "/healthz", "/readyz", "/openapi.json", "/docs", "/docs/assets/<path:name>"}
OPEN |= {"/sign-in", "/sign-out", "/assets/<stamp>/<path:name>"}
ADMIN = {
    ("GET", KEYS),
    ("POST", KEYS),
    ("DELETE", f"{KEYS}/<key_id>"),
    ("PUT", "/api/v1/projects/<path:name>"),
    ("POST", "/api/v1/workers/<worker_id>/drain"),
    ("DELETE", "/api/v1/workers/<worker_id>/drain"),
    ("GET", "/api/v1/admin/usage"),
    ("POST", "/api/v1/admin/prune"),
}


@dataclass(frozen=True)
class Call:
    """A method on an address of the URL map."""

    method: str
    rule: str

    def path(self, **values: str) -> str:
        """The address, each parameter filled in."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found[1], "1"), self.rule)


@pytest.fixture
def guarded(keyed: Flask) -> FlaskClient:
    return keyed.test_client()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def made(client: FlaskClient, role: str, **more: Any) -> dict[str, Any]:
    answer = client.post(KEYS, json={"name": role, "role": role, **more}, headers=bearer(ROOT))
    assert answer.status_code == 201, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


SERIES = Call("POST", "/boards/<board_id>/<path:rest>")
"""TensorBoard asks by POST for what it shows."""


def calls(app: Flask) -> Iterator[Call]:
    """Every method of every address, but those that werkzeug adds."""
    rules: list[Rule] = list(app.url_map.iter_rules())
    for rule in rules:
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Call(method, rule.rule)


def test_every_address_needs_what_it_should(keyed: Flask, guarded: FlaskClient):
    """Without a key or with a wrong one 401, with too small a role 403; else the address itself answers."""
    keys = {role: made(guarded, role)["key"] for role in Role}
    found = list(calls(keyed))
    assert len(found) > 60
    for number, call in enumerate(found):
        path = call.path()
        if call.rule in OPEN:
            answer = guarded.open(path, method=call.method)
            assert answer.status_code < 400 or "asset" in path or call == Call("POST", "/sign-in"), call
            continue
        assert not is_open(path)
        role = Role.ADMIN if (call.method, call.rule) in ADMIN else (
            Role.VIEWER if call.method in READING or call == SERIES else Role.TRAINER)  # fmt: skip
        elsewhere = {"REMOTE_ADDR": f"10.0.0.{number}"}  # wrong keys of one address are limited in number
        for headers in ({}, bearer("wrong"), bearer(""), {"Authorization": "Basic d3Jvbmc="}):
            refused = guarded.open(path, method=call.method, headers=headers, environ_overrides=elsewhere)
            assert refused.status_code == 401, call
        for held in Role:
            if list(Role).index(held) < list(Role).index(role):
                refused = guarded.open(path, method=call.method, headers=bearer(keys[held]))
                assert refused.status_code == 403, (call, held)
        if call.method in READING and "events" not in path:
            answered = guarded.open(path, method=call.method, headers=bearer(keys[role]))
            assert answered.status_code not in (401, 403), call


def test_every_write_is_refused_to_pages_of_other_origins(client: FlaskClient, app: Flask):
    for call in calls(app):
        if call.method not in READING:
            answer = client.open(call.path(), method=call.method, headers={"Origin": "http://evil.example"})
            assert answer.status_code == 403, call


def test_every_write_is_refused_to_keys_of_other_projects(
    keyed: Flask, guarded: FlaskClient, client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage
):
    """`client` needs no key and made what is named here, in the project `default` and `a`."""
    run_id = submit(client, dataset_id, project="a").json["id"]
    hand.runs.finish(hand.begin(), "completed")
    export(storage.run(run_id))
    model_id = client.post("/api/v1/trained-models", json={"run_id": run_id, "name": "m"}).json["id"]
    foreign = bearer(made(guarded, "trainer", projects=["b"])["key"])
    draft_id = client.post("/api/v1/drafts", json={"project": "a"}).json["id"]
    hook = {"project": "a", "url": "https://example.org"}
    webhook_id = client.post("/api/v1/webhooks", json=hook).json["id"]
    values = {"run_id": run_id, "dataset_id": dataset_id, "model_id": model_id, "draft_id": draft_id}
    values["webhook_id"] = webhook_id
    upload = {"bytes": 1, "project": "a"}
    values["upload_id"] = client.post("/api/v1/uploads", json=upload).json["id"]
    values["delivery_id"] = client.post(f"/api/v1/webhooks/{webhook_id}/test").json["id"]
    named = [call for call in calls(keyed) if any(f"<{name}>" in call.rule for name in values)]
    written = [call for call in named if call.method not in READING]
    assert len(written) > 10
    for call in written:
        answer = guarded.open(call.path(**values), method=call.method, headers=foreign)
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden"), call
        assert "project" in answer.json["errors"]
    for call in named:
        if call.method in READING and call.rule.endswith("_id>"):
            assert guarded.open(call.path(**values), headers=foreign).status_code == 200, "reading is free"
    assert guarded.post("/modeles?ModelName=FPN", headers=foreign).status_code == 403
    theirs = guarded.post("/api/v1/trained-models", json={"run_id": run_id, "name": "x"}, headers=foreign)
    assert theirs.status_code == 403, "what the body names is of that project, too"
    assert [path.name for path in (storage.root / "models").iterdir()] == [model_id]


def test_what_a_body_names_is_of_the_keys_projects_too(
    guarded: FlaskClient, client: FlaskClient, dataset_id: str, storage: Storage
):
    own = bearer(made(guarded, "trainer", projects=["b"])["key"])
    theirs = submit(client, dataset_id, project="a").json["id"]
    body = {"dataset_id": dataset_id}
    before = sorted((storage.root / "runs").iterdir())
    assert guarded.post(RUNS, json=body, headers=own).status_code == 403, "the project of the data set"
    assert guarded.post(RUNS, json={**body, "project": "a"}, headers=own).status_code == 403
    assert sorted((storage.root / "runs").iterdir()) == before
    mine = guarded.post(RUNS, json={**body, "project": "b"}, headers=own)
    assert mine.status_code == 201
    stopped = guarded.post(f"{RUNS}/bulk/stop", json={"ids": [theirs, mine.json["id"]]}, headers=own).json
    assert [one["error"] and one["error"]["status"] for one in stopped["items"]] == [403, None]
    assert client.get(f"{RUNS}/{theirs}").json["status"] == "queued"
    for project, status in (("a", 403), ("b", 202)):
        data = {"name": "set", "project": project, "file": (io.BytesIO(b"PK\5\6" + bytes(18)), "x.zip")}
        answer = guarded.post("/api/v1/datasets", data=data, headers=own)
        assert answer.status_code in (status, 422), answer.text


def test_a_key_is_shown_once_and_kept_as_its_hash(
    guarded: FlaskClient, storage: Storage, redis_client: Client
):
    key = made(guarded, "viewer", projects=["p"])
    kept = storage.access_keys.read_text() + json.dumps(redis_client.hgetall("ty:access_keys"))
    assert key["key"] not in kept
    assert key["key"].removeprefix("ty_") not in kept
    assert hashlib.sha256(key["key"].encode()).hexdigest() in kept
    (listed,) = guarded.get(KEYS, headers=bearer(ROOT)).json["items"]
    assert (listed["id"], listed["role"], listed["projects"]) == (key["id"], "viewer", ["p"])
    assert listed["created_by"].startswith("setting ")
    assert "key" not in listed
    assert "hash" not in listed
    assert listed["last_used_at"] is None
    guarded.get(RUNS, headers=bearer(key["key"]))
    assert guarded.get(KEYS, headers=bearer(ROOT)).json["items"][0]["last_used_at"]


def test_a_key_is_revoked_at_once(guarded: FlaskClient, storage: Storage):
    key = made(guarded, "admin")
    assert guarded.get(KEYS, headers=bearer(key["key"])).status_code == 200
    for _ in range(2):
        assert guarded.delete(f"{KEYS}/{key['id']}", headers=bearer(ROOT)).status_code == 204
    assert guarded.get(RUNS, headers=bearer(key["key"])).status_code == 401
    assert guarded.get(KEYS, headers=bearer(ROOT)).json["items"][0]["revoked_at"]
    assert read_json(storage.access_keys)["keys"][0]["revoked_at"]
    assert guarded.delete(f"{KEYS}/key-000000000000", headers=bearer(ROOT)).status_code == 404


def test_a_key_expires(guarded: FlaskClient):
    past = made(guarded, "viewer", expires_at="2001-01-01")["key"]
    later = made(guarded, "viewer", expires_at="2999-01-01T00:00:00Z")["key"]
    assert guarded.get(RUNS, headers=bearer(past)).status_code == 401
    assert guarded.get(RUNS, headers=bearer(later)).status_code == 200


def test_keys_outlive_a_redis_that_was_emptied(guarded: FlaskClient, redis_client: Client):
    valid, revoked = made(guarded, "viewer"), made(guarded, "viewer")
    guarded.delete(f"{KEYS}/{revoked['id']}", headers=bearer(ROOT))
    redis_client.flushall()
    assert guarded.get("/api/v1/catalog", headers=bearer(valid["key"])).status_code == 200
    assert guarded.get("/api/v1/catalog", headers=bearer(revoked["key"])).status_code == 401
    redis_client.flushall()
    made(guarded, "trainer")
    assert len(guarded.get(KEYS, headers=bearer(ROOT)).json["items"]) == 3


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"name": "x", "role": "root"}, {"name": "", "role": "viewer"},
     {"name": "x", "role": 1},
     {"name": "x", "role": "viewer", "projects": "a"}, {"name": "x", "role": "viewer", "projects": [""]},
     {"name": "x", "role": "admin", "projects": ["lab"]},
     {"name": "x", "role": "viewer", "expires_at": "soon"}, {"name": "x", "role": "viewer", "key": "mine"}],
)  # fmt: skip
def test_odd_keys(guarded: FlaskClient, body: dict[str, Any]):
    assert guarded.post(KEYS, json=body, headers=bearer(ROOT)).status_code == 422


def test_callers_are_held_to_their_rate(settings: Settings, redis_client: Client):
    limited = replace(settings, requests_per_minute=3)
    client = create_app(limited, compose(limited, redis_client, lambda queue: True)).test_client()
    answers = [client.get("/api/v1/catalog") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[-1].json["code"] == "too_many_requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20
    assert client.get("/healthz").status_code == 200, "probes are not counted"


def lines(storage: Storage) -> list[dict[str, Any]]:
    return [json.loads(line) for line in storage.audit.read_text().splitlines()]


def test_refusals_and_acts_of_admins_are_kept(guarded: FlaskClient, storage: Storage):
    key = made(guarded, "viewer")
    guarded.get(f"{RUNS}?api_key=secret", headers=bearer("wrong"))
    guarded.post(f"{RUNS}/run-0000000000aa/stop", headers=bearer(key["key"]))
    guarded.put("/api/v1/projects/p", json={"max_concurrent": 1}, headers=bearer(ROOT))
    guarded.get(KEYS, headers=bearer(ROOT))
    told = [(one["act"], one["status"], one["method"], one["path"]) for one in lines(storage)]
    assert told == [
        ("done", 201, "POST", KEYS), ("refused", 401, "GET", RUNS),
        ("refused", 403, "POST", f"{RUNS}/run-0000000000aa/stop"), ("done", 200, "PUT", "/api/v1/projects/p"),
    ]  # fmt: skip
    assert lines(storage)[2]["who"] == key["id"]
    assert lines(storage)[0]["who"].startswith("setting ")
    text = storage.audit.read_text()
    assert "secret" not in text
    assert key["key"] not in text


def test_the_audit_log_cannot_be_flooded(guarded: FlaskClient, storage: Storage):
    answers = [guarded.get(RUNS, headers=bearer(f"wrong {number}")).status_code for number in range(80)]
    assert (answers[0], answers[-1]) == (401, 429)
    assert len(lines(storage)) <= 61
    assert guarded.get(RUNS, headers=bearer(ROOT)).status_code == 200, "a right key is answered all the same"


def test_a_storage_that_takes_no_line_refuses_all_the_same(guarded: FlaskClient, storage: Storage):
    storage.audit.mkdir(parents=True)
    assert guarded.get(RUNS).status_code == 401


def test_needed_roles():
    assert needed_role("GET", "runs", RUNS) == Role.VIEWER
    assert needed_role("POST", "something-new", "/api/v1/new") == Role.TRAINER
    assert needed_role("GET", "keys", KEYS) == Role.ADMIN
    assert needed_role("POST", "pages", "/boards/<board_id>/<path:rest>") == Role.VIEWER
    assert needed_role("POST", "boards", "/api/v1/boards") == Role.TRAINER
