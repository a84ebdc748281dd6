"""Many runs in one stream: whose events come, from where it goes on, and what is said of a gap."""

import json
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.composition import EXTENSION
from tests.api.conftest import Hand, submit
from tests.api.streams import followed
from trainyard.registry.event_log import order
from trainyard.runs.events import EpochEnd, Notice
from trainyard.store import keys
from trainyard.store.connection import Client

Found = tuple[str, dict[str, Any] | None]
Follow = Callable[..., Iterator[Found]]


@pytest.fixture
def follow(client: FlaskClient) -> Follow:
    """The stream of many runs that a query asks for, after an id; its beginning has come."""

    def begun(query: str = "", last: str | None = None) -> Iterator[Found]:
        stream = followed(client, f"/api/v1/events?{query}", last, with_places=True)
        return chain([next(stream)], stream)

    return begun


@pytest.fixture
def run_ids(client: FlaskClient, dataset_id: str) -> list[str]:
    """Two runs of the project `a`, one of `b`."""
    return [submit(client, dataset_id, project=project).json["id"] for project in ("a", "a", "b")]


def tell(hand: Hand, run_id: str, epoch: int) -> None:
    hand.runs.live.append(run_id, EpochEnd(epoch=epoch, step=epoch, metrics={}), lambda: "0-0")


def taken(stream: Iterator[Found], count: int) -> list[Found]:
    """The next events; what only says how far the stream was read is left out."""
    return list(islice((entry for entry in stream if entry[1] is not None), count))


def told(entries: list[Found]) -> list[tuple[str, Any]]:
    return [(event["run_id"], event.get("epoch")) for _, event in entries if event]


def test_a_stream_of_runs_that_are_not_here_is_refused(client: FlaskClient, run_ids: list[str]):
    for absent in ("run-000000000000", "abc", "run-000000000000,x"):
        refused = client.get(f"/api/v1/events?runs={absent}")
        assert (refused.status_code, list(refused.json["errors"])) == (404, ["runs"])
    beside = client.get(f"/api/v1/events?runs=run-000000000000,{run_ids[0]}")
    assert beside.status_code == 200, "it may have been deleted since its client asked first"


def test_events_of_many_runs_come_in_order(follow: Follow, hand: Hand, run_ids: list[str]):
    stream = follow()
    assert next(stream)[1] is None, "what was before is not sent"
    for epoch, run_id in enumerate(run_ids * 2, start=1):
        tell(hand, run_id, epoch)
    found = taken(stream, 6)
    assert told(found) == [(run_id, epoch) for epoch, run_id in enumerate(run_ids * 2, start=1)]
    assert [event["project"] for _, event in found[:3] if event] == ["a", "a", "b"]
    ids = [order(event_id) for event_id, _ in found]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("place", range(6))
def test_any_point_can_be_resumed(follow: Follow, hand: Hand, run_ids: list[str], place: int):
    (begin, _) = next(follow())
    for epoch, run_id in enumerate(run_ids * 2, start=1):
        tell(hand, run_id, epoch)
    whole = taken(follow(last=begin), 6)
    assert taken(follow(last=whole[place][0]), 5 - place) == whole[place + 1 :]


def test_only_what_is_asked_for(follow: Follow, hand: Hand, run_ids: list[str]):
    first, second, third = run_ids
    begin = next(follow())[0]
    for run_id in run_ids:
        tell(hand, run_id, 1)
        hand.runs.live.append(run_id, Notice(message="so"), lambda: "0-0")
    queries = {
        f"runs={first},{third}&kinds=epoch": [(first, 1), (third, 1)],
        "project=a": [(first, 1), (first, None), (second, 1), (second, None)],
        f"project=a&runs={third},{second}&kinds=notice": [(second, None)],
    }
    for query, expected in queries.items():
        assert told(taken(follow(query, begin), len(expected))) == expected


def test_a_client_of_a_quiet_stream_learns_how_far_it_was_read(
    follow: Follow, app: Flask, hand: Hand, run_ids: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app.extensions[EXTENSION].feed_sockets, "_keep_alive_s", 0)
    stream = follow("project=b")
    begin = next(stream)
    tell(hand, run_ids[0], 1)
    later = next(entry for entry in stream if entry[0] != begin[0])
    assert later[1] is None
    assert order(later[0]) > order(begin[0])


def test_a_gap_is_told(follow: Follow, hand: Hand, run_ids: list[str], redis_client: Client):
    begin = next(follow())[0]
    for epoch in range(1, 6):
        tell(hand, run_ids[0], epoch)
    redis_client.xtrim(keys.ALL_EVENTS, maxlen=2, approximate=False)
    gap, *rest = taken(follow(last=begin), 3)
    assert gap[1]
    assert gap[1]["event"] == "gap"
    assert told(rest) == [(run_ids[0], 4), (run_ids[0], 5)]


def test_a_gap_is_told_of_a_redis_that_was_emptied(follow: Follow, hand: Hand):
    ahead = follow(last="99999999999999-0")
    assert next(ahead)[1]["event"] == "gap"  # type: ignore[index]
    tell(hand, "run-000000000001", 1)
    assert told(taken(ahead, 1)) == [("run-000000000001", 1)]


def test_a_stream_that_began_with_nothing_has_no_gap(follow: Follow, hand: Hand):
    (begin, nothing) = next(follow())
    assert nothing is None
    tell(hand, "run-000000000001", 1)
    assert told(taken(follow(last=begin), 1)) == [("run-000000000001", 1)]


def test_over_http(client: FlaskClient, hand: Hand, run_ids: list[str], redis_client: Client):
    begin = str(redis_client.xrevrange(keys.ALL_EVENTS, count=1)[0][0])
    tell(hand, run_ids[2], 7)
    answer = client.get(
        "/api/v1/events?project=b&kinds=epoch", headers={"Last-Event-ID": begin}, buffered=False
    )
    assert answer.content_type.startswith("text/event-stream")
    text = b""
    while text.count(b"\n\n") < 3:
        text += next(answer.response)
    answer.close()
    blocks = text.split(b"\n\n")
    assert blocks[0].startswith(b"retry: ")
    assert blocks[1] == f"id: {begin}".encode()
    head, name, data = blocks[2].decode().strip().split("\n")
    assert (head.startswith("id: "), name) == (True, "event: epoch")
    assert json.loads(data.removeprefix("data: "))["run_id"] == run_ids[2]


@pytest.mark.parametrize(
    "query", ["kinds=none", "kinds=", "runs=", "project=", "nothing=1", "last_event_id=x"]
)
def test_odd_questions(client: FlaskClient, query: str):
    assert client.get(f"/api/v1/events?{query}").status_code == 422
