"""How long a run may train, as clients ask for it and see it."""

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit

RUNS = "/api/v1/runs"


def test_hours_are_asked_for_and_changed_in_any_status(client: FlaskClient, dataset_id: str, hand: Hand):
    run = submit(client, dataset_id, max_hours=1.5).json
    assert (run["max_hours"], run["used_seconds"]) == (1.5, 0)
    held = hand.begin()
    assert client.patch(f"{RUNS}/{run['id']}", json={"max_hours": 3}).json["max_hours"] == 3
    assert hand.runs.update(held, used_seconds=7.25).max_hours == 3, "the worker learns of it"
    hand.runs.finish(held, "failed")
    found = client.patch(f"{RUNS}/{run['id']}", json={"max_hours": None}).json
    assert (found["max_hours"], found["used_seconds"]) == (None, 7.25)


def test_without_a_wish_there_is_no_limit(client: FlaskClient, dataset_id: str):
    assert submit(client, dataset_id).json["max_hours"] is None


@pytest.mark.parametrize("hours", [0, -1, 1e9, "soon"])
def test_hours_out_of_range_are_named(client: FlaskClient, dataset_id: str, run_id: str, hours: object):
    for answer in (
        submit(client, dataset_id, max_hours=hours),
        client.patch(f"{RUNS}/{run_id}", json={"max_hours": hours}),
    ):
        assert answer.status_code == 422
        assert "max_hours" in answer.json["errors"]
