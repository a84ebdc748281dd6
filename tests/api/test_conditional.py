"""Range and conditional requests by the book (RFC 9110)."""

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand
from trainyard.storage.files import Storage

BODY = b"0123456789"


@pytest.fixture
def url(client: FlaskClient, run_id: str, storage: Storage) -> str:
    (storage.run(run_id).path / "a.bin").write_bytes(BODY)
    return f"/api/v1/runs/{run_id}/artifacts/a.bin"


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=0-3", b"0123"), ("bytes=8-", b"89"), ("bytes=-3", b"789"), ("bytes=5-99", b"56789"),
     ("BYTES=0-0", b"0"), ("bytes=-99", BODY),
     (f"bytes=2-{'9' * 30}", BODY[2:]), (f"bytes=-{'9' * 30}", BODY)],
)  # fmt: skip
def test_a_range(client: FlaskClient, url: str, wanted: str, part: bytes):
    response = client.get(url, headers={"Range": wanted})
    assert (response.status_code, response.data) == (206, part)
    assert response.headers["Content-Range"].endswith("/10")
    assert response.content_length == len(part)


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,4-5", "bytes=0-1,", "lines=0-3", "items=1-2", "bytes=4-2", "bytes=x-y", "bytes", "bytes=",
     "0-3", "bytes=--3", "bytes=1-2-3"],
)  # fmt: skip
def test_what_is_no_single_range_gets_the_whole(client: FlaskClient, url: str, wanted: str):
    response = client.get(url, headers={"Range": wanted})
    assert (response.status_code, response.data) == (200, BODY)
    assert response.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100", f"bytes={'9' * 30}-"])
def test_a_range_that_is_not_there(client: FlaskClient, url: str, wanted: str):
    response = client.get(url, headers={"Range": wanted})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */10"


def test_head_knows_no_ranges(client: FlaskClient, url: str):
    response = client.head(url, headers={"Range": "bytes=0-3"})
    assert (response.status_code, response.content_length, response.data) == (200, 10, b"")


def test_conditions(client: FlaskClient, url: str):
    whole = client.get(url)
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    old, new = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for headers, status in (
        ({"If-Match": etag}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": f'"other", {etag}'}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": f"W/{etag}"}, 412),
        ({"If-Match": '"other"', "Range": "bytes=0-3"}, 412),
        ({"If-Match": '"other"', "If-None-Match": etag}, 412),
        ({"If-Match": etag, "If-Unmodified-Since": old}, 200),
        ({"If-Unmodified-Since": old}, 412),
        ({"If-Unmodified-Since": modified}, 200),
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f"W/{etag}"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"', "If-Modified-Since": new}, 200),
        ({"If-None-Match": etag, "Range": "bytes=0-3"}, 304),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Modified-Since": old}, 200),
        ({"If-Modified-Since": "nonsense"}, 200),
        ({"Range": "bytes=0-3", "If-Range": etag}, 206),
        ({"Range": "bytes=0-3", "If-Range": modified}, 206),
        ({"Range": "bytes=0-3", "If-Range": '"other"'}, 200),
        ({"Range": "bytes=0-3", "If-Range": f"W/{etag}"}, 200),
        ({"Range": "bytes=0-3", "If-Range": old}, 200),
        ({"Range": "bytes=0-3", "If-Range": new}, 200),
    ):
        response = client.get(url, headers=headers)
        assert response.status_code == status, headers
        if status in (304, 412):
            assert response.data == b""
            assert response.headers["ETag"] == etag


def test_an_empty_file(client: FlaskClient, run_id: str, storage: Storage):
    (storage.run(run_id).path / "empty").write_bytes(b"")
    url = f"/api/v1/runs/{run_id}/artifacts/empty"
    assert client.get(url).data == b""
    assert client.get(url, headers={"Range": "bytes=0-"}).status_code == 200


def test_csv_and_checkpoints_too(client: FlaskClient, run_id: str, storage: Storage, hand: Hand):
    folder = storage.run(run_id)
    folder.checkpoints.mkdir(parents=True, exist_ok=True)
    folder.last_checkpoint.write_bytes(BODY)
    url = f"/api/v1/runs/{run_id}/checkpoints/last"
    assert client.get(url, headers={"Range": "bytes=0-1,3-4"}).data == BODY
    refused = client.get(url, headers={"If-Match": '"other"'})
    assert (refused.status_code, refused.data) == (412, b"")
