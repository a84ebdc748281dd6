"""What web pages of others may do here: nothing."""

import hashlib
from base64 import b64encode

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.composition import compose
from tests.api.conftest import upload
from trainyard.settings import Settings

RUNS = "/api/v1/runs"
CROSS = [
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8000"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "file://"},
    {"Origin": "http://localhost:x"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:80", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://localhost"},
    {"Origin": "http://[::1]:8000", "Host": "[::1]:8000"},
]


@pytest.mark.parametrize("headers", CROSS)
def test_no_write_is_taken_from_a_page_of_another_origin(
    client: FlaskClient, run_id: str, headers: dict[str, str]
):
    writes = [
        client.post("/api/v1/datasets", data={"name": "planted"}, headers=headers),
        client.post(f"{RUNS}/{run_id}/cancel", headers=headers),
        client.patch(f"{RUNS}/{run_id}", json={"name": "x"}, headers=headers),
        client.put("/api/v1/projects/p", json={"max_concurrent": 1}, headers=headers),
        client.delete(f"{RUNS}/{run_id}", headers=headers),
        client.post("/modeles?ModelName=Segformer", headers=headers),
    ]
    assert [response.status_code for response in writes] == [403] * len(writes)
    assert writes[0].json["code"] == "forbidden"
    assert client.get(f"{RUNS}/{run_id}").json["status"] == "queued"


@pytest.mark.parametrize("headers", OWN)
def test_programs_and_own_pages_may_write(client: FlaskClient, headers: dict[str, str]):
    response = client.put("/api/v1/projects/p", json={"max_concurrent": 1}, headers=headers)
    assert response.status_code == 200


def test_links_may_be_followed_but_nothing_is_read_for_another_page(client: FlaskClient):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/docs", headers=link).status_code == 200
    assert client.post(f"{RUNS}/run-0/cancel", headers=link).status_code == 403
    for mode in ("cors", "no-cors"):
        assert client.get(RUNS, headers=link | {"Sec-Fetch-Mode": mode}).status_code == 403
    assert client.get(RUNS).headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", "8.8.8.8", "0.0.0.0",  # noqa: S104
     "x@127.0.0.1", "127.0.0.1 evil", "[::2]", "[::1", "127.0.0.1, evil.example"],
)  # fmt: skip
def test_a_host_that_is_not_this_machine(client: FlaskClient, host: str):
    for path in (RUNS, "/modeles", "/openapi.json"):
        assert client.get(path, headers={"Host": host}).status_code == 403
    assert client.delete("/api/v1/datasets/ds-000000000000", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8000", "localhost.", "127.0.0.1:1", "127.9.9.9", "[::1]:8000"]
)
def test_names_of_this_machine(client: FlaskClient, host: str):
    assert client.get(RUNS, headers={"Host": host}).status_code == 200


def test_more_hosts_are_named_in_the_settings(settings: Settings, redis_client):
    open_to = Settings(
        redis_url=settings.redis_url, storage=settings.storage, allowed_hosts=("yard.example", "10.0.0.7")
    )
    client = create_app(open_to, compose(open_to, redis_client)).test_client()
    for host in ("yard.example", "Yard.Example:8080", "10.0.0.7:8000", "localhost"):
        assert client.get(RUNS, headers={"Host": host}).status_code == 200
    own = {"Host": "yard.example", "Origin": "https://yard.example", "Sec-Fetch-Site": "same-origin"}
    assert upload(client).status_code == 202
    assert client.put("/api/v1/projects/p", json={"max_concurrent": 1}, headers=own).status_code == 200
    assert client.get(RUNS, headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["//api//v1//runs?limit=1", "//evil.example/..//ping", "/\\evil.example//ping"]
)
def test_no_redirect_leads_to_a_host(client: FlaskClient, path: str):
    response = client.get("http://localhost" + path, headers={"Host": "localhost:8000"})
    location = response.headers.get("Location", "/")
    assert location.startswith("/")
    assert location[1:2] not in ("/", "\\")
    assert "localhost" not in location


@pytest.fixture
def guarded(settings: Settings, redis_client) -> FlaskClient:
    hashed = hashlib.sha256(b"the:key").hexdigest()
    keyed = Settings(redis_url=settings.redis_url, storage=settings.storage, api_key_hashes=(hashed,))
    return create_app(keyed, compose(keyed, redis_client)).test_client()


def basic(password: str, user: str = "anna") -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def test_the_study_contract_takes_the_key_in_three_ways(guarded: FlaskClient):
    bearer = {"Authorization": "Bearer the:key"}
    for answer in (
        guarded.get("/modeles", headers=bearer),
        guarded.get("/modeles", headers=basic("the:key")),
        guarded.get("/modeles", headers=basic("the:key", user="")),
        guarded.get("/modeles/?api_key=the%3Akey"),
        guarded.delete("/modeles?ModelName=PAN&api_key=the:key"),
    ):
        assert answer.status_code == 200
    for answer in (
        guarded.get("/modeles"),
        guarded.get("/modeles", headers=basic("wrong")),
        guarded.get("/modeles", headers={"Authorization": "Basic !!"}),
        guarded.get("/modeles?api_key=wrong"),
        guarded.get("/modeles?api_key="),
        guarded.get("/study/nothing"),
    ):
        assert answer.status_code == 401
        assert answer.json["detail"]
        assert answer.headers.getlist("WWW-Authenticate")[1].startswith("Basic ")


def test_the_rest_of_the_api_takes_bearer_tokens_only(guarded: FlaskClient):
    assert guarded.get(RUNS, headers=basic("the:key")).status_code == 401
    assert guarded.get(f"{RUNS}?api_key=the:key").status_code == 401


def test_a_password_that_the_browser_adds_opens_nothing_to_other_pages(guarded: FlaskClient):
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert guarded.delete("/modeles?ModelName=PAN", headers=basic("the:key") | foreign).status_code == 403
    assert guarded.get("/modeles", headers=basic("the:key") | {"Host": "any.example"}).status_code == 200
