"""One envelope for every error, request ids, keys, headers."""

import hashlib
import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.composition import compose
from app.http.answers.errors import ErrorSchema, status_of
from tests.api.conftest import upload
from trainyard.errors import OwnershipLost, StoreUnavailable
from trainyard.settings import Settings

RUNS = "/api/v1/runs"


def assert_envelope(response, status: int, code: str) -> dict:
    assert response.status_code == status, response.text
    assert response.json.keys() == ErrorSchema._declared_fields.keys()
    assert response.json["status"] == status
    assert response.json["code"] == code
    assert response.json["message"]
    assert response.json["remedy"]
    assert response.json["request_id"] == response.headers["X-Request-ID"]
    return response.json["errors"]


def test_unknown_address(client: FlaskClient):
    assert_envelope(client.get("/api/v1/nothing"), 404, "not_found")


def test_wrong_method_names_the_right_ones(client: FlaskClient):
    response = client.delete(RUNS)
    assert_envelope(response, 405, "method_not_allowed")
    assert {"GET", "POST"} <= {method.strip() for method in response.headers["Allow"].split(",")}


def test_wrong_content_type(client: FlaskClient):
    assert_envelope(client.post(RUNS, data="a=b", content_type="text/plain"), 415, "unsupported_media_type")
    assert_envelope(client.post("/api/v1/datasets", data={"name": "a"}), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b'"\\ud800"', b"[" * 5000, b"[" * 40 + b"]" * 40,
     b'{"a": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_broken_json(client: FlaskClient, body: bytes):
    assert_envelope(client.post(RUNS, data=body, content_type="application/json"), 400, "bad_request")


def test_a_body_that_is_no_object(client: FlaskClient):
    for body in ([1], "text", 3, None, True):
        assert_envelope(client.post(RUNS, json=body), 422, "invalid_request")


def test_a_body_that_is_too_large(client: FlaskClient):
    response = client.post(RUNS, json={"notes": "x" * 2_000_000})
    assert_envelope(response, 413, "payload_too_large")


def test_an_empty_body_names_what_is_missing(client: FlaskClient):
    assert "dataset_id" in assert_envelope(client.post(RUNS), 422, "invalid_request")


def test_repeated_query_parameters(client: FlaskClient):
    assert "limit" in assert_envelope(client.get(f"{RUNS}?limit=1&limit=2"), 422, "invalid_request")


def test_request_id_is_kept_when_it_is_safe(client: FlaskClient):
    assert client.get("/ping", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    for unsafe in ("a b", "x" * 65, "<script>", ""):
        found = client.get("/ping", headers={"X-Request-ID": unsafe}).headers["X-Request-ID"]
        assert found != unsafe
        assert len(found) == 16


def test_headers_are_safe(client: FlaskClient):
    headers = client.get("/api/v1/models").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_an_unexpected_error_shows_no_internals(app: Flask, caplog: pytest.LogCaptureFixture):
    def broken() -> None:
        raise RuntimeError("secret detail")

    app.add_url_rule("/broken", view_func=broken)
    with caplog.at_level(logging.ERROR):
        response = app.test_client().get("/broken")
    assert_envelope(response, 500, "internal")
    assert "secret" not in response.text
    assert response.json["request_id"] in caplog.text
    assert "secret detail" in caplog.text
    assert response.json["cause"] == "infrastructure"


def test_without_redis_the_answer_is_503(settings: Settings, tmp_path):
    away = Settings(redis_url="redis://127.0.0.1:1/0", storage=settings.storage)
    client = create_app(away).test_client()
    assert_envelope(client.get(RUNS), 503, "store_unavailable")
    assert_envelope(client.get("/readyz"), 503, "store_unavailable")
    assert_envelope(upload(client), 503, "store_unavailable")
    assert not (settings.storage / "datasets").exists()
    assert client.get("/healthz").status_code == 200
    assert client.get("/modeles").status_code == 503


def test_statuses_of_the_error_tree():
    assert status_of(StoreUnavailable()) == 503
    assert status_of(OwnershipLost()) == 500


@pytest.fixture
def guarded(settings: Settings, redis_client) -> FlaskClient:
    hashed = hashlib.sha256(b"the key").hexdigest()
    keyed = Settings(
        redis_url=settings.redis_url, storage=settings.storage, api_key_hashes=("0" * 64, hashed)
    )
    return create_app(keyed, compose(keyed, redis_client)).test_client()


def test_a_key_is_needed_where_one_is_set(guarded: FlaskClient):
    for path in (RUNS, "/api/v1/models", "/modeles", "/nothing"):
        refused = guarded.get(path)
        assert refused.status_code == 401, path
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert_envelope(guarded.get(RUNS), 401, "unauthorized")
    assert "detail" in guarded.get("/modeles").json
    for header in ("Bearer wrong", "Basic the key", "Bearer", "", "Bearer \xff"):
        assert guarded.get(RUNS, headers={"Authorization": header}).status_code == 401
    assert guarded.get(RUNS, headers={"Authorization": "Bearer the key"}).status_code == 200


def test_probes_and_docs_need_no_key(guarded: FlaskClient):
    for path in ("/ping", "/healthz", "/readyz", "/docs", "/openapi.json", "/docs/assets/swagger-ui.css"):
        assert guarded.get(path).status_code == 200, path
