"""Whatever is sent, the answer is a success or a refusal in the envelope, never a failure of the server."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.http.answers.errors import ErrorSchema
from tests.api.conftest import upload

TEXT = st.text(max_size=20) | st.sampled_from(
    ["\x00", "nan", "1e999", "-1", "9" * 400, "../..", "%00", "None"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = ("dataset_id", "experiment", "spec", "name", "project", "notes", "priority", "epochs", "when")
SPEC_NAMES = ("model", "data", "augmentation", "optimization", "checkpoints", "epochs", "seed", "precision")
BODIES = VALUES | st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)
SPECS = st.dictionaries(
    st.sampled_from(SPEC_NAMES),
    VALUES
    | st.dictionaries(
        st.sampled_from(["encoder", "encoder_weights", "image_size", "preset", "transforms"]), VALUES
    ),
    max_size=3,
)
MANY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_refused_or_done(response: Any) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.json.keys() in (
            {*ErrorSchema._declared_fields},
            {"AnswerDate", "detail", "errors", "message"},
        )


@MANY
@given(body=BODIES)
@pytest.mark.parametrize("call", ["post /runs", "patch /runs/{run}", "post /runs/{run}/stop"])
def test_odd_bodies(client: FlaskClient, run_id: str, call: str, body: Any):
    method, path = call.split(" ")
    send: Callable[..., Any] = getattr(client, method)
    assert_refused_or_done(send(f"/api/v1{path.format(run=run_id)}", json=body))


@MANY
@given(spec=SPECS)
def test_odd_specs(client: FlaskClient, dataset_id: str, spec: Any):
    assert_refused_or_done(client.post("/api/v1/runs", json={"dataset_id": dataset_id, "spec": spec}))


@MANY
@given(
    names=st.dictionaries(
        st.sampled_from(["limit", "cursor", "status", "project", "tail", "format", "search"]), TEXT
    )
)
@pytest.mark.parametrize(
    "path", ["/datasets", "/runs", "/runs/{run}/metrics", "/runs/{run}/log", "/encoders", "/runs/{run}"]
)
def test_odd_queries(client: FlaskClient, run_id: str, path: str, names: dict[str, str]):
    assert_refused_or_done(client.get(f"/api/v1{path.format(run=run_id)}", query_string=names))


@MANY
@given(parts=st.lists(TEXT, min_size=1, max_size=3))
@pytest.mark.parametrize(
    "path", ["/datasets/", "/runs/", "/runs/{run}/checkpoints/", "/runs/{run}/artifacts/"]
)
def test_odd_paths(client: FlaskClient, run_id: str, path: str, parts: list[str]):
    odd = "/".join(quote(part) for part in parts)
    assert_refused_or_done(client.get(f"/api/v1{path.format(run=run_id)}{odd}"))


@MANY
@given(body=st.binary(max_size=60))
def test_odd_bytes(client: FlaskClient, run_id: str, body: bytes):
    for content_type in ("application/json", "multipart/form-data; boundary=x", ""):
        for path in ("/api/v1/runs", "/api/v1/datasets", f"/api/v1/runs/{run_id}/stop", "/study"):
            assert_refused_or_done(client.post(path, data=body, content_type=content_type))


@MANY
@given(given_=st.dictionaries(
    st.sampled_from(["User", "FileName", "Epochs", "LR", "ImgSize", "BatchSize", "Model", "TestSize",
    "ModelName",
                     "Epoch"]), VALUES))  # fmt: skip
@pytest.mark.parametrize("method", ["get", "put", "post", "delete"])
def test_odd_study_parameters(client: FlaskClient, method: str, given_: dict[str, Any]):
    for path in ("/study", "/modeles", "/checkstudy"):
        assert_refused_or_done(getattr(client, method)(path, json=given_))


@pytest.mark.parametrize(
    "body",
    [
        {"spec": {"optimization": {"learning_rate": "0.1"}}},
        {"spec": {"optimization": {"weight_decay": "0"}}},
        {"spec": {"epochs": "5"}},
        {"spec": {"data": {"val_fraction": "0.2"}}},
        {"spec": {"data": {"image_size": "64"}}},
        {"spec": {"data": {"batch_size": "4"}}},
        {"priority": "3"},
        {"max_hours": "2"},
    ],
)
def test_text_is_no_number(client: FlaskClient, dataset_id: str, body: dict[str, Any]):
    response = client.post("/api/v1/runs", json={"dataset_id": dataset_id, **body})
    assert response.status_code == 422, response.text

    def deepest(errors: Any) -> Any:
        return deepest(next(iter(errors.values()))) if isinstance(errors, dict) else errors

    assert isinstance(deepest(response.json["errors"]), list)
    assert client.get("/api/v1/runs").json["items"] == []


def test_text_is_a_number_in_forms_only(client: FlaskClient):
    for fields in ({"val_fraction": "0.3"}, {"seed": "4"}, {"max_side": "512"}):
        refused = client.post("/api/v1/datasets", json={"name": "a", "path": "b", **fields})
        assert set(refused.json["errors"]) == set(fields)
        assert upload(client, **fields).status_code == 202


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"a": {"b": 1, "c": 2, "b": 1}}', "b"),
        (b'[{"\\u0061": 1, "a": 1}]', "a"),
    ],
)
def test_a_key_that_is_there_twice(client: FlaskClient, body: bytes, key: str):
    for path in ("/api/v1/runs", "/api/v1/datasets"):
        response = client.post(path, data=body, content_type="application/json")
        assert response.status_code == 400
        assert "twice" in response.json["message"]
        assert list(response.json["errors"]) == [key]
    assert client.post("/study", data=body, content_type="application/json").status_code == 400


def test_the_remedy_for_a_large_body_fits_the_request(client: FlaskClient):
    large = client.post("/api/v1/runs", json={"notes": "x" * 2_000_000}).json
    assert large["code"] == "payload_too_large"
    assert "TRAINYARD_MAX_UPLOAD_MB" not in large["remedy"]
    archive = upload(client, b"x" * 2_000_000).json
    assert archive["code"] == "payload_too_large"
    assert "TRAINYARD_MAX_UPLOAD_MB" in archive["remedy"]
    notes = client.post("/api/v1/datasets", json={"name": "x" * 2_000_000, "path": "a"}).json
    assert "TRAINYARD_MAX_UPLOAD_MB" not in notes["remedy"]
