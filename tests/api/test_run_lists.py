"""Lists of runs over the API: what may be asked, what items hold, and many runs at once."""

import csv
import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from trainyard.runs.metric_summary import summarize
from trainyard.runs.record import Run
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json

RUNS = "/api/v1/runs"


def ids(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"{RUNS}?{query}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json["items"]]


def row(epoch: int, miou: float | None, **more: Any) -> dict[str, Any]:
    loss = None if miou is None else 1 - miou
    return {"epoch": epoch, "step": 4 * epoch, "train_loss": 1 / epoch, "val_loss": loss, "val_miou": miou,
            "val_iou/sky": miou, **more}  # fmt: skip


def trained(hand: Hand, *rows: dict[str, Any]) -> Run:
    """The next run, with rows of metrics; still in work."""
    return hand.runs.update(hand.begin(), epoch=len(rows), **summarize(rows, "val_miou"))


def test_filters_are_combined(client: FlaskClient, dataset_id: str, hand: Hand):
    models = [{"architecture": name} for name in ("Unet", "FPN", "FPN")]
    tagged = zip(models, ([], ["a"], ["a", "b c"]), ("h", "g", "g"), strict=True)
    made = [
        submit(client, dataset_id, spec={"model": model}, tags=tags, group=group).json["id"]
        for model, tags, group in tagged
    ]
    hand.begin()
    assert ids(client, "status=running,completed") == [made[0]]
    assert ids(client, "status=queued&architecture=FPN&tag=a") == made[:0:-1]
    assert ids(client, "tag=a,b c") == [made[2]]
    assert ids(client, "group=h") == [made[0]]
    assert ids(client, f"dataset_id={dataset_id}&task=multiclass&sort=created_at&order=asc") == made
    assert ids(client, "text=B%20C") == [made[2]]
    created = client.get(f"{RUNS}/{made[1]}").json["created_at"]
    assert ids(client, f"created_after={created}")[-1] == made[1], "milliseconds are shown, less is kept"
    assert ids(client, "created_before=2001-01-01") == []
    assert ids(client, "dataset_id=ds-000000000000") == []


def test_items_tell_best_and_last_with_their_epochs(client: FlaskClient, dataset_id: str, hand: Hand):
    low, high, untrained = (
        submit(client, dataset_id, name=name).json["id"] for name in ("low", "high", "none")
    )
    trained(hand, row(1, 0.3), row(2, 0.5), row(3, None))
    trained(hand, row(1, 0.7), row(2, 0.6, val_loss=float("nan")))
    assert ids(client, "sort=best.val_miou") == [high, low, untrained]
    assert ids(client, "sort=last.val_miou&order=asc") == [low, high, untrained]
    assert ids(client, "sort=best.train_loss") == [low, high, untrained], "the lowest loss first"
    item = client.get(f"{RUNS}?text=low").json["items"][0]
    assert item["metrics"]["val_miou"] == {"best": 0.5, "best_epoch": 2, "last": 0.5, "last_epoch": 2}
    assert (item["best_row"]["epoch"], item["best_row"]["val_miou"]) == (2, 0.5)
    assert (item["last_row"]["epoch"], item["last_row"]["val_miou"]) == (3, None)
    assert "val_iou/sky" not in item["best_row"]
    whole = client.get(f"{RUNS}/{low}").json
    assert {name: whole[name] for name in ("metrics", "best_row", "last_row")} == {
        name: item[name] for name in ("metrics", "best_row", "last_row")
    }


def test_only_the_fields_asked_for(client: FlaskClient, run_id: str):
    answer = client.get(f"{RUNS}?fields=id,status,best_row")
    assert answer.json["items"] == [{"id": run_id, "status": "queued", "best_row": None}]


def test_pages_of_a_sorted_list_meet(client: FlaskClient, dataset_id: str, hand: Hand):
    for _ in range(5):
        submit(client, dataset_id)
    for miou in (0.4, 0.4, 0.9):
        trained(hand, row(1, miou))
    whole, cursor, found = ids(client, "sort=best.val_miou"), "", []
    while cursor is not None:
        page = client.get(f"{RUNS}?sort=best.val_miou&limit=2{cursor and '&cursor='}{cursor}").json
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == whole
    assert len(set(whole)) == 5


@pytest.mark.parametrize(
    "query",
    ["status=done", "status=", "status=queued,", "task=x", "sort=name", "sort=best.val_iou", "order=up",
     "fields=nothing", "fields=", "created_after=yesterday", "tag=", "text=", "cursor=12", "cursor=v~x~y",
     "cursor=v~1~../..", "limit=0", "limit=201", "group=", "nothing=1", "status=queued&status=running"],
)  # fmt: skip
def test_odd_queries(client: FlaskClient, query: str):
    answer = client.get(f"{RUNS}?{query}")
    assert answer.status_code == 422, answer.text
    assert query.partition("=")[0] in answer.json["errors"]


def test_tags_and_group_are_changed_and_kept(client: FlaskClient, dataset_id: str, storage: Storage):
    run = submit(client, dataset_id, tags=["one", "zwei"], group="sweep").json
    assert (run["tags"], run["group"]) == (["one", "zwei"], "sweep")
    changed = client.patch(f"{RUNS}/{run['id']}", json={"tags": [], "group": None, "notes": "why"}).json
    assert (changed["tags"], changed["group"], changed["notes"]) == ([], None, "why")
    assert read_json(storage.run(run["id"]).record)["tags"] == []
    assert ids(client, "tag=one") == ids(client, "group=sweep") == []
    assert ids(client, "text=WHY") == [run["id"]]


@pytest.mark.parametrize(
    "body",
    [{"tags": "a"}, {"tags": ["a,b"]}, {"tags": ["a", "a"]}, {"tags": [""]}, {"tags": ["x" * 51]},
     {"tags": [1]}, {"tags": None}, {"tags": [f"t{n}" for n in range(21)]}, {"group": ""}, {"group": "x\n"}],
)  # fmt: skip
def test_odd_tags_and_groups(client: FlaskClient, run_id: str, dataset_id: str, body: dict[str, Any]):
    assert client.patch(f"{RUNS}/{run_id}", json=body).status_code == 422
    assert submit(client, dataset_id, **body).status_code == 422


def test_many_at_once_and_each_by_itself(client: FlaskClient, dataset_id: str, hand: Hand):
    made = [submit(client, dataset_id).json["id"] for _ in range(4)]
    hand.runs.finish(hand.begin(), "completed")
    hand.begin()
    answer = client.post(
        f"{RUNS}/bulk/stop", json={"ids": [*made[:3], "run-000000000000", made[2]], "when": "epoch"}
    )
    assert answer.status_code == 200
    assert [one["id"] for one in answer.json["items"]] == [*made[:3], "run-000000000000"]
    assert [one["status"] for one in answer.json["items"]] == [None, "running", "stopped", None]
    codes = [(one["error"] or {}).get("status") for one in answer.json["items"]]
    assert codes == [409, None, None, 404]
    assert answer.json["items"][0]["error"]["remedy"]
    assert answer.json["failed"] == 2
    assert client.get(f"{RUNS}/{made[1]}").json["signals"]["stop"] == "epoch"
    cancelled = client.post(f"{RUNS}/bulk/cancel", json={"ids": [made[3], made[1]]}).json["items"]
    assert [one["status"] for one in cancelled] == ["cancelled", "running"]
    deleted = client.post(f"{RUNS}/bulk/delete", json={"ids": made}).json
    assert [one["error"] and one["error"]["code"] for one in deleted["items"]] == [
        None,
        "conflict",
        None,
        None,
    ]
    assert ids(client, "") == [made[1]]


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": "run-1"}, {"ids": ["a"] * 201}, {"ids": [1]},
                                  {"ids": ["a"], "when": "later"}])  # fmt: skip
