"""Downloads that break off go on and are checked; calls are tried again only where that is safe."""

import base64
import hashlib
from pathlib import Path

import httpx
import pytest

from trainyard_client.downloads import download
from trainyard_client.errors import InvalidRequest, ServerBusy, ServerUnreachable, TransferDamaged
from trainyard_client.events import follow
from trainyard_client.transport import Transport

CONTENT = bytes(range(256)) * 40
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"


class Broken(httpx.SyncByteStream):
    """A body whose line breaks half-way."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self):
        yield self._content
        raise httpx.ReadError("the line broke")


def transport(answer, tries: int = 3) -> Transport:
    handler = httpx.MockTransport(answer)
    return Transport("http://server", tries=tries, sleep=lambda seconds: None, handler=handler)


def test_a_download_goes_on_where_it_broke_off(tmp_path: Path):
    ranges = []

    def answer(request: httpx.Request) -> httpx.Response:
        ranges.append(request.headers.get("Range"))
        headers = {"ETag": '"a"', "Repr-Digest": DIGEST}
        if len(ranges) == 1:
            return httpx.Response(
                200, headers=headers | {"Content-Length": "10240"}, stream=Broken(CONTENT[:4000])
            )
        headers["Content-Range"] = f"bytes 4000-{len(CONTENT) - 1}/{len(CONTENT)}"
        return httpx.Response(206, headers=headers, content=CONTENT[4000:])

    assert download(transport(answer), "/file", tmp_path / "file").read_bytes() == CONTENT
    assert ranges == [None, "bytes=4000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_differs_from_its_digest_is_no_download(tmp_path: Path):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Repr-Digest": DIGEST}, content=CONTENT[:-1] + b"x")

    with pytest.raises(TransferDamaged):
        download(transport(answer), "/file", tmp_path / "file")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("method", "headers", "tries"),
    [
        ("GET", {}, 3),
        ("DELETE", {}, 3),
        ("POST", {}, 1),
        ("POST", {"Idempotency-Key": "k"}, 3),
        ("PATCH", {}, 1),
    ],
)
def test_calls_are_repeated_where_nothing_can_happen_twice(method: str, headers: dict[str, str], tries: int):
    calls = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise httpx.ConnectError("refused")

    with pytest.raises(ServerUnreachable):
        transport(answer).json(method, "/x", headers=headers)
    assert len(calls) == tries


def test_errors_mirror_the_envelope():
    body = {"message": "Wrong.", "code": "invalid_request", "errors": {"a": ["b"]}, "remedy": "Mend it."}
    with pytest.raises(InvalidRequest) as caught:
        transport(lambda request: httpx.Response(422, json=body)).json("GET", "/x")
    error = caught.value
    assert (error.code, error.errors, error.remedy, error.status) == (
        "invalid_request",
        {"a": ["b"]},
        "Mend it.",
        422,
    )


def test_a_busy_server_is_asked_again_and_then_told():
    answers = iter([httpx.Response(503), httpx.Response(503), httpx.Response(200, json={"ok": 1})])
    assert transport(lambda request: next(answers)).json("GET", "/x") == {"ok": 1}
    with pytest.raises(ServerBusy):
        transport(lambda request: httpx.Response(503)).json("GET", "/x")


def test_events_go_on_after_the_last_that_was_seen():
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Last-Event-ID"))
        if len(seen) == 1:
            return httpx.Response(
                200, stream=Broken(b'retry: 2000\n\nid: 1-0\nevent: epoch\ndata: {"epoch": 1}\n\n')
            )
        if len(seen) == 2:
            return httpx.Response(200, content=b": still here\n\nid: 2-0\nevent: status\ndata: {}\n\n")
        return httpx.Response(204)

    assert [event.name for event in follow(transport(answer), "/events")] == ["epoch", "status"]
    assert seen == [None, "1-0", "2-0"]
