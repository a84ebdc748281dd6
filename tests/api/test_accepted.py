"""What has been decided is answered so, whatever becomes of Redis and storage right after."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit, upload
from trainyard.errors import StorageUnavailable
from trainyard.registry import event_log
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import connection, records
from trainyard.store.connection import Client, connect
from trainyard.store.runs import run_store

RUNS = "/api/v1/runs"
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def gone_after(monkeypatch: pytest.MonkeyPatch, redis_client: Client) -> Iterator[Callable[[str], None]]:
    """Lets the API's Redis go away as soon as the script of that name has run."""
    pool, run = redis_client.connection_pool, connection.run_script

    def arm(name: str) -> None:
        def run_and_go(client: Client, script: str, *arguments: Any) -> Any:
            answer = run(client, script, *arguments)
            if script == name:
                redis_client.connection_pool = connect(NOBODY).connection_pool
            return answer

        for module in (records, run_store):
            monkeypatch.setattr(module, "run_script", run_and_go)

    yield arm
    redis_client.connection_pool = pool


@pytest.fixture
def there(redis_url: str, storage: Storage) -> Iterator[Hand]:
    """A hand with a Redis of its own, which stays."""
    client = connect(redis_url)
    yield Hand(client, storage)
    client.close()


@pytest.mark.parametrize("key", [None, "k"])
def test_an_accepted_run_is_no_503(client, dataset_id, gone_after, there: Hand, storage: Storage, key):
    gone_after("submit")
    answer = submit(client, dataset_id, key, name="mine")
    assert (answer.status_code, answer.json["status"], answer.json["name"]) == (201, "queued", "mine")
    claimed = there.begin()
    assert claimed.id == answer.json["id"]
    there.runs.repair_mirrors()
    assert read_json(storage.run(claimed.id).record)["status"] == "running"


def test_an_accepted_data_set_is_no_503(client: FlaskClient, gone_after, there: Hand):
    gone_after("submit")
    answer = upload(client)
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert there.ingest() == answer.json["id"]


def test_an_accepted_fork_is_no_503(client: FlaskClient, hand: Hand, run_id: str, gone_after, storage):
    held = hand.begin()
    folder = storage.run(run_id)
    folder.checkpoints.mkdir()
    folder.last_checkpoint.write_bytes(b"w")
    folder.checkpoints.joinpath("last.ckpt.json").write_text('{"epoch": 1}')
    hand.runs.finish(held, "completed", epoch=1, step=1)
    gone_after("submit")
    answer = client.post(f"{RUNS}/{run_id}/fork", json={"checkpoint": "last"})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("verb", "script", "before", "status"),
    [
        ("cancel", "cancel", None, "cancelled"),
        ("resume", "resume", "failed", "queued"),
        ("retry", "retry", "failed", "queued"),
    ],
)
def test_what_was_decided_of_a_run_is_no_503(
    client, hand: Hand, run_id: str, gone_after, there: Hand, verb: str, script: str, before, status: str
):
    if before:
        hand.runs.finish(hand.begin(), before, epoch=1, error={"code": "child_died"})
    gone_after(script)
    answer = client.post(f"{RUNS}/{run_id}/{verb}", json={} if verb == "resume" else None)
    assert (answer.status_code, answer.json["status"]) == (200, status), answer.text
    assert there.runs.get(run_id).status == status


@pytest.mark.parametrize("name", ["events.jsonl", "run.json"])
def test_storage_that_fails_after_it_was_accepted_is_no_503(client, dataset_id, monkeypatch, there, name):
    def refused(*_: Any) -> None:
        raise StorageUnavailable(f"{name} could not be written.")

    if name == "events.jsonl":
        monkeypatch.setattr(event_log, "keep", refused)
        monkeypatch.setattr("trainyard.registry.runs.keep", refused)
    else:
        monkeypatch.setattr(type(there.runs), "_written", refused)
    answer = submit(client, dataset_id)
    assert answer.status_code == 201, answer.text
    assert there.runs.get(answer.json["id"]).status == "queued"


def test_a_broker_that_breaks_off_is_no_503(client, dataset_id, settings, monkeypatch):
    """The wake-up is lost, and made good for later."""
    from redis.exceptions import ConnectionError as Broken

    from trainyard.scheduling.wake_ups import Notifier, make_celery

    notifier = Notifier(make_celery(settings.broker_url), connect(NOBODY))
    for error in (Broken("gone"), ConnectionResetError("gone")):

        def broken(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr(notifier._app, "send_task", broken)
        assert notifier.notify("cpu") is False
