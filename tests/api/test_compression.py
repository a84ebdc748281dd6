"""Answers are compressed where the client takes it, and only what is of use."""

import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, submit
from trainyard.storage.files import Storage

RUNS = "/api/v1/runs"


@pytest.fixture
def many(client: FlaskClient, dataset_id: str) -> list[str]:
    return [submit(client, dataset_id).json["id"] for _ in range(5)]


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "*", "br;q=1.0, gzip;q=0.2"])
def test_a_list_is_compressed(client: FlaskClient, many: list[str], accepted: str):
    plain = client.get(RUNS)
    packed = client.get(RUNS, headers={"Accept-Encoding": accepted})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 4
    assert json.loads(gzip.decompress(packed.data)) == plain.json


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *"])
def test_others_get_it_plain(client: FlaskClient, many: list[str], accepted: str | None):
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    answer = client.get(RUNS, headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert len(answer.json["items"]) == len(many)


def test_errors_and_documents_are_compressed_and_small_answers_are_not(client: FlaskClient, run_id: str):
    def encoding(path: str, **options: Any) -> str | None:
        answer = client.open(path, headers={"Accept-Encoding": "gzip"}, **options)
        return answer.headers.get("Content-Encoding")

    assert encoding("/openapi.json") == "gzip"
    assert encoding(f"{RUNS}/{run_id}") == "gzip"
    assert encoding("/healthz") is None
    assert encoding(f"{RUNS}/{run_id}", method="HEAD") is None


def test_downloads_and_streams_are_left_alone(client: FlaskClient, run_id: str, storage: Storage, hand: Hand):
    folder = storage.run(run_id)
    folder.log.parent.mkdir(parents=True, exist_ok=True)
    folder.log.write_text("a line\n" * 1000)
    folder.report_json.write_text(json.dumps({"x": ["a"] * 5000}))
    hand.runs.finish(hand.begin(), "completed")
    headers = {"Accept-Encoding": "gzip"}
    for path in ("artifacts/report.json", "artifacts/logs/training.log", "events"):
        answer = client.get(f"{RUNS}/{run_id}/{path}", headers=headers)
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers, path
    part = client.get(f"{RUNS}/{run_id}/artifacts/report.json", headers={**headers, "Range": "bytes=0-1999"})
    assert (part.status_code, len(part.data)) == (206, 2000)
    assert "Content-Encoding" not in part.headers
