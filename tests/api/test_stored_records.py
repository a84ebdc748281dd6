"""Records as earlier releases stored them, and records that nobody can read, over the API."""

import json
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from tests.fixtures.stored_storage import RELEASES, record_named, unpack, version_folder
from trainyard.datasets.prepared_index import read_index
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.reindex import Reindex, Report
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.storage.json_files import write_json
from trainyard.store import keys
from trainyard.store.connection import Client

RUNS, DATASETS = "/api/v1/runs", "/api/v1/datasets"
STATUSES = {
    "completed": "completed", "stopped": "stopped", "cancelled": "cancelled", "failed": "failed",
    "fork": "completed", "running": "queued", "queued": "queued", "finishing": "finishing",
}  # fmt: skip
"""What becomes of each run of a fixture by its name: those whose worker was killed wait again. Those of
releases before 0.1.0-finishing have none that was being finished."""


def reindex(redis_client: Client, storage: Storage, rules: LeaseRules | None = None) -> Report:
    runs, datasets = RunRegistry(redis_client, storage, rules), DatasetRegistry(redis_client, storage)
    return Reindex(redis_client, storage, datasets, runs).rebuild()


@pytest.fixture(params=RELEASES)
def old(request: pytest.FixtureRequest, settings: Settings, redis_client: Client) -> Storage:
    """The storage of an earlier release, of which Redis has just learnt."""
    found = unpack(request.param, settings.storage)
    assert reindex(redis_client, found).problems == []
    return found


def listed(client: FlaskClient, url: str) -> dict[str, dict[str, Any]]:
    """The items of a list by their names."""
    answer = client.get(f"{url}?limit=200")
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json["items"]}  # type: ignore[index]


def test_what_an_earlier_release_stored_is_listed_and_read(client: FlaskClient, old: Storage):
    items = listed(client, RUNS)
    assert {name: item["status"] for name, item in items.items()} == {name: STATUSES[name] for name in items}
    assert items.keys() >= STATUSES.keys() - {"finishing"}
    assert all(item["unreadable"] is None for item in items.values())
    for item in items.values():
        run = client.get(f"{RUNS}/{item['id']}").json
        assert (run["name"], run["notes"]) == (item["name"], f"kept for tests: {item['name']}") or run[
            "forked_from"
        ]
        assert run["spec"]["model"]["encoder"] == item["encoder"] == "tu-test_resnet"
        assert client.get(f"{RUNS}/{item['id']}/metrics").status_code == 200
        assert client.get(f"{RUNS}/{item['id']}/checkpoints").status_code == 200
    assert len(client.get(f"{RUNS}/{items['completed']['id']}/metrics").json["items"]) == 2
    sets = listed(client, DATASETS)
    assert {name: item["status"] for name, item in sets.items()} == {
        "drawn": "ready", "broken": "failed", "waits": "queued",
    }  # fmt: skip
    ready = sets["drawn"]["id"]
    assert client.get(f"{DATASETS}/{ready}").json["versions"][0]["version"] == 1
    samples = client.get(f"{DATASETS}/{ready}/samples").json["items"]
    assert len(samples) == 8
    assert {sample["split"] for sample in samples} == {"train", "val"}
    assert client.get(samples[0]["url"]).status_code == 200
    assert client.get("/api/v1/queues").status_code == 200


def test_what_an_earlier_release_stored_goes_on(client: FlaskClient, old: Storage, hand: Hand):
    items = listed(client, RUNS)
    stopped, completed = items["stopped"]["id"], items["completed"]["id"]
    resumed = client.post(f"{RUNS}/{stopped}/resume", json={})
    assert (resumed.status_code, resumed.json["status"]) == (200, "queued"), resumed.text
    assert client.post(f"{RUNS}/{completed}/resume", json={"epochs": 3}).status_code == 200
    assert client.post(f"{RUNS}/{items['failed']['id']}/retry").status_code == 200
    fork = client.post(f"{RUNS}/{stopped}/fork", json={"checkpoint": "last", "spec": {"epochs": 3}})
    assert fork.status_code == 201, fork.text
    again = submit(client, fork.json["dataset_id"], spec=client.get(f"{RUNS}/{completed}").json["spec"])
    assert again.status_code == 201, again.text
    for run_id in (items["cancelled"]["id"], items["fork"]["id"]):
        assert client.delete(f"{RUNS}/{run_id}").status_code == 204
        assert not old.run(run_id).path.exists()
    hand.runs.claim("cpu", "w")


