"""Webhooks: every change of a run's status reaches a real receiver, signed, whoever dies meanwhile."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.composition import EXTENSION, compose
from tests.api.conftest import ROOT, Hand, submit, upload
from tests.api.receiver import Receiver
from tests.api.server import Server
from tests.unit.records import a_run
from tests.waits import wait_for
from trainyard.registry import delivery_log
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.delivery_log import DeliveryLog
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import RunStatus
from trainyard.scheduling.reindex import Reindex
from trainyard.scheduling.webhook_sender import WAITS_S, WebhookSender
from trainyard.settings import REPOSITORY, Settings
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.resources.webhook_store import DeliveryStore

HOOKS = "/api/v1/webhooks"
LOOPBACK = "127.0.0.0/8"
ERROR = {"code": "nan_loss", "cause": "user", "message": "NaN.", "remedy": "Less.", "log_tail": ["x"] * 200}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, webhook_networks=(LOOPBACK,))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def sender(app: Flask) -> WebhookSender:
    found: WebhookSender = app.extensions[EXTENSION].webhook_sender
    return found


@pytest.fixture
def dataset_id(client: FlaskClient, hand: Hand) -> str:
    assert upload(client, project="lab").status_code == 202
    return hand.ingest()


def made(client: FlaskClient, url: str, **more: Any) -> dict[str, Any]:
    answer = client.post(HOOKS, json={"project": "lab", "url": url, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def verified(receiver: Receiver, secret: str) -> list[dict[str, Any]]:
    """What was received, by the very lines of the documentation that tell receivers how to verify it."""
    text = (REPOSITORY / "docs" / "webhooks.md").read_text()
    [snippet] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(snippet, scope)  # noqa: S102 - our own documentation
    for one in receiver.received:
        assert scope["is_from_trainyard"](secret, one.headers["Trainyard-Signature"], one.body)
        for wrong in (b"", one.body + b" "):
            assert not scope["is_from_trainyard"](secret, one.headers["Trainyard-Signature"], wrong)
        assert not scope["is_from_trainyard"]("other", one.headers["Trainyard-Signature"], one.body)
        assert not scope["is_from_trainyard"](secret, "nonsense", one.body)
    return [json.loads(one.body) for one in receiver.received]


def log(client: FlaskClient, hook: dict[str, Any]) -> list[dict[str, Any]]:
    """Its deliveries, newest first."""
    items: list[dict[str, Any]] = client.get(f"{HOOKS}/{hook['id']}/deliveries").json["items"]
    return items


def sent(sender: WebhookSender) -> int:
    """Send what is due; how many were tried."""
    count = 0
    while sender.send_next():
        count += 1
    return count


def overdue(client: Client) -> None:
    """Let the time pass until what waits is tried again."""
    for key in ("ty:webhooks:due", *client.scan_iter("ty:webhook:*:due")):
        for waiting in client.zrange(key, 0, -1):
            client.zadd(key, {waiting: 1})


def test_a_run_that_was_trained_elsewhere_is_told_once(
    client: FlaskClient, hand: Hand, receiver: Receiver, sender: WebhookSender, storage: Storage
):
    made(client, receiver.url)
    run = replace(a_run(7), project="lab", status=RunStatus.COMPLETED, ended_at=5.0)
    for _ in range(2):
        hand.runs.adopt(run)
    assert sent(sender) == 1
    [told] = [json.loads(one.body)["run"] for one in receiver.received]
    assert (told["id"], told["previous_status"], told["status"]) == (run.id, None, "completed")


def test_every_change_of_status_is_told_and_signed(
    client: FlaskClient, dataset_id: str, hand: Hand, receiver: Receiver, sender: WebhookSender
):
    hook = made(client, f"{receiver.url}/hook?token=x")
    run = submit(client, dataset_id, name="first").json
    held = hand.begin()
    hand.runs.crash(held, ERROR)
    hand.runs.finish(hand.begin(), "failed", error=ERROR)
    client.post(f"/api/v1/runs/{run['id']}/retry")
    client.post(f"/api/v1/runs/{run['id']}/stop")
    assert sent(sender) == 7
    bodies = verified(receiver, hook["secret"])
    assert [(one["run"]["previous_status"], one["run"]["status"]) for one in bodies] == [
        (None, "queued"), ("queued", "running"), ("running", "queued"), ("queued", "running"),
        ("running", "failed"), ("failed", "queued"), ("queued", "stopped"),
    ]  # fmt: skip
    failed = bodies[4]
    assert (failed["event"], failed["project"], failed["webhook_id"]) == ("run.status", "lab", hook["id"])
    assert (failed["run"]["id"], failed["run"]["name"]) == (run["id"], "first")
    assert failed["run"]["error"] == {name: ERROR[name] for name in ("code", "cause", "message", "remedy")}
    assert bodies[0]["run"]["error"] is None
    revisions = [one["run"]["revision"] for one in bodies]
    assert revisions == sorted(set(revisions))
    first = receiver.received[0]
    assert first.path == "/hook?token=x"
    assert first.headers["Trainyard-Event"] == "run.status"
    entries = log(client, hook)
    assert [one["id"] for one in entries] == [one["delivery_id"] for one in bodies][::-1]
    assert {(one["state"], one["attempts"], one["answer_status"]) for one in entries} == {
        ("delivered", 1, 204)
    }
    assert first.headers["Trainyard-Delivery"] == entries[-1]["id"]
    page = client.get(f"{HOOKS}/{hook['id']}/deliveries?limit=4").json
    rest = client.get(f"{HOOKS}/{hook['id']}/deliveries?limit=4&cursor={page['next_cursor']}").json
    assert [one["id"] for one in page["items"] + rest["items"]] == [one["id"] for one in entries]
    assert rest["next_cursor"] is None


def test_only_what_was_asked_for_is_told(
    client: FlaskClient, dataset_id: str, receiver: Receiver, sender: WebhookSender
):
    ends = made(client, f"{receiver.url}/ends", statuses=["stopped", "failed"])
    paused = made(client, f"{receiver.url}/paused")
    client.patch(f"{HOOKS}/{paused['id']}", json={"status": "paused"})
    made(client, f"{receiver.url}/other", project="elsewhere")
    run = submit(client, dataset_id).json
    client.post(f"/api/v1/runs/{run['id']}/stop")
    sent(sender)
    assert [one.path for one in receiver.received] == ["/ends"]
    assert client.post(f"{HOOKS}/{paused['id']}/test").status_code == 409
    client.patch(f"{HOOKS}/{paused['id']}", json={"status": "active"})
    client.patch(f"{HOOKS}/{ends['id']}", json={"statuses": []})
    receiver.received.clear()
    submit(client, dataset_id)
    sent(sender)
    assert sorted(one.path for one in receiver.received) == ["/ends", "/paused"]


def test_what_fails_is_tried_again_with_growing_waits_until_it_has_failed(
    client: FlaskClient, redis_client: Client, receiver: Receiver, sender: WebhookSender
):
    hook = made(client, receiver.url)
    receiver.answers = [500, 302, 204]
    assert client.post(f"{HOOKS}/{hook['id']}/test").status_code == 202
    for place, (status, error) in enumerate([(500, None), (302, "A redirect, which is not followed.")]):
        assert sent(sender) == 1
        [entry] = log(client, hook)
        assert (entry["state"], entry["answer_status"], entry["error"]) == ("waiting", status, error)
        tried, due = (datetime.fromisoformat(entry[name]) for name in ("tried_at", "due_at"))
        assert WAITS_S[place] <= round((due - tried).total_seconds()) <= WAITS_S[place] * 1.2
        assert sent(sender) == 0, "not before its time"
        overdue(redis_client)
    assert sent(sender) == 1
    [entry] = log(client, hook)
    assert (entry["state"], entry["attempts"], entry["due_at"]) == ("delivered", 3, None)
    assert [one.path for one in receiver.received] == ["/"] * 3, "no redirect is followed"
    assert len({one.body for one in receiver.received}) == 1
    receiver.answers = [500]
    client.post(f"{HOOKS}/{hook['id']}/test")
    for _ in range(len(WAITS_S) + 1):
        overdue(redis_client)
        assert sent(sender) == 1
    assert log(client, hook)[0]["state"] == "failed"
    overdue(redis_client)
    assert sent(sender) == 0
    receiver.answers = [204]
    failed = log(client, hook)[0]["id"]
    again = client.post(f"{HOOKS}/{hook['id']}/deliveries/{failed}/redeliver")
    assert (again.status_code, again.json["redelivery_of"]) == (202, failed)
    assert sent(sender) == 1
    assert client.get(f"{HOOKS}/{hook['id']}/deliveries/{again.json['id']}").json["state"] == "delivered"


def test_a_receiver_that_is_not_there_holds_up_no_other(
    client: FlaskClient, dataset_id: str, receiver: Receiver, sender: WebhookSender
):
    with Receiver() as gone:
        dead = made(client, gone.url)
    made(client, receiver.url)
    submit(client, dataset_id)
    assert sent(sender) == 2
    assert len(receiver.received) == 1
    [entry] = log(client, dead)
    assert (entry["state"], entry["answer_status"]) == ("waiting", None)
    assert "Connection refused" in entry["error"]


def test_one_delivery_of_a_webhook_is_under_way_at_a_time_and_a_dead_senders_is_due_again(
    client: FlaskClient, app: Flask, dataset_id: str, redis_client: Client, receiver: Receiver,
    sender: WebhookSender,
):  # fmt: skip
    hook = made(client, receiver.url)
    client.post(f"{HOOKS}/{hook['id']}/test")
    submit(client, dataset_id)
    deliveries = app.extensions[EXTENSION].webhook_sender._deliveries
    taken = deliveries.claim(30)
    assert taken.event == "ping"
    assert deliveries.claim(30) is None, "the second waits for the first"
    redis_client.delete(f"ty:webhook:{hook['id']}:busy")  # as when its time is over
    overdue(redis_client)
    assert sent(sender) == 2
    assert [one.headers["Trainyard-Event"] for one in receiver.received] == ["ping", "run.status"]


def test_however_much_waits_for_one_webhook_another_has_its_turn(client: FlaskClient, app: Flask):
    slow, quick = (made(client, f"https://example.org/{name}")["id"] for name in ("slow", "quick"))
    deliveries: DeliveryStore = app.extensions[EXTENSION].webhook_sender._deliveries
    for _ in range(600):
        deliveries.ping(slow)
    deliveries.ping(quick)
    taken = [deliveries.claim(30), deliveries.claim(30), deliveries.claim(30)]
    assert [one and one.webhook_id for one in taken] == [slow, quick, None]


def test_secrets_are_shown_once(client: FlaskClient, receiver: Receiver, sender: WebhookSender):
    hook = made(client, receiver.url)
    path = f"{HOOKS}/{hook['id']}"
    for answer in (client.get(path), client.get(HOOKS), client.patch(path, json={"description": "d"})):
        assert hook["secret"] not in answer.text
        assert "secret" not in answer.text
    renewed = client.post(f"{path}/secret").json
    assert renewed["secret"] != hook["secret"]
    client.post(f"{path}/test")
    sent(sender)
    assert [one["event"] for one in verified(receiver, renewed["secret"])] == ["ping"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org", "https://", "https://user@example.org", "https://u:p@example.org", "x",
        "https://example.org/#f", "https://exa mple.org", "https://example.org:0", "https://example.org:99999",
        "https://ex\u00e4mple.org", "http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/meta",
        "http://0.0.0.0/", "http://0x7f.0.0.1/", "http://10.0.0.1./", "http://192.0.0.8/",
        "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/", "https://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_addresses_that_nothing_is_sent_to(client: FlaskClient, url: str):
    refused = client.post(HOOKS, json={"project": "lab", "url": url})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["url"])
    hook = made(client, "https://example.org/")
    assert client.patch(f"{HOOKS}/{hook['id']}", json={"url": url}).status_code == 422


def test_names_that_lead_to_this_machine_are_refused_when_they_are_resolved(
    settings: Settings, redis_client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    real = socket.getaddrinfo

    def lookup(host: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host == "hook.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    bare = replace(settings, webhook_networks=())
    app = create_app(bare, compose(bare, redis_client, lambda queue: True))
    client = app.test_client()
    url = receiver.url.replace("127.0.0.1", "hook.example")
    answer = client.post(HOOKS, json={"project": "lab", "url": url})
    assert answer.status_code == 201
    client.post(f"{HOOKS}/{answer.json['id']}/test")
    assert sent(app.extensions[EXTENSION].webhook_sender) == 1
    [entry] = log(client, answer.json)
    assert (entry["state"], receiver.received) == ("failed", [])
    assert "Webhooks are not sent to" in entry["error"]


def test_bad_requests(client: FlaskClient):
    for body in (
        {},
        {"url": "https://example.org"},
        {"project": "lab", "url": "https://a.b", "statuses": ["x"]},
    ):
        assert client.post(HOOKS, json=body).status_code == 422
    hook = made(client, "https://example.org/")
    assert client.patch(f"{HOOKS}/{hook['id']}", json={}).status_code == 422
    for path in (f"{HOOKS}/hook-0123456789ab", f"{HOOKS}/hook-0123456789ab/deliveries", f"{HOOKS}/x"):
        assert client.get(path).status_code == 404
    other = made(client, "https://example.org/")
    ping = client.post(f"{HOOKS}/{other['id']}/test").json
    assert client.get(f"{HOOKS}/{hook['id']}/deliveries/{ping['id']}").status_code == 404
    assert client.post(f"{HOOKS}/{hook['id']}/deliveries/{ping['id']}/redeliver").status_code == 404


def test_who_may_only_read_sees_no_path_and_a_key_of_another_project_changes_nothing(
    keyed: Flask, client: FlaskClient
):
    hook = made(client, "https://example.org/secret/path?token=x")
    guarded = keyed.test_client()

    def key(role: str, **more: Any) -> dict[str, str]:
        admin = {"Authorization": f"Bearer {ROOT}"}
        answer = guarded.post("/api/v1/keys", json={"name": role, "role": role, **more}, headers=admin)
        return {"Authorization": f"Bearer {answer.json['key']}"}

    viewer, own, other = key("viewer"), key("trainer", projects=["lab"]), key("trainer", projects=["b"])
    path = f"{HOOKS}/{hook['id']}"
    assert guarded.get(path, headers=viewer).json["url"] == "https://example.org/"
    assert guarded.get(path, headers=own).json["url"] == hook["url"]
    body = {"project": "lab", "url": "https://example.org"}
    for headers in (viewer, other):
        assert guarded.post(HOOKS, json=body, headers=headers).status_code == 403
        assert guarded.post(f"{path}/test", headers=headers).status_code == 403
        assert guarded.delete(path, headers=headers).status_code == 403
    assert guarded.post(f"{path}/test", headers=own).status_code == 202


def test_deleted_it_is_told_nothing_more(
    client: FlaskClient, dataset_id: str, redis_client: Client, receiver: Receiver, sender: WebhookSender
):
    hook = made(client, receiver.url)
    submit(client, dataset_id)
    assert client.delete(f"{HOOKS}/{hook['id']}").status_code == 204
    submit(client, dataset_id)
    assert sent(sender) == 0
    assert receiver.received == []
    assert list(redis_client.scan_iter("ty:deliver*:*")) == ["ty:deliveries:last"]
    assert (
        list(redis_client.scan_iter("ty:webhook*:de*"))
        == list(redis_client.scan_iter("ty:webhook*:du*"))
        == []
    )


def test_webhooks_outlive_redis_and_a_rebuilt_one_tells_nothing_of_what_was(
    client: FlaskClient, dataset_id: str, redis_client: Client, storage: Storage, receiver: Receiver,
    sender: WebhookSender,
):  # fmt: skip
    hook = made(client, receiver.url)
    submit(client, dataset_id)
    redis_client.flushall()
    datasets, runs = DatasetRegistry(redis_client, storage), RunRegistry(redis_client, storage)
    Reindex(redis_client, storage, datasets, runs).rebuild()
    assert sent(sender) == 0
    [run] = client.get("/api/v1/runs").json["items"]
    client.post(f"/api/v1/runs/{run['id']}/stop")
    assert sent(sender) == 1
    assert [one["run"]["status"] for one in verified(receiver, hook["secret"])] == ["stopped"]


def test_deliveries_outlive_redis(
    client: FlaskClient, dataset_id: str, redis_client: Client, storage: Storage, receiver: Receiver,
    sender: WebhookSender,
):  # fmt: skip
    """What is still to be sent is sent, what was sent is in the log, and neither comes twice."""
    hook = made(client, receiver.url)
    gone = made(client, receiver.url)
    run = submit(client, dataset_id).json
    assert sent(sender) == 2
    receiver.answers = [500]
    client.post(f"/api/v1/runs/{run['id']}/stop")
    assert sent(sender) == 2
    client.post(f"{HOOKS}/{hook['id']}/test")
    before = log(client, hook)
    assert [(one["state"], one["attempts"]) for one in before] == [
        ("waiting", 0), ("waiting", 1), ("delivered", 1),
    ]  # fmt: skip
    datasets, runs = DatasetRegistry(redis_client, storage), RunRegistry(redis_client, storage)
    reindex = Reindex(redis_client, storage, datasets, runs)
    assert reindex.deliveries.write() == 5
    assert reindex.deliveries.write() == 0
    with storage.webhook(hook["id"]).deliveries.open("a") as file:
        file.write('{"id": "dlv-torn')
    client.delete(f"{HOOKS}/{gone['id']}")
    redis_client.flushall()
    reindex.rebuild()
    assert log(client, hook) == before
    reindex.rebuild()
    assert log(client, hook) == before
    receiver.answers = [200]
    assert sent(sender) == 1, "the ping; the other waits for its time"
    overdue(redis_client)
    assert sent(sender) == 1
    assert [one["state"] for one in log(client, hook)] == ["delivered"] * 3
    wait_for(reindex.deliveries.write, bool)
    redis_client.flushall()
    reindex.rebuild()
    assert [(one["state"], one["attempts"]) for one in log(client, hook)] == [
        ("delivered", 1), ("delivered", 2), ("delivered", 1),
    ]  # fmt: skip
    assert sent(sender) == 0


def test_the_log_in_storage_is_swept(
    client: FlaskClient, redis_client: Client, storage: Storage, receiver: Receiver, sender: WebhookSender,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr(delivery_log, "AT_ONCE", 2)
    hook = made(client, receiver.url)
    deliveries = DeliveryLog(redis_client, storage)
    for _ in range(4):
        client.post(f"{HOOKS}/{hook['id']}/test")
        wait_for(deliveries.write, bool)
        sent(sender)
        wait_for(deliveries.write, bool)
    file = storage.webhook(hook["id"]).deliveries
    redis_client.delete(keys.turn("deliveries"))
    deliveries.shorten(time.time())
    assert len(file.read_text().split()) > 4, "so few are left as they are"
    with file.open("a") as told:
        told.write(file.read_text())
    redis_client.delete(keys.turn("deliveries"))
    deliveries.shorten(time.time())
    lines = [json.loads(line) for line in file.read_text().splitlines() if line]
    assert [(one["state"], one["attempts"]) for one in lines] == [("delivered", 1)] * 4
    redis_client.delete(keys.turn("deliveries"))
    deliveries.shorten(time.time() + delivery_log.KEPT_S)
    assert file.read_text() == ""


def test_nothing_is_lost_while_nobody_sends(redis_url: str, tmp_path: Path, receiver: Receiver):
    """A server is killed, runs go on, and another one sends what happened meanwhile, in order."""
    server = Server(redis_url, tmp_path, TRAINYARD_WEBHOOK_NETWORKS=LOOPBACK)
    try:
        server.start()
        body = {"project": "lab", "url": receiver.url}
        assert server.http.post("/api/v1/webhooks", json=body).status_code == 201
        (server.storage.root / "incoming" / "set").mkdir(parents=True)
        server.http.post("/api/v1/datasets", json={"name": "set", "project": "lab", "path": "set"})
        run = {"dataset_id": server.ready_set(), "device_class": "cpu"}
        assert server.http.post("/api/v1/runs", json=run).status_code == 201
        wait_for(lambda: receiver.received, len)
        server.kill()
        held = server.runs.claim("cpu", "hand")
        assert held
        server.runs.finish(held, "completed")
        server.start()
        wait_for(lambda: receiver.received, lambda found: len(found) == 3)
    finally:
        server.close()
    told = [json.loads(one.body)["run"]["status"] for one in receiver.received]
    assert told == ["queued", "running", "completed"]


def test_the_command(redis_url: str, tmp_path: Path, receiver: Receiver):
    server = Server(redis_url, tmp_path, TRAINYARD_WEBHOOK_NETWORKS=LOOPBACK)

    def command(*words: str) -> str:
        line = [sys.executable, "-m", "trainyard_client", *words, "--url", str(server.http.base_url)]
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return subprocess.run(line, capture_output=True, text=True, env=environment, check=True).stdout

    try:
        server.start()
        made = json.loads(command("webhook", "create", "lab", receiver.url, "--on", "failed", "--json"))
        assert (made["statuses"], command("webhook", "ls", "-q").split()) == (["failed"], [made["id"]])
        delivery_id = json.loads(command("webhook", "test", made["id"], "--json"))["id"]
        wait_for(lambda: "delivered" in command("webhook", "log", made["id"]))
        command("webhook", "redeliver", made["id"], delivery_id)
        wait_for(lambda: receiver.received, lambda found: len(found) == 2)
        assert [one["event"] for one in verified(receiver, made["secret"])] == ["ping", "ping"]
        command("webhook", "pause", made["id"])
        assert "paused" in command("webhook", "ls", "--project", "lab")
        command("webhook", "resume", made["id"])
        command("webhook", "rm", made["id"])
        assert command("webhook", "ls", "-q") == ""
    finally:
        server.close()
