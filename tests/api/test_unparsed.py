"""What the server's own parser refuses is shown as every other error, at a real server."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.server import Server
from tests.waits import scaled

LINES = b"Host: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = LINES + b"Transfer-Encoding: chunked\r\n\r\n"
RUNS = b"POST /api/v1/runs HTTP/1.1\r\n"
FORM = (
    b"POST /api/v1/datasets HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nHost: localhost\r\n"
)
REFUSED = {
    "nonsense": (b"GARBAGE\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /ping\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/3": (b"GET /ping HTTP/3.0\r\nHost: localhost\r\n\r\n", 400),
    "line feeds": (b"GET /ping HTTP/1.1\nHost: localhost\n\n", 400),
    "bytes in the address": (b"GET /p\xc3\xafng HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "method of signs": (b"G@T /ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "small letters": (b"get /ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "unknown method": (b"BREW /ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    "long address": (b"GET /ping?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "long header": (b"GET /ping HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "many headers": (b"GET /ping HTTP/1.1\r\n" + b"X: a\r\n" * 300 + b"\r\n", 431),
    "endless header": (b"GET /ping HTTP/1.1\r\nX: " + b"a" * 200_000, 431),
    "no colon": (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nnothing\r\n\r\n", 400),
    "no host": (b"GET /ping HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n", 400),
    "zero byte": (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n", 400),
    "folded": (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400),
    "two lengths": (RUNS + LINES + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "length below 0": (RUNS + LINES + b"Content-Length: -1\r\n\r\n{}", 400),
    "length and chunks": (
        RUNS + LINES + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "size of a chunk": (RUNS + CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", 400),
    "size below 0": (RUNS + CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", 400),
    "end of a chunk": (RUNS + CHUNKED + b"2\r\n{}xx0\r\n\r\n", 400),
    "trailer": (RUNS + CHUNKED + b"2\r\n{}\r\n0\r\nnothing\r\n\r\n", 400),
    "chunk of an upload": (FORM + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n--x\r\n", 400),
    "coding": (RUNS + LINES + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "unknown coding": (RUNS + LINES + b"Transfer-Encoding: other\r\n\r\n", 501),
    "compressed": (RUNS + LINES + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415),
    "expectation": (RUNS + LINES + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}", 417),
}
STUDY = {
    "no colon": (b"GET /study?ModelName=a HTTP/1.1\r\nnothing\r\n\r\n", 400),
    "long address": (b"GET /study?ModelName=" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "long header": (b"GET /modeles/ HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 400),
    "size of a chunk": (b"POST /study HTTP/1.1\r\n" + CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /checkstudy\r\n", 400),
}


@pytest.fixture(scope="module")
def refusing(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(redis_server, tmp_path_factory.mktemp("refusing"))
    try:
        running.start()
        yield running
    finally:
        running.close()


def answer(server: Server, sent: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and JSON of the answer, whatever becomes of the connection."""
    address = server.http.base_url.host, server.http.base_url.port
    with socket.create_connection(address, timeout=scaled(8)) as client:
        client.sendall(sent)
        got = b""
        while not _is_whole(got):
            piece = client.recv(65536)
            assert piece, got
            got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in rest)}
    return int(line.split()[1]), headers, json.loads(body)


def _is_whole(got: bytes) -> bool:
    head, end, body = got.partition(b"\r\n\r\n")
    lengths = [line[16:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")]
    return bool(end) and len(body) == int(lengths[0])


@pytest.mark.parametrize(("sent", "expected"), REFUSED.values(), ids=REFUSED)
def test_an_envelope_for_all(refusing: Server, sent: bytes, expected: int):
    status, headers, found = answer(refusing, sent)
    assert status == found["status"] == expected
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"] == found["request_id"]
    assert found["cause"] == "user"
    assert found["code"] != "internal"
    assert found["message"]
    assert found["remedy"]


@pytest.mark.parametrize(("sent", "expected"), STUDY.values(), ids=STUDY)
def test_the_form_of_the_study_contract_below_its_addresses(refusing: Server, sent: bytes, expected: int):
    status, _, found = answer(refusing, sent)
    assert status == expected
    assert found["detail"] == "Wrong parameters"
    assert found["AnswerDate"]
    assert found["message"]


def test_no_traceback_and_a_line_for_each(refusing: Server):
    answer(refusing, b"GARBAGE /here?api_key=secret\r\n\r\n")
    log = refusing.log.read_text()
    assert "Traceback" not in log
    assert '"- /here" 400 ' in log
    assert "secret" not in log