def test_what_was_being_finished_is_finished_by_another(
    client: FlaskClient, settings: Settings, redis_client: Client, hand: Hand
):
    storage = unpack("0.1.0-finishing", settings.storage)
    quick = LeaseRules(lease_s=0.1)
    reindex(redis_client, storage, quick)
    time.sleep(quick.lease_s)  # its holder may speak
    items = listed(client, RUNS)
    held = hand.runs.claim("finish", "w")
    assert held.id == items["finishing"]["id"]
    told = client.get(f"{RUNS}/{held.id}").json["attempts"]
    assert [(one["finishing"], one["reason"]) for one in told[:1]] == [(False, "trained")]
    assert all(one["finishing"] for one in told[1:])
    completed = client.get(f"{RUNS}/{items['completed']['id']}").json
    assert [(one["finishing"], one["reason"]) for one in completed["attempts"]] == [
        (False, "trained"), (True, "completed"),
    ]  # fmt: skip


def test_a_spec_that_lacks_a_field_fails_no_list(
    client: FlaskClient, settings: Settings, redis_client: Client
):
    storage = unpack(RELEASES[0], settings.storage)
    record = record_named(storage, "stopped")
    del record["spec"]["optimization"]["ema_decay"], record["spec"]["export"], record["labels"]
    record["spec"]["model"]["encoder"] = "of-yesterday"
    record["spec"]["of_tomorrow"] = 1
    write_json(storage.run(record["id"]).record, record)
    assert reindex(redis_client, storage).problems == []
    assert listed(client, RUNS)["stopped"]["encoder"] == "of-yesterday"
    run = client.get(f"{RUNS}/{record['id']}").json
    assert run["spec"]["optimization"]["ema_decay"] is None
    assert run["spec"]["export"]["onnx"] is True
    assert client.post(f"{RUNS}/{record['id']}/resume", json={}).status_code == 200


def planted(data: Any, path: str = "") -> Any:
    """The data with a field of another release in each of its parts; free-form objects are none."""
    if isinstance(data, list):
        return [planted(one, f"{path}.{place}") for place, one in enumerate(data)]
    if not isinstance(data, dict) or path.endswith(("params", ".result", ".error", "progress", "labels")):
        return data
    more = {} if path in (".checkpoints", ".metrics") or "_row" in path else {"of_tomorrow": path or "top"}
    return {**{name: planted(value, f"{path}.{name}") for name, value in data.items()}, **more}


def foreign(data: Any) -> set[str]:
    """Where the data has fields of another release."""
    if isinstance(data, list):
        return {found for one in data for found in foreign(one)}
    if not isinstance(data, dict):
        return set()
    inner = {found for one in data.values() for found in foreign(one)}
    return inner | ({data["of_tomorrow"]} if "of_tomorrow" in data else set())


def test_what_another_release_knows_is_ignored_and_kept_at_any_depth(
    client: FlaskClient, settings: Settings, redis_client: Client, hand: Hand
):
    storage = unpack(RELEASES[-1], settings.storage)
    record = planted(record_named(storage, "stopped"))
    expected = foreign(record)
    assert expected >= {"top", ".spec", ".spec.model", ".spec.optimization.losses.0", ".attempts.0",
                        ".checkpoints.last"}  # fmt: skip
    write_json(storage.run(record["id"]).record, record)
    assert reindex(redis_client, storage).problems == []
    run = client.get(f"{RUNS}/{record['id']}").json
    assert foreign(run) == set()
    assert client.patch(f"{RUNS}/{record['id']}", json={"notes": "changed"}).status_code == 200
    redis_client.flushall()
    reindex(redis_client, storage)
    assert client.post(f"{RUNS}/{record['id']}/resume", json={"epochs": 9}).status_code == 200
    held = next(one for one in iter(lambda: hand.runs.claim("cpu", "w"), None) if one.id == record["id"])
    hand.runs.finish(held, "completed")
    stored = record_named(storage, "stopped")
    assert (stored["notes"], stored["status"], len(stored["attempts"])) == (
        "changed", "completed", len(record["attempts"]) + 1,
    )  # fmt: skip
    assert foreign(stored) == expected


