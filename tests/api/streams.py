"""A client of Server-Sent Events that reads as they come."""

import json
from collections.abc import Iterator
from typing import Any

from flask.testing import FlaskClient


def followed(
    client: FlaskClient, path: str, last: str | None = None, with_places: bool = False
) -> Iterator[tuple[str, Any]]:
    """Each event of a stream with its id, after the id `last`; none where the answer is that none will come.

    `with_places`: also ids without an event, which say how far the stream has been read.
    """
    answer = client.get(path, headers={"Last-Event-ID": last} if last else {}, buffered=False)
    assert answer.status_code in (200, 204), answer.text
    return _read(answer, with_places)


def _read(answer: Any, with_places: bool) -> Iterator[tuple[str, Any]]:
    event_id, buffer = "", b""
    try:
        for piece in answer.response:
            buffer += piece
            while b"\n\n" in buffer:
                block, _, buffer = buffer.partition(b"\n\n")
                fields = dict(line.partition(": ")[::2] for line in block.decode().splitlines())
                event_id = fields.get("id", event_id)
                if "data" in fields or (with_places and "id" in fields):
                    yield event_id, json.loads(fields.get("data", "null"))
    finally:
        answer.close()
