"""The training log: its end, any part of it, and as it grows."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand
from trainyard.storage.files import Storage

LINES = [f"line {number} ä\n".encode() for number in range(500)]
WHOLE = b"".join(LINES)


@pytest.fixture
def url(run_id: str) -> str:
    return f"/api/v1/runs/{run_id}/log"


@pytest.fixture
def log(storage: Storage, run_id: str) -> Path:
    path = storage.run(run_id).log
    path.parent.mkdir(parents=True)
    path.write_bytes(WHOLE)
    return path


Follow = Callable[[int], Iterator[bytes]]


@pytest.fixture
def follow(client: FlaskClient, url: str) -> Follow:
    """What an answer that follows the log from an offset on sends, as it comes."""

    def begun(offset: int) -> Iterator[bytes]:
        answer = client.get(f"{url}?follow=true&offset={offset}", buffered=False)
        assert answer.status_code == 200
        return (piece for piece in answer.response if piece)

    return begun


def test_parts_meet_without_gap_or_overlap(client: FlaskClient, url: str, log: Path):
    found, offset = b"", 0
    while True:
        answer = client.get(f"{url}?offset={offset}&limit=1000")
        assert answer.status_code == 200
        assert len(answer.data) <= 1000
        found, offset = found + answer.data, int(answer.headers["Log-Offset"])
        assert offset == len(found)
        if not answer.data:
            break
    assert found == WHOLE


def test_the_end_tells_where_to_go_on(client: FlaskClient, url: str, log: Path):
    answer = client.get(f"{url}?tail=3")
    assert answer.data == b"".join(LINES[-3:])
    with log.open("ab") as file:
        file.write(b"more\n")
    later = client.get(f"{url}?offset={answer.headers['Log-Offset']}")
    assert later.data == b"more\n"


def test_ranges_of_the_whole(client: FlaskClient, url: str, log: Path):
    answer = client.get(url, headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.data) == (206, WHOLE[10:20])
    assert answer.headers["Content-Range"] == f"bytes 10-19/{len(WHOLE)}"
    assert answer.headers["Content-Type"].startswith("text/plain")
    rest = client.get(url, headers={"Range": "bytes=10-", "If-Range": answer.headers["ETag"]})
    assert rest.data == WHOLE[10:]
    assert client.get(url, headers={"Range": f"bytes={len(WHOLE)}-"}).status_code == 416
    assert client.get(f"{url}?tail=1", headers={"Range": "bytes=0-1"}).data == LINES[-1]


def test_before_there_is_a_log(client: FlaskClient, url: str):
    for query in ("", "?offset=0", "?offset=77", "?tail=5"):
        answer = client.get(f"{url}{query}")
        assert (answer.status_code, answer.data, answer.headers["Log-Offset"]) == (200, b"", "0")
    assert client.get(url, headers={"Range": "bytes=0-"}).data == b""


def test_an_offset_beyond_the_end_is_the_end(client: FlaskClient, url: str, log: Path):
    answer = client.get(f"{url}?offset=9999999")
    assert (answer.data, answer.headers["Log-Offset"]) == (b"", str(len(WHOLE)))


@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=x", "limit=0", "tail=0", "tail=5&offset=5", "follow=maybe"]
)
def test_odd_questions(client: FlaskClient, url: str, query: str):
    assert client.get(f"{url}?{query}").status_code == 422


def test_a_log_is_followed_to_the_end_of_its_run(follow: Follow, hand: Hand, run_id: str, log: Path):
    held = hand.begin()
    stream = follow(100)
    assert next(stream) == WHOLE[100:]
    with log.open("ab") as file:
        file.write(b"epoch 1\n")
    assert next(stream) == b"epoch 1\n"
    with log.open("ab") as file:
        file.write(b"the last line")
    hand.runs.finish(held, "completed")
    assert list(stream) == [b"the last line"]


def test_a_log_that_is_not_there_yet_is_awaited(follow: Follow, hand: Hand, run_id: str, storage: Storage):
    held, stream = hand.begin(), follow(0)
    path = storage.run(run_id).log
    path.parent.mkdir(parents=True)
    path.write_bytes(b"begun\n")
    assert next(stream) == b"begun\n"
    hand.runs.release(held)  # its worker leaves; it waits to go on elsewhere
    path.write_bytes(b"begun\ngone on\n")
    assert next(stream) == b"gone on\n"
    hand.runs.stop(run_id, "now")
    assert list(stream) == []


def test_a_log_that_is_followed_ends_with_its_run(follow: Follow, run_id: str, log: Path, hand: Hand):
    stream = follow(len(WHOLE))
    hand.runs.stop(run_id, "now")
    shutil.rmtree(log.parent)
    assert list(stream) == []


def test_a_long_log_is_followed_whole(follow: Follow, run_id: str, log: Path, hand: Hand):
    stream, much = follow(len(WHOLE)), bytes(3_000_000)
    with log.open("ab") as file:
        file.write(much)
    hand.runs.stop(run_id, "now")
    assert b"".join(stream) == much


def test_what_an_ended_run_logged_is_followed_over_http(
    client: FlaskClient, url: str, log: Path, hand: Hand, run_id: str
):
    hand.runs.stop(run_id, "now")
    answer = client.get(f"{url}?follow=true&tail=2")
    assert answer.data == b"".join(LINES[-2:])
    assert client.get(f"{url}?follow=true&offset=5000").data == WHOLE[5000:]