def test_odd_bulk_requests(client: FlaskClient, body: dict[str, Any]):
    assert client.post(f"{RUNS}/bulk/stop", json=body).status_code == 422


def test_a_list_as_csv(client: FlaskClient, dataset_id: str, hand: Hand):
    for number in range(3):
        submit(client, dataset_id, name=f'=SUM({number}),"x"', tags=["a", "b"])
    hand.runs.finish(trained(hand, row(1, 0.5), row(2, 0.25)), "completed")
    answer = client.get("/api/v1/runs", query_string={"format": "csv", "limit": 2, "sort": "best.val_miou"})
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["status"] for row in rows] == ["completed", "queued"]
    assert rows[0]["name"].startswith("'=SUM(")
    assert (rows[0]["tags"], rows[0]["best.val_miou"], rows[0]["best_epoch.val_miou"]) == ("a, b", "0.5", "1")
    assert (rows[0]["last.val_miou"], rows[1]["last.val_miou"]) == ("0.25", "")
    following = re.search("<(.*)>; rel=", answer.headers["Link"])
    assert following
    rest = client.get(following[1])
    assert len(list(csv.DictReader(io.StringIO(rest.text)))) == 1
    assert "Link" not in rest.headers
    assert client.get("/api/v1/runs?format=xls").status_code == 422
