"""The SHA-256 of a file for whoever asks, of the whole file also where a part is sent."""

import base64
import hashlib
from pathlib import Path

import pytest
from flask import Flask, Response, request

from app.http.answers.conditional import file_response

CONTENT = bytes(range(256)) * 3
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()}:"


def answer(path: Path, **headers: str) -> Response:
    with Flask("test").test_request_context("/file", headers=headers):
        return file_response(request, path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("asked", ["sha-256=1", "sha-512=3, sha-256=10", "sha-256 = 5"])
def test_who_asks_is_told(path: Path, asked: str):
    assert answer(path, **{"Want-Repr-Digest": asked}).headers["Repr-Digest"] == DIGEST


@pytest.mark.parametrize("asked", ["", "sha-256=0", "sha-512=1", "sha-256"])
def test_others_are_not(path: Path, asked: str):
    assert "Repr-Digest" not in answer(path, **{"Want-Repr-Digest": asked}).headers


def test_of_a_range_it_is_that_of_the_whole_file(path: Path):
    response = answer(path, **{"Want-Repr-Digest": "sha-256=1", "Range": "bytes=10-19"})
    assert (response.status_code, response.content_length) == (206, 10)
    assert response.headers["Repr-Digest"] == DIGEST
