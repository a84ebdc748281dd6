"""Lines of logs in the streams of events, where they are asked for: each once, from any point on."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.service.run_outputs.log_lines import MAX_LINE, PIECE_BYTES, LogLines
from tests.api.conftest import Hand
from tests.api.streams import followed
from trainyard.storage.files import Storage


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
    stream = followed(client, f"{path}?kinds=status,log")
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

    whole = list(followed(client, f"{path}?kinds=log"))
    assert lines_of(whole) == ["one", "two", "three", "the end"]
    again = list(followed(client, f"{path}?kinds=log,status", event_id))
    assert lines_of(again) == ["three", "the end"]
    assert "log" not in {event["event"] for _, event in followed(client, path)}
    last = rest[-1][0]
    assert client.get(f"{path}?kinds=log", headers={"Last-Event-ID": last}).status_code == 204
    for odd in ("1-0:x", "1-0:-1", "x:5", "1-0:" + "9" * 30):
        refused = client.get(f"{path}?kinds=log", headers={"Last-Event-ID": odd})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["Last-Event-ID"]), odd
    assert client.get(f"{path}?kinds=nope").status_code == 422


def test_lines_of_named_runs_come_in_the_stream_of_many(
    client: FlaskClient, hand: Hand, storage: Storage, run_id: str
):
    logged(storage, run_id, "before\n")
    path = f"/api/v1/events?runs={run_id}"
    stream = followed(client, f"{path}&kinds=status,log", with_places=True)
    begin = next(stream)
    logged(storage, run_id, "during\n")
    hand.runs.publish_status(hand.begin())
    found = [entry for entry in islice(stream, 2) if entry[1]]
    by_kind = {event["event"]: (event_id, event) for event_id, event in found if event}
    own = {"run_id": run_id, "project": "default"}
    assert by_kind["log"][1] == {"event": "log", "lines": ["during"], "offset": 14, **own}
    assert by_kind["log"][0] in (begin[0], by_kind["status"][0]), "a log line moves no place in the stream"
    without = followed(client, path, begin[0])
    assert next(without)[1]["event"] == "status"
    refused = client.get("/api/v1/events?kinds=log")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["kinds"])


@pytest.mark.parametrize("text", ["\u00e4\u00f6\n", "\n\n", "x" * (MAX_LINE + 5) + "\n"])
def test_odd_lines(tmp_path: Path, text: str):
    path = tmp_path / "log"
    path.write_text(text)
    lines = LogLines(path, 0)
    event = lines.next()
    assert event
    assert event["lines"] == [line[:MAX_LINE] for line in text.split("\n")[:-1]]
    assert (event["offset"], lines.next()) == (len(text.encode()), None)
    assert LogLines.from_now(path).next() is None
    assert LogLines(tmp_path / "none", 0).next() is None


def test_a_line_that_is_longer_than_a_piece_comes_in_several(tmp_path: Path):
    path = tmp_path / "log"
    path.write_text("x" * (PIECE_BYTES + 3) + "\ny\n")
    lines = LogLines(path, 0)
    first, second = lines.next(), lines.next()
    assert first == {"event": "log", "lines": ["x" * MAX_LINE], "offset": PIECE_BYTES}
    assert second == {"event": "log", "lines": ["xxx", "y"], "offset": PIECE_BYTES + 6}
    assert lines.next() is None
