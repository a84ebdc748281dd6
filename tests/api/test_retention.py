"""Room on the storage: what takes how much, and old runs deleted."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from tests.api.test_run_lists import row
from trainyard.runs.metric_summary import summarize
from trainyard.storage.files import Storage
from trainyard.storage.sizes import folder_bytes

PRUNE, RUNS = "/api/v1/admin/prune", "/api/v1/runs"


@pytest.fixture
def ended(client: FlaskClient, dataset_id: str, hand: Hand) -> list[str]:
    """Three completed runs, the second the best, the third with a tag; one that failed, one that waits."""
    ids = [submit(client, dataset_id, tags=["keep"] if n == 2 else []).json["id"] for n in range(5)]
    for miou in (0.3, 0.9, 0.1):
        hand.runs.finish(hand.begin(), "completed", **summarize([row(1, miou)], "val_miou"))
    hand.runs.finish(hand.begin(), "failed", error={"code": "nan_loss", "cause": "user"})
    return ids


def pruned(client: FlaskClient, **body: Any) -> dict[str, Any]:
    answer = client.post(PRUNE, json={"older_than_days": 0, **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)  # type: ignore[arg-type]


def test_nothing_is_deleted_unless_that_is_said(client: FlaskClient, ended: list[str], storage: Storage):
    found = pruned(client)
    assert found["dry_run"] is True
    assert [one["id"] for one in found["items"]] == ended[:4], "oldest end first"
    assert found["bytes"] == sum(folder_bytes(storage.run(one).path) for one in ended[:4]) > 0
    assert len(client.get(RUNS).json["items"]) == 5


def test_the_best_and_what_is_tagged_stay(client: FlaskClient, ended: list[str], storage: Storage):
    found = pruned(client, keep_best=1, keep_tags=["keep"], dry_run=False)
    assert [one["id"] for one in found["items"]] == [ended[0], ended[3]]
    assert all(one["error"] is None for one in found["items"])
    assert [item["id"] for item in client.get(RUNS).json["items"]] == [ended[4], ended[2], ended[1]]
    assert not storage.run(ended[0]).path.exists()
    assert pruned(client, keep_best=1, keep_tags=["keep"], dry_run=False)["items"] == []


def test_a_loss_is_best_where_it_is_lowest(client: FlaskClient, ended: list[str]):
    found = pruned(client, keep_best=2, metric="val_loss")
    assert [one["id"] for one in found["items"]] == [ended[2], ended[3]]


def test_only_what_is_old_and_of_that_kind(client: FlaskClient, ended: list[str]):
    assert pruned(client, older_than_days=1)["items"] == []
    assert [one["id"] for one in pruned(client, statuses=["failed"])["items"]] == [ended[3]]
    assert pruned(client, project="none")["items"] == []


def test_many_are_deleted_in_several_requests(client: FlaskClient, ended: list[str]):
    first = pruned(client, limit=3, dry_run=False)
    assert ([one["id"] for one in first["items"]], first["more"]) == (ended[:3], True)
    second = pruned(client, limit=3, dry_run=False)
    assert ([one["id"] for one in second["items"]], second["more"]) == ([ended[3]], False)


@pytest.mark.parametrize(
    "body",
    [{}, {"older_than_days": -1}, {"older_than_days": "1"}, {"older_than_days": 1, "statuses": ["queued"]},
     {"older_than_days": 1, "metric": "val_iou/x"}, {"older_than_days": 1, "keep_best": -1},
     {"older_than_days": 1, "dry_run": "no"}, {"older_than_days": 1, "limit": 0}],
)  # fmt: skip
def test_odd_requests(client: FlaskClient, ended: list[str], body: dict[str, Any]):
    assert client.post(PRUNE, json=body).status_code == 422
    assert len(client.get(RUNS).json["items"]) == 5


def test_what_takes_most_comes_first(
    client: FlaskClient, ended: list[str], dataset_id: str, storage: Storage
):
    log = storage.run(ended[2]).log
    log.parent.mkdir()
    log.write_bytes(bytes(500_000))
    (log.parent / "again.log").hardlink_to(log)
    items = client.get("/api/v1/admin/usage").json["items"]
    assert (items[0]["id"], items[0]["kind"]) == (ended[2], "run")
    assert 500_000 < items[0]["bytes"] < 600_000, "one file with two names counts once"
    assert {one["id"] for one in items} == {*ended, dataset_id}
    assert len(client.get("/api/v1/admin/usage?limit=2").json["items"]) == 2
    assert client.get("/api/v1/admin/usage?project=none").json["items"] == []