BROKEN = {
    "no JSON": "{",
    "no object": "[]",
    "deep": "[" * 100_000,
    "another form": json.dumps({"schema": 1, "id": "x", "spec": 3, "revision": 2}),
    "newer": json.dumps({"schema": 99, "id": "x", "name": "of tomorrow", "project": "p", "created_at": 5.0}),
    "no text": "\0\1\2",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kind", ["run", "dataset"])
def test_a_file_that_cannot_be_read_is_one_item_and_can_be_deleted(
    client: FlaskClient, storage: Storage, redis_client: Client, run_id: str, dataset_id: str, kind: str,
    content: str,
):  # fmt: skip
    url = {"run": RUNS, "dataset": DATASETS}[kind]
    broken = {"run": "run-0000000000ff", "dataset": "ds-0000000000ff"}[kind]
    folder = (storage.run if kind == "run" else storage.dataset)(broken)
    folder.path.mkdir(parents=True)
    folder.record.write_text(content)
    report = reindex(redis_client, storage)
    assert len(report.problems) == 1
    items = client.get(url).json["items"]
    (item,) = [one for one in items if one["id"] == broken]
    assert item["status"] == "unreadable"
    assert item["unreadable"]
    assert {run_id, dataset_id} & {one["id"] for one in items}
    assert folder.record.read_text() == content
    answer = client.get(f"{url}/{broken}")
    assert (answer.status_code, answer.json["code"]) == (409, "unreadable")
    assert client.delete(f"{url}/{broken}").status_code == 204
    assert not folder.path.exists()
    assert broken not in client.get(url).text
    assert reindex(redis_client, storage).problems == []


def test_a_file_that_can_be_read_later_takes_its_place(
    client: FlaskClient, storage: Storage, redis_client: Client, run_id: str
):
    whole = storage.run(run_id).record.read_text()
    redis_client.flushall()
    storage.run(run_id).record.write_text(whole.replace('"schema": 1', '"schema": 99'))
    reindex(redis_client, storage)
    assert client.get(RUNS).json["items"][0]["status"] == "unreadable"
    storage.run(run_id).record.write_text(whole)
    assert reindex(redis_client, storage).problems == []
    assert [item["status"] for item in client.get(RUNS).json["items"]] == ["queued"]
    assert client.get(f"{RUNS}/{run_id}").json["waiting"]["position"] == 1


def test_a_torn_file_of_a_record_that_redis_has_is_written_again(
    client: FlaskClient, storage: Storage, redis_client: Client, run_id: str
):
    whole = storage.run(run_id).record.read_text()
    storage.run(run_id).record.write_text(whole[:100])
    assert reindex(redis_client, storage).counts["written"] == 1
    assert storage.run(run_id).record.read_text() == whole


@pytest.mark.parametrize("field", ["spec", "attempts", "epochs", "status"])
def test_a_broken_record_in_redis_is_one_item(
    client: FlaskClient, redis_client: Client, dataset_id: str, field: str
):
    ids = [submit(client, dataset_id, name=f"run {number}").json["id"] for number in range(3)]
    redis_client.hset(keys.record("run", ids[1]), field, '{"broken": ')
    items = client.get(RUNS).json["items"]
    assert [item["id"] for item in items] == ids[::-1]
    assert [item["status"] for item in items] == ["queued", "unreadable", "queued"]
    assert items[1]["name"] == "run 1"
    assert items[1].keys() == items[0].keys()
    assert field in items[1]["unreadable"]
    for path in ("queues", "workers", "datasets", f"runs/{ids[0]}", f"runs/{ids[2]}"):
        assert client.get(f"/api/v1/{path}").status_code == 200
    assert client.get(f"{RUNS}/{ids[1]}").json["code"] == "unreadable"
    for verb in ("stop", "cancel", "resume") if field != "status" else ():  # which they would write anew
        assert client.post(f"{RUNS}/{ids[1]}/{verb}").status_code == 409
    assert client.delete(f"{RUNS}/{ids[1]}").status_code == 204
    assert [item["id"] for item in client.get(RUNS).json["items"]] == [ids[2], ids[0]]


def test_a_broken_run_that_waits_is_deleted_at_once(client: FlaskClient, redis_client: Client, run_id: str):
    redis_client.hset(keys.record("run", run_id), "spec", "{")
    assert client.delete(f"{RUNS}/{run_id}").status_code == 204
    assert client.get(RUNS).json["items"] == []
    assert client.get(f"{RUNS}/{run_id}").status_code == 404


def test_a_broken_run_that_is_claimed_fails_and_the_next_one_is_taken(
    client: FlaskClient, redis_client: Client, dataset_id: str, hand: Hand
):
    broken, whole = (submit(client, dataset_id).json["id"] for _ in range(2))
    redis_client.hset(keys.record("run", broken), "spec", "{")
    assert hand.begin().id == whole
    assert redis_client.hget(keys.record("run", broken), "status") == "failed"
    assert "unreadable" in str(redis_client.hget(keys.record("run", broken), "error"))
    assert client.get(f"{RUNS}?status=failed").json["items"][0]["id"] == broken


def test_mirrors_of_others_are_written_although_one_record_is_broken(
    client: FlaskClient, redis_client: Client, storage: Storage, dataset_id: str, hand: Hand
):
    ids = sorted(submit(client, dataset_id).json["id"] for _ in range(3))
    for run_id in ids:
        redis_client.hset(keys.record("run", run_id), "notes", "new")
        redis_client.hincrby(keys.record("run", run_id), "revision", 1)
        redis_client.sadd(keys.unmirrored("run"), run_id)
    redis_client.hset(keys.record("run", ids[0]), "spec", "{")
    assert hand.runs.repair_mirrors() == ids[1:]
    assert json.loads(storage.run(ids[2]).record.read_text())["notes"] == "new"
    assert hand.runs.repair_mirrors() == []


def test_items_of_lists_are_what_their_schema_says(client: FlaskClient, old: Storage):
    document = client.get("/openapi.json").json["components"]["schemas"]
    for url, schema in ((RUNS, "RunItem"), (DATASETS, "DatasetItem")):
        for item in listed(client, url).values():
            assert item.keys() == document[schema]["properties"].keys()
    runs = listed(client, RUNS)
    whole = client.get(f"{RUNS}/{runs['completed']['id']}").json
    item = runs["completed"]
    for name in item.keys() - {"result", "error", "task", "architecture", "encoder", "unreadable"}:
        assert item[name] == whole[name], name
    assert item["result"]["best_epoch"] == whole["result"]["best_epoch"]
    assert item["result"]["best"]["val_miou"] == whole["result"]["best"]["val_miou"]
    assert not any("/" in name for name in item["result"]["best"])
    assert runs["fork"]["forked_from"]["run_id"] == whole["id"]
    assert runs["failed"]["error"]["code"] == "weights_unavailable"
    assert "log_tail" not in runs["failed"]["error"]


def test_a_broken_file_beside_a_checkpoint_fails_no_list(client: FlaskClient, old: Storage):
    run_id = listed(client, RUNS)["completed"]["id"]
    beside = old.run(run_id).checkpoints / "best.ckpt.json"
    beside.unlink()
    beside.write_text("{")
    items = client.get(f"{RUNS}/{run_id}/checkpoints").json["items"]
    assert {item["name"]: item["epoch"] for item in items}["best"] is None
    assert {item["name"] for item in items} >= {"best", "last", "2"}


def test_the_prepared_version_has_one_schema(old: Storage):

    index = read_index(version_folder(old))
    assert [one.name for one in index.classes] == ["ground", "box"]
    assert len(index.samples) == 8


@pytest.mark.parametrize("text", ["{", "[]", '{"id": 3}', '{"id": "w", "pid": 1}'])
def test_a_worker_that_tells_what_cannot_be_read_is_one_item(
    client: FlaskClient, redis_client: Client, run_id: str, text: str
):
    redis_client.sadd(keys.WORKERS, "host:1:x")
    redis_client.set(keys.worker("host:1:x"), text)
    (item,) = client.get("/api/v1/workers").json["items"]
    assert item["id"] == "host:1:x"
    assert item["unreadable"]
    assert client.get("/api/v1/queues").status_code == 200
    assert client.get(f"{RUNS}/{run_id}").json["waiting"]["reason"]["code"] == "no_worker"
