"""Several runs beside each other: settings, metrics and curves."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from tests.api.test_run_lists import row, trained
from trainyard.runs.record import Run
from trainyard.storage.files import Storage
from trainyard.storage.metric_rows import write_rows

COMPARE, SERIES = "/api/v1/runs/compare", "/api/v1/metrics/series"


def curve(hand: Hand, storage: Storage, held: Run, rows: list[dict[str, Any]]) -> Run:
    """Rows as the holder of a run keeps them."""
    write_rows(storage.run(held.id), held.fence, rows)
    return hand.runs.update(held, epoch=len(rows), metrics_of=held.fence)


def epoch_row(epoch: int, **more: Any) -> dict[str, Any]:
    return row(epoch, None if epoch % 2 else epoch / 10, epoch_seconds=2.0, **more)


def test_only_settings_that_differ_are_told(client: FlaskClient, dataset_id: str, hand: Hand):
    optimizations = [{"learning_rate": 0.01}, {"learning_rate": 0.02, "losses": [
        {"name": "dice", "weight": 1.0, "params": {}}]}]  # fmt: skip
    made = [submit(client, dataset_id, spec={"optimization": one, "seed": 1}).json for one in optimizations]
    ids = [run["id"] for run in made]
    client.patch(f"/api/v1/runs/{ids[0]}", json={"epochs": 7})
    trained(hand, row(1, 0.3), row(2, 0.5))
    trained(hand, row(1, 0.4, train_loss=0.1))
    found = client.get(f"{COMPARE}?ids={ids[1]},{ids[0]}").json
    assert [run["id"] for run in found["runs"]] == ids[::-1]
    settings = {one["name"]: one["values"] for one in found["settings"]}
    assert settings == {
        "epochs": [made[1]["epochs"], 7],
        "spec.optimization.learning_rate": [0.02, 0.01],
        "spec.optimization.losses": [run["spec"]["optimization"]["losses"] for run in made[::-1]],
    }
    metrics = {one["name"]: one for one in found["metrics"]}
    assert [one["best"] for one in metrics["val_miou"]["summaries"]] == [0.4, 0.5]
    assert (metrics["val_miou"]["best_run"], metrics["val_miou"]["direction"]) == (ids[0], "max")
    assert (metrics["train_loss"]["best_run"], metrics["train_loss"]["direction"]) == (ids[1], "min")
    assert "val_dice" not in metrics


def test_equal_runs_and_runs_without_metrics(client: FlaskClient, dataset_id: str):
    ids = [submit(client, dataset_id).json["id"] for _ in range(2)]
    assert client.get(f"{COMPARE}?ids={','.join(ids)}").json["settings"] == []
    assert client.get(f"{COMPARE}?ids={ids[0]}").json["metrics"] == []


@pytest.mark.parametrize("path", [f"{COMPARE}?ids=", f"{SERIES}?runs="])
def test_odd_ids(client: FlaskClient, path: str, run_id: str):
    assert client.get(f"{path}run-000000000000").status_code == 404
    assert client.get(f"{path}{run_id},..%2F..").status_code == 404
    assert client.get(f"{path}").status_code == 422
    assert client.get(path + ",".join([run_id] * 51)).status_code == 422
    assert client.get(path.partition("?")[0]).status_code == 422


def test_a_client_that_goes_on_is_sent_what_is_new(
    client: FlaskClient, dataset_id: str, hand: Hand, storage: Storage
):
    for _ in range(2):
        submit(client, dataset_id)
    first, second = hand.begin(), hand.begin()
    first = curve(hand, storage, first, [epoch_row(one) for one in (1, 2, 3, 4)])
    query = f"{SERIES}?runs={first.id},{second.id}&names=val_miou,train_loss,val_iou/sky"
    found = client.get(query).json
    series = {(one["run_id"], one["name"]): one for one in found["items"]}
    miou = series[first.id, "val_miou"]
    assert miou["restart"]
    assert (miou["epochs"], miou["values"]) == ([2, 4], [0.2, 0.4]), "not validated is no point"
    assert (miou["steps"], miou["seconds"]) == ([8, 16], [4.0, 8.0])
    assert series[first.id, "train_loss"]["epochs"] == [1, 2, 3, 4]
    assert series[first.id, "val_iou/sky"]["values"] == [0.2, 0.4]
    assert all(not values["values"] for (run_id, _), values in series.items() if run_id == second.id)

    again = client.get(f"{query}&since={found['since']}").json
    assert again == {"items": [], "since": found["since"]}
    curve(hand, storage, first, [epoch_row(one) for one in range(1, 7)])
    later = client.get(f"{query}&since={found['since']}").json
    assert {one["name"]: one["epochs"] for one in later["items"]} == {
        "val_miou": [6], "train_loss": [5, 6], "val_iou/sky": [6],
    }  # fmt: skip
    assert not any(one["restart"] for one in later["items"])
    assert later["items"][0]["seconds"] == [12.0]


def test_a_run_that_is_trained_again_begins_anew(
    client: FlaskClient, run_id: str, hand: Hand, storage: Storage
):
    held = curve(hand, storage, hand.begin(), [epoch_row(one) for one in (1, 2, 3)])
    since = client.get(f"{SERIES}?runs={run_id}").json["since"]
    hand.runs.release(held)
    curve(hand, storage, hand.begin(), [epoch_row(one, train_loss=5.0) for one in (1, 2)])
    found = client.get(f"{SERIES}?runs={run_id}&since={since}").json
    losses = next(one for one in found["items"] if one["name"] == "train_loss")
    assert (losses["restart"], losses["values"]) == (True, [5.0, 5.0])
    assert {one["name"] for one in found["items"]} == {"train_loss", "val_loss", "val_miou"}


def test_curves_are_thinned_so_that_extremes_stay(
    client: FlaskClient, run_id: str, hand: Hand, storage: Storage
):
    rows = [epoch_row(one, train_loss=9.0 if one == 123 else 0.5) for one in range(1, 400)]
    rows[200]["train_loss"] = float("nan")
    curve(hand, storage, hand.begin(), rows)
    answer = client.get(f"{SERIES}?runs={run_id}&names=train_loss&max_points=20")
    assert b"NaN" not in answer.data
    (found,) = answer.json["items"]
    assert len(found["epochs"]) <= 20
    assert max(value for value in found["values"] if value is not None) == 9.0
    assert (found["epochs"][0], found["epochs"][-1]) == (1, 399)


@pytest.mark.parametrize("query", ["since=x", "since=run-000000000000:1", "max_points=3", "max_points=10001",
                                   "names=", "names=a&names=b", "nothing=1"])  # fmt: skip
def test_odd_questions_about_curves(client: FlaskClient, run_id: str, query: str):
    answer = client.get(f"{SERIES}?runs={run_id}&{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json["errors"]
