"""Uploads in pieces: they go on where they broke off, over restarts, and become a data set once."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.composition import EXTENSION
from tests.api.conftest import ROOT, archive
from tests.api.server import Server
from trainyard.scheduling.leftovers import LOST_AFTER_S, clear_abandoned
from trainyard.storage.files import Storage
from trainyard_client import Client
from trainyard_client import uploads as client_uploads
from trainyard_client.errors import ServerUnreachable

UPLOADS = "/api/v1/uploads"
BODY = "application/offset+octet-stream"
CONTENT = archive(files=3, padding=5000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def begun(client: FlaskClient, size: int = len(CONTENT), **more: Any) -> str:
    answer = client.post(UPLOADS, json={"bytes": size, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{UPLOADS}/{answer.json['id']}"
    return str(answer.json["id"])


def patched(client: FlaskClient, upload_id: str, offset: int | str, data: bytes, **more: Any) -> TestResponse:
    headers = {"Upload-Offset": str(offset), "Content-Type": BODY}
    return client.patch(f"{UPLOADS}/{upload_id}", data=data, headers=headers, **more)


def finished(client: FlaskClient, upload_id: str, **more: Any) -> TestResponse:
    return client.post(f"{UPLOADS}/{upload_id}/finish", json={"name": "pets", "sha256": SHA256, **more})


def test_a_file_in_pieces_becomes_a_data_set_once(client: FlaskClient, storage: Storage, notified: list[str]):
    upload_id = begun(client, project="lab")
    assert patched(client, upload_id, 0, CONTENT[:4000]).headers["Upload-Offset"] == "4000"
    state = client.get(f"{UPLOADS}/{upload_id}")
    assert (state.json["offset"], state.json["bytes"], state.json["project"]) == (4000, len(CONTENT), "lab")
    assert state.headers["Upload-Offset"] == "4000"
    early = finished(client, upload_id)
    assert (early.status_code, early.json["errors"]) == (409, {"Upload-Offset": ["4000"]})
    assert patched(client, upload_id, 4000, CONTENT[4000:]).status_code == 204
    made = finished(client, upload_id, classes={"0": "ground"}, on_question="assume")
    assert made.status_code == 202, made.text
    dataset = made.json
    assert (dataset["status"], dataset["project"], dataset["upload_bytes"]) == ("queued", "lab", len(CONTENT))
    assert dataset["options"]["on_question"] == "assume"
    assert notified == ["ingest"]
    assert storage.dataset(dataset["id"]).upload.read_bytes() == CONTENT
    assert list(storage.uploads.iterdir()) == []
    again = finished(client, upload_id)
    assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (dataset["id"], "true")
    assert client.get(f"{UPLOADS}/{upload_id}").status_code == 404
    assert len(client.get("/api/v1/datasets").json["items"]) == 1


def test_an_annotation_comes_beside_it(client: FlaskClient, storage: Storage):
    note = b'{"images": [], "annotations": [], "categories": []}'
    upload_id, beside = begun(client), begun(client, len(note))
    patched(client, upload_id, 0, CONTENT)
    patched(client, beside, 0, note)
    about = {"upload_id": beside, "sha256": hashlib.sha256(note).hexdigest(), "name": "instances.json"}
    dataset = finished(client, upload_id, annotation=about).json
    assert dataset["annotation_name"] == "instances.json"
    assert storage.dataset(dataset["id"]).annotation.read_bytes() == note
    other = begun(client, project="other")
    patched(client, other, 0, CONTENT)
    assert finished(client, other, annotation=about).status_code == 404


def test_another_offset_and_more_than_was_announced_are_refused(client: FlaskClient):
    upload_id = begun(client, 10)
    patched(client, upload_id, 0, b"12345")
    for offset in (0, 4, 6, 10):
        refused = patched(client, upload_id, offset, b"x")
        assert (refused.status_code, refused.json["errors"]) == (409, {"Upload-Offset": ["5"]}), offset
    assert patched(client, upload_id, 5, b"123456").status_code == 413
    for odd in ("", "-1", "x", "1.0", "\u0665", "9" * 30):
        assert patched(client, upload_id, odd, b"x").status_code == 422, odd
    wrong = client.patch(f"{UPLOADS}/{upload_id}", data=b"x", headers={"Upload-Offset": "5"})
    assert wrong.status_code == 415
    assert client.get(f"{UPLOADS}/{upload_id}").json["offset"] == 5
    assert patched(client, upload_id, 5, b"67890").headers["Upload-Offset"] == "10"


def test_what_is_refused_keeps_the_upload(client: FlaskClient, storage: Storage):
    upload_id = begun(client)
    patched(client, upload_id, 0, CONTENT)
    other = finished(client, upload_id, sha256="0" * 64)
    assert (other.status_code, other.json["errors"]) == (422, {"sha256": [SHA256]})
    for body in ({"sha256": "x"}, {"name": ""}, {"nope": 1}, {"path": "a"}, {"project": "b"}):
        assert finished(client, upload_id, **body).status_code == 422, body
    assert finished(client, upload_id).status_code == 202
    junk = begun(client, 4)
    patched(client, junk, 0, b"junk")
    refused = finished(client, junk, sha256=hashlib.sha256(b"junk").hexdigest())
    assert refused.status_code == 422
    assert client.get(f"{UPLOADS}/{junk}").json["offset"] == 4
    assert len(list((storage.root / "datasets").iterdir())) == 1


def test_bad_requests(client: FlaskClient):
    for body in ({}, {"bytes": 0}, {"bytes": "1"}, {"bytes": 1.5}, {"bytes": 1, "project": ""}):
        assert client.post(UPLOADS, json=body).status_code == 422, body
    assert client.post(UPLOADS, json={"bytes": 10**9}).status_code == 413
    for upload_id in ("up-0123456789ab", "ds-0123456789ab", "x"):
        assert client.get(f"{UPLOADS}/{upload_id}").status_code == 404
        assert patched(client, upload_id, 0, b"x").status_code == 404
        assert finished(client, upload_id).status_code == 404
    upload_id = begun(client)
    assert client.delete(f"{UPLOADS}/{upload_id}").status_code == 204
    assert client.delete(f"{UPLOADS}/{upload_id}").status_code == 404


def test_one_request_writes_at_a_time(client: FlaskClient, app: Flask):
    upload_id = begun(client)
    with app.extensions[EXTENSION].resumable_uploads._writing(upload_id):
        busy = patched(client, upload_id, 0, CONTENT)
        assert (busy.status_code, busy.json["code"], busy.headers["Retry-After"]) == (503, "upload_busy", "5")
    assert patched(client, upload_id, 0, CONTENT).status_code == 204


def test_a_key_of_another_project_sends_nothing(keyed: Flask, client: FlaskClient):
    upload_id = begun(client, project="a")
    guarded = keyed.test_client()
    body = {"name": "k", "role": "trainer", "projects": ["b"]}
    admin = {"Authorization": f"Bearer {ROOT}"}
    own = {"Authorization": f"Bearer {guarded.post('/api/v1/keys', json=body, headers=admin).json['key']}"}
    assert guarded.post(UPLOADS, json={"bytes": 1, "project": "a"}, headers=own).status_code == 403
    headers = {"Upload-Offset": "0", "Content-Type": BODY, **own}
    assert guarded.patch(f"{UPLOADS}/{upload_id}", data=b"x", headers=headers).status_code == 403
    assert guarded.delete(f"{UPLOADS}/{upload_id}", headers=own).status_code == 403


def test_abandoned_ones_are_swept(client: FlaskClient, storage: Storage):
    old, used = begun(client), begun(client)
    past = time.time() - LOST_AFTER_S - 60
    for upload_id in (old, used):
        os.utime(storage.upload(upload_id).path, (past, past))
    patched(client, used, 0, CONTENT[:10])
    # the time of a change of the folder's entry cannot be set back: the clock is set forward instead
    later = time.time() + LOST_AFTER_S - 30
    assert clear_abandoned(storage.uploads, later) == []
    assert sorted(clear_abandoned(storage.uploads, later + 120)) == sorted([old, used])
    assert list(storage.uploads.iterdir()) == []


def half_sent(server: Server, upload_id: str, content: bytes, sent: int) -> None:
    """A client whose line breaks in the middle of a request."""
    with socket.create_connection(("127.0.0.1", server.http.base_url.port or 0)) as line:
        head = (
            f"PATCH {UPLOADS}/{upload_id} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpload-Offset: 0\r\n"
            f"Content-Type: {BODY}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        line.sendall(head.encode() + content[:sent])


def test_it_goes_on_after_a_broken_line_and_a_killed_server(server: Server):
    content = archive(files=40, padding=100_000)
    upload_id = server.http.post(UPLOADS, json={"bytes": len(content)}).json()["id"]
    half_sent(server, upload_id, content, 1_500_000)
    offset = 0
    while offset < 1_000_000:
        offset = server.http.get(f"{UPLOADS}/{upload_id}").json()["offset"]
    server.kill()
    server.start()
    with Client(str(server.http.base_url)) as client:
        assert client.transport.json("GET", f"{UPLOADS}/{upload_id}")["offset"] >= offset
    offset = server.http.get(f"{UPLOADS}/{upload_id}").json()["offset"]
    headers = {"Upload-Offset": str(offset), "Content-Type": BODY}
    rest = server.http.patch(f"{UPLOADS}/{upload_id}", content=content[offset:], headers=headers)
    assert rest.status_code == 204, rest.text
    body = {"name": "n", "sha256": hashlib.sha256(content).hexdigest()}
    made = server.http.post(f"{UPLOADS}/{upload_id}/finish", json=body)
    assert made.status_code == 202, made.text
    assert server.storage.dataset(made.json()["id"]).upload.read_bytes() == content


def test_the_client_goes_on_where_it_broke_off_and_so_does_the_command(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(client_uploads, "PIECE_BYTES", 1 << 20)
    content = archive(files=200, padding=100_000)
    file = tmp_path / "set.zip"
    file.write_bytes(content)
    assert len(content) > client_uploads.IN_PIECES_BYTES
    url = str(server.http.base_url)

    def fail(done: int, total: int | None) -> None:
        if done > 5_000_000 and server.process.poll() is None:
            server.kill()

    with Client(url, tries=1) as client, pytest.raises(ServerUnreachable):
        client.datasets.upload(file, "set", project="lab", progress=fail)
    [noted] = (tmp_path / "cache" / "trainyard" / "uploads").iterdir()
    server.start()
    there = server.http.get(f"{UPLOADS}/{noted.read_text()}").json()["offset"]
    assert 4_000_000 < there < len(content)
    words = ["dataset", "add", str(file), "--name", "set", "--project", "lab", "--no-wait", "--json"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "trainyard_client", *words, "--url", url],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    dataset = json.loads(done.stdout)
    assert (dataset["status"], dataset["project"]) == ("queued", "lab")
    assert server.storage.dataset(dataset["id"]).upload.read_bytes() == content
    assert list((tmp_path / "cache" / "trainyard" / "uploads").iterdir()) == []
    sent = [line for line in server.log.read_text().splitlines() if '"POST /api/v1/uploads"' in line]
    assert len(sent) == 1, "the command went on with what the library had begun"
