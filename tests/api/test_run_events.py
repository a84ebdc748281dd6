"""The stream of a run's events: whole, in order, from any point, to the end."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.composition import EXTENSION
from app.http.streams import feed_sockets
from app.service.requests.slots import Slots
from app.service.run_outputs.events import BEGINNING, checked_event_id
from tests.api.conftest import Hand
from tests.api.streams import followed
from tests.waits import wait_for
from trainyard.errors import InvalidRequest, TooManyUploads
from trainyard.registry.event_log import order, publish
from trainyard.runs.events import EpochEnd, StatusChanged
from trainyard.runs.record import Run
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import Client

Entries = list[tuple[str, dict[str, Any]]]


Follow = Callable[..., Iterator[tuple[str, dict[str, Any]]]]


@pytest.fixture
def follow(client: FlaskClient, run_id: str) -> Follow:
    """The events of the run after an id, of a stream of its own."""
    return lambda last=BEGINNING: followed(client, f"/api/v1/runs/{run_id}/events", last)


class Teller:
    """Publishes events of one run, as its supervisor does."""

    def __init__(self, hand: Hand, storage: Storage, run_id: str) -> None:
        self.hand = hand
        self.folder = storage.run(run_id)
        self.run_id = run_id

    def epochs(self, first: int, last: int) -> None:
        for epoch in range(first, last + 1):
            publish(
                self.hand.runs.live, self.folder, self.run_id, EpochEnd(epoch=epoch, step=epoch, metrics={})
            )

    def end(self, held: Run, status: str = "completed") -> None:
        run = self.hand.runs.finish(held, status)
        event = StatusChanged(status=run.status, revision=run.revision)
        publish(self.hand.runs.live, self.folder, self.run_id, event)


@pytest.fixture
def teller(hand: Hand, storage: Storage, run_id: str) -> Teller:
    return Teller(hand, storage, run_id)


def assert_whole(found: Entries, last_epoch: int, first_epoch: int = 1) -> None:
    """Each epoch once, in order, and the end last."""
    ids = [order(event_id) for event_id, _ in found]
    assert ids == sorted(set(ids))
    epochs = [event["epoch"] for _, event in found if event["event"] == "epoch"]
    assert epochs == list(range(first_epoch, last_epoch + 1))
    assert found[-1][1]["status"] == "completed"


def test_a_stream_follows_a_run_to_its_end(follow: Follow, hand: Hand, run_id: str, teller: Teller):
    stream = follow()
    assert next(stream)[1]["status"] == "queued"
    held = hand.begin()
    teller.epochs(1, 2)
    found = [next(stream), next(stream)]
    teller.epochs(3, 3)
    found.append(next(stream))
    teller.end(held)
    found.extend(stream)
    assert_whole(found, 3)


def test_any_point_can_be_resumed(follow: Follow, hand: Hand, run_id: str, teller: Teller):
    held = hand.begin()
    teller.epochs(1, 5)
    teller.end(held)
    whole = list(follow())
    assert_whole(whole, 5)
    for index, (event_id, _) in enumerate(whole[:-1]):
        assert list(follow(event_id)) == whole[index + 1 :]
    assert list(follow(whole[-1][0])) == []


def test_an_expired_stream_is_replayed_from_the_file(
    follow: Follow, hand: Hand, run_id: str, teller: Teller, redis_client: Client
):
    held = hand.begin()
    teller.epochs(1, 4)
    teller.end(held)
    whole = list(follow())
    redis_client.delete(keys.events(run_id))
    assert list(follow()) == whole
    assert list(follow(whole[2][0])) == whole[3:]


def test_what_the_stream_has_let_go_comes_from_the_file(
    follow: Follow, hand: Hand, run_id: str, teller: Teller, redis_client: Client
):
    held = hand.begin()
    teller.epochs(1, 6)
    redis_client.xtrim(keys.events(run_id), maxlen=2, approximate=False)
    stream = follow()
    found: Entries = [next(stream) for _ in range(7)]
    teller.epochs(7, 8)
    redis_client.xtrim(keys.events(run_id), maxlen=1, approximate=False)
    teller.end(held)
    found.extend(stream)
    assert_whole(found, 8)


def test_an_emptied_redis_costs_no_event(
    follow: Follow, hand: Hand, run_id: str, teller: Teller, redis_client: Client
):
    held = hand.begin()
    teller.epochs(1, 2)
    stream = follow()
    found: Entries = [next(stream) for _ in range(3)]
    redis_client.delete(keys.events(run_id))
    time.sleep(0.002)  # ids begin with the millisecond; no Redis is emptied and written to within the same
    teller.epochs(3, 4)
    teller.end(held)
    found.extend(stream)
    assert_whole(found, 4)


def test_a_torn_line_is_passed_over(
    follow: Follow, hand: Hand, run_id: str, teller: Teller, storage: Storage, redis_client: Client
):
    held = hand.begin()
    teller.epochs(1, 1)
    with storage.run(run_id).events.open("a") as file:
        file.write('{"id": "12')
        file.write("\n")
    teller.epochs(2, 2)
    teller.end(held)
    redis_client.delete(keys.events(run_id))
    assert_whole(list(follow()), 2)


def test_a_run_that_waits_again_is_followed_on(follow: Follow, hand: Hand, run_id: str, teller: Teller):
    hand.runs.release(hand.begin())
    held = hand.begin()
    teller.epochs(1, 1)
    teller.end(held)
    assert_whole(list(follow()), 1)


def test_an_end_without_its_event_ends_the_stream(follow: Follow, hand: Hand, run_id: str):
    hand.runs.finish(hand.begin(), "failed")
    assert [event["status"] for _, event in follow()] == ["queued"]


def test_silence_gives_signs_of_life(
    client: FlaskClient, run_id: str, monkeypatch: pytest.MonkeyPatch, app: Flask
):
    monkeypatch.setattr(app.extensions[EXTENSION].feed_sockets, "_keep_alive_s", 0)
    answer = client.get(f"/api/v1/runs/{run_id}/events", buffered=False)
    text = b""
    while text.count(b": still here\n\n") < 2:
        text += next(answer.response)
    assert text.count(b"data: ") == 1
    answer.close()


def test_streams_end_with_the_server(follow: Follow, app: Flask):
    stream, services = follow(), app.extensions[EXTENSION]
    assert next(stream)[1]["status"] == "queued"
    services.shutdown.when(lambda: True)
    assert list(stream) == []


def test_a_stream_of_a_run_that_is_deleted_ends(follow: Follow, redis_client: Client, run_id: str):
    stream = follow()
    next(stream)
    redis_client.delete(keys.record("run", run_id))
    assert list(stream) == []


def test_an_event_of_an_earlier_release_makes_a_client_come_again(
    follow: Follow, hand: Hand, run_id: str, teller: Teller, redis_client: Client, app: Flask
):
    stream = follow()
    last, _ = next(stream)
    wait_for(lambda: app.extensions[EXTENSION].feed_sockets.taken)
    redis_client.xadd(
        keys.ALL_EVENTS, {"run": run_id, "project": "p", "kind": "notice", "data": '{"event": "notice"}'}
    )
    assert list(stream) == []
    held = hand.begin()
    teller.epochs(1, 1)
    teller.end(held)
    assert_whole(list(follow(last)), 1)


def test_an_unknown_run(client: FlaskClient):
    assert client.get("/api/v1/runs/run-000000000000/events").status_code == 404


def test_event_ids():
    assert checked_event_id(None) == "0-0"
    assert checked_event_id("") == "0-0"
    assert checked_event_id("0") == "0-0"
    assert checked_event_id("17-3") == "17-3"
    for text in ("x", "-1", "1-", "1-2-3", "1 2", "٣-1", f"{2**64}-0", f"1-{2**64}", "1\n", "9" * 30):
        with pytest.raises(InvalidRequest):
            checked_event_id(text)


def test_slots_are_limited():
    slots = Slots(1, TooManyUploads)
    slot = slots.take()
    with pytest.raises(TooManyUploads):
        slots.take()
    slots.give_back(slot)
    slots.take()
    slots.give_back(slot)
    with pytest.raises(TooManyUploads):
        slots.take()


def test_a_slot_is_free_once_its_client_has_left():
    left: set[str] = set()
    slots = Slots(2, TooManyUploads)
    first = slots.take(lambda: "first" in left)
    slots.take(lambda: "second" in left)
    left.add("first")
    slots.take()
    slots.give_back(first)
    with pytest.raises(TooManyUploads):
        slots.take()


def parsed(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in lines:
            event = json.loads(lines["data"])
            assert lines["event"] == event["event"]
            yield lines["id"], event


def test_the_wire_form(client: FlaskClient, hand: Hand, run_id: str, teller: Teller):
    held = hand.begin()
    publish(
        hand.runs.live,
        teller.folder,
        run_id,
        EpochEnd(epoch=1, step=1, metrics={"a": float("nan"), "b": "x\ny"}),
    )
    teller.end(held)
    url = f"/api/v1/runs/{run_id}/events"
    response = client.get(url)
    assert response.mimetype == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    found = list(parsed(response.text))
    assert_whole(found, 1)
    assert found[1][1]["metrics"] == {"a": None, "b": "x\ny"}
    rest = client.get(url, headers={"Last-Event-ID": found[0][0]}).text
    assert list(parsed(rest)) == found[1:]
    assert list(parsed(client.get(f"{url}?last_event_id={found[0][0]}").text)) == found[1:]
    assert client.get(url, headers={"Last-Event-ID": found[-1][0]}).status_code == 204


def test_odd_places_to_resume(client: FlaskClient, run_id: str):
    url = f"/api/v1/runs/{run_id}/events"
    for response in (
        client.get(url, headers={"Last-Event-ID": "nope"}),
        client.get(f"{url}?last_event_id=nope"),
    ):
        assert response.status_code == 422
        assert "Last-Event-ID" in response.json["errors"]


def test_who_has_left_is_followed_no_more(client: FlaskClient, app: Flask, run_id: str):
    sockets = app.extensions[EXTENSION].feed_sockets
    for _ in range(3):
        with client.get(f"/api/v1/runs/{run_id}/events", buffered=False) as response:
            assert response.status_code == 200
            wait_for(lambda: sockets.taken, lambda count: count > 0)
    wait_for(lambda: sockets.taken, lambda count: count == 0)


def test_followers_are_limited(client: FlaskClient, run_id: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed_sockets, "MAX_FOLLOWERS", 0)
    for path in (f"runs/{run_id}/events", f"runs/{run_id}/log?follow=true", "events"):
        refused = client.get(f"/api/v1/{path}")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json["code"] == "too_many_streams"
