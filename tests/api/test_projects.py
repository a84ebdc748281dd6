"""Projects: which there are, what they have, what is said of them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.reindex import Reindex
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import Client

PROJECTS = "/api/v1/projects"


def listed(client: FlaskClient, **query: Any) -> dict[str, dict[str, Any]]:
    answer = client.get(PROJECTS, query_string=query)
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json["items"]}


def test_a_project_is_there_with_its_first_record_and_goes_with_its_last(
    client: FlaskClient, dataset_id: str, hand: Hand
):
    own = client.get(f"/api/v1/datasets/{dataset_id}").json["project"]
    for project in ("b / 猫", "b / 猫", "a"):
        submit(client, dataset_id, project=project)
    first = hand.begin()
    found = listed(client)
    assert list(found) == sorted([own, "a", "b / 猫"])
    assert found["a"]["runs"].keys() | found["b / 猫"]["runs"].keys() == {"queued", "running"}
    assert sum(found["b / 猫"]["runs"].values()) == 2
    assert (found[own]["datasets"], found[own]["runs"]) == (1, {})
    assert found["a"]["newest_at"] > found[own]["newest_at"]
    assert found["a"]["created_at"] is None
    hand.runs.finish(first, "completed")
    for run in client.get("/api/v1/runs").json["items"]:
        client.post(f"/api/v1/runs/{run['id']}/cancel")
        assert client.delete(f"/api/v1/runs/{run['id']}").status_code == 204
    assert list(listed(client)) == [own]
    client.delete(f"/api/v1/datasets/{dataset_id}")
    assert listed(client) == {}


def test_a_project_is_made_described_and_stays(client: FlaskClient):
    answer = client.post(PROJECTS, json={"name": "new", "description": "for later"})
    assert answer.status_code == 201
    assert (answer.json["description"], answer.json["runs"]) == ("for later", {})
    assert answer.json["newest_at"] is None
    assert client.post(PROJECTS, json={"name": "new"}).status_code == 409
    found = client.patch(f"{PROJECTS}/new", json={"description": "<b>now</b>"}).json
    assert (found["description"], found["created_at"]) == ("<b>now</b>", answer.json["created_at"])
    assert client.put(f"{PROJECTS}/new", json={"max_concurrent": 2}).json["description"] == "<b>now</b>"
    assert listed(client)["new"]["effective"] == 2


def test_pages_go_on_behind_the_last_name(client: FlaskClient):
    names = [f"p{number:02}" for number in range(7)]
    for name in reversed(names):
        client.post(PROJECTS, json={"name": name})
    found: list[str] = []
    cursor = None
    while True:
        page = client.get(PROJECTS, query_string={"limit": 3} | ({"cursor": cursor} if cursor else {})).json
        found += [one["name"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == names


def test_a_redis_of_an_earlier_release_learns_its_projects(
    client: FlaskClient, dataset_id: str, redis_client: Client, settings: Settings
):
    submit(client, dataset_id, project="runs only")
    before = listed(client)
    redis_client.delete(keys.PROJECTS)
    redis_client.set(keys.LISTS, "1")
    storage = Storage(settings.storage)
    Reindex(
        redis_client, storage, DatasetRegistry(redis_client, storage), RunRegistry(redis_client, storage)
    ).ensure()
    assert listed(client) == before
    redis_client.flushall()
    Reindex(
        redis_client, storage, DatasetRegistry(redis_client, storage), RunRegistry(redis_client, storage)
    ).ensure()
    assert listed(client) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "name"), ({"name": ""}, "name"), ({"name": "a", "description": "x" * 2001}, "description"),
     ({"name": "a\nb"}, "name"), ({"name": "a", "max_concurrent": 1}, "max_concurrent")],
)  # fmt: skip
def test_what_is_no_project_is_named(client: FlaskClient, body: dict[str, Any], field: str):
    answer = client.post(PROJECTS, json=body)
    assert answer.status_code == 422
    assert field in answer.json["errors"]
