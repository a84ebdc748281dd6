"""Lines of logs in the streams of events, where they are asked for: each once, from any point on."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.composition import EXTENSION
from app.service.run_outputs.event_feed import EventFeedService, FeedQuery
from app.service.run_outputs.log_lines import MAX_LINE, LogLines
from tests.api.conftest import Hand
from trainyard.storage.files import Storage


def events(client: FlaskClient, path: str, last: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each event of a stream with its id."""
    answer = client.get(path, headers={"Last-Event-ID": last} if last else {}, buffered=False)
    assert answer.status_code == 200, answer.text
    event_id, buffer = "", ""
    for piece in answer.response:
        buffer += piece.decode() if isinstance(piece, bytes) else piece
        while "\n\n" in buffer:
            block, _, buffer = buffer.partition("\n\n")
            fields = dict(line.partition(": ")[::2] for line in block.splitlines())
            event_id = fields.get("id", event_id)
            if "data" in fields:
                yield event_id, json.loads(fields["data"])


def lines_of(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [line for _, event in found for line in event.get("lines", [])]


def logged(storage: Storage, run_id: str, text: str) -> None:
    path = storage.run(run_id).log
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


def test_lines_come_among_a_runs_events_where_asked_for(
    client: FlaskClient, hand: Hand, storage: Storage, run_id: str
):
    path = f"/api/v1/runs/{run_id}/events"
    stream = events(client, f"{path}?kinds=status,log")
    assert next(stream)[1]["status"] == "queued"
    held = hand.begin()
    logged(storage, run_id, "one\ntwo\nthr")
    event_id, log = next(stream)
    assert log == {"event": "log", "lines": ["one", "two"], "offset": 8}
    assert event_id.endswith(":8")
    logged(storage, run_id, "ee\n")
    assert next(stream)[1] == {"event": "log", "lines": ["three"], "offset": 14}
    run = hand.runs.finish(held, "completed")
    logged(storage, run_id, "the end\n")
    hand.runs.announce_status(run)
    rest = list(stream)
    assert [event["event"] for _, event in rest if event["event"] != "status"] == ["log"]
    assert lines_of(rest) == ["the end"]

    whole = list(events(client, f"{path}?kinds=log"))
    assert lines_of(whole) == ["one", "two", "three", "the end"]
    again = list(events(client, f"{path}?kinds=log,status", event_id))
    assert lines_of(again) == ["three", "the end"]
    assert "log" not in {event["event"] for _, event in events(client, path)}
    last = rest[-1][0]
    assert client.get(f"{path}?kinds=log", headers={"Last-Event-ID": last}).status_code == 204
    for odd in ("1-0:x", "1-0:-1", "x:5", "1-0:" + "9" * 30):
        refused = client.get(f"{path}?kinds=log", headers={"Last-Event-ID": odd})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["Last-Event-ID"]), odd
    assert client.get(f"{path}?kinds=nope").status_code == 422


def test_lines_of_named_runs_come_in_the_stream_of_many(
    app: Flask, client: FlaskClient, hand: Hand, storage: Storage, run_id: str
):
    logged(storage, run_id, "before\n")
    service: EventFeedService = app.extensions[EXTENSION].event_feed
    wanted = FeedQuery(run_ids=frozenset({run_id}), kinds=frozenset({"status", "log"}))
    stream = service.follow(wanted, None)
    begin = next(stream)
    logged(storage, run_id, "during\n")
    hand.runs.publish_status(hand.begin())
    found = [entry for entry in islice(stream, 2) if entry[1]]
    by_kind = {event["event"]: (event_id, event) for event_id, event in found if event}
    own = {"run_id": run_id, "project": "default"}
    assert by_kind["log"][1] == {"event": "log", "lines": ["during"], "offset": 14, **own}
    assert by_kind["log"][0] in (begin[0], by_kind["status"][0]), "a log line moves no place in the stream"
    assert "log" not in {
        event["event"] for _, event in islice(service.follow(FeedQuery(), begin[0]), 1, 2) if event
    }
    refused = client.get("/api/v1/events?kinds=log")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["kinds"])


@pytest.mark.parametrize("text", ["\u00e4\u00f6\n", "\n\n", "x" * (MAX_LINE + 5) + "\n"])
def test_odd_lines(tmp_path: Path, text: str):
    path = tmp_path / "log"
    path.write_text(text)
    lines = LogLines(path, 0)
    [event] = lines.events()
    assert event["lines"] == [line[:MAX_LINE] for line in text.split("\n")[:-1]]
    assert (event["offset"], list(lines.events())) == (len(text.encode()), [])
    assert list(LogLines.from_now(path).events()) == []
    assert list(LogLines(tmp_path / "none", 0).events()) == []
