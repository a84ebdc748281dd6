"""Browsers that sign in with a key, and a server below a path: without a browser, header by header."""

import hashlib
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.composition import compose
from app.http.access import authentication
from app.http.access.sessions import COOKIE
from tests.api.conftest import ROOT
from trainyard.settings import Settings
from trainyard.store.connection import Client

RUNS = "/api/v1/runs"
HTML = {"Accept": "text/html"}
FOREIGN = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def browser(keyed: Flask) -> FlaskClient:
    return keyed.test_client()


def sign_in(browser: FlaskClient, key: str = ROOT, **form: str) -> Any:
    return browser.post("/sign-in", data={"key": key, **form})


def new_key(browser: FlaskClient, role: str) -> dict[str, Any]:
    bearer = {"Authorization": f"Bearer {ROOT}"}
    return dict(browser.post("/api/v1/keys", json={"name": role, "role": role}, headers=bearer).json)


def test_pages_lead_to_where_one_signs_in_and_back(browser: FlaskClient):
    led = browser.get("/runs?status=failed&text=a%20b", headers=HTML)
    assert (led.status_code, led.headers["Location"]) == (
        303,
        "/sign-in?next=/runs%3Fstatus%3Dfailed%26text%3Da%2520b",
    )
    form = browser.get(led.headers["Location"], headers=HTML)
    assert 'value="/runs?status=failed&amp;text=a%20b"' in form.text
    assert browser.get("/runs").status_code == 401, "programs are told so"
    back = sign_in(browser, next="/runs?status=failed&text=a%20b")
    assert (back.status_code, back.headers["Location"]) == (303, "/runs?status=failed&text=a%20b")


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\nb"]
)
def test_signing_in_leads_to_no_other_server(browser: FlaskClient, wanted: str):
    assert sign_in(browser, next=wanted).headers["Location"] == "/"


def test_a_session_reads_and_writes_and_leaves_nothing_behind(browser: FlaskClient):
    begun = sign_in(browser)
    cookie = begun.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"))
    assert "Secure" not in cookie
    for path in ("/runs", RUNS, "/metrics", "/api/v1/queues"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), path
    assert "Sign out" in browser.get("/runs").text
    assert browser.put("/api/v1/projects/p", json={"max_concurrent": 1}).status_code == 200
    token = browser.get_cookie(COOKIE).value
    ended = browser.post("/sign-out")
    assert (ended.status_code, ended.headers["Location"]) == (303, "/sign-in")
    assert ended.headers["Clear-Site-Data"] == '"cache"'
    assert browser.get_cookie(COOKIE) is None
    browser.set_cookie(COOKIE, token)
    assert browser.get(RUNS).status_code == 401, "who has kept the cookie has nothing"


def test_the_cookie_is_for_tls_alone_where_that_is_spoken(browser: FlaskClient):
    begun = browser.post("/sign-in", data={"key": ROOT}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in begun.headers["Set-Cookie"]


def test_a_wrong_key_opens_nothing_and_tries_are_limited(
    settings: Settings, redis_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(authentication, "WRONG_KEYS_PER_MINUTE", 3)  # one is made good in 20 s
    guarded = replace(settings, api_key_hashes=(hashlib.sha256(ROOT.encode()).hexdigest(),))
    browser = create_app(guarded, compose(guarded, redis_client, lambda queue: True)).test_client()
    for key in ("wrong", "", "<script>"):
        refused = sign_in(browser, key)
        assert refused.status_code == 401
        assert "is not accepted" in refused.text
        assert "Set-Cookie" not in refused.headers
    refused = [sign_in(browser, "wrong") for _ in range(10)][-1]
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_pages_of_others_use_no_session(browser: FlaskClient):
    sign_in(browser)
    assert browser.put("/api/v1/projects/p", json={"max_concurrent": 1}, headers=FOREIGN).status_code == 403
    assert browser.get(RUNS, headers=FOREIGN).status_code == 403
    assert browser.post("/sign-out", headers=FOREIGN).status_code == 403
    assert browser.post("/sign-in", data={"key": ROOT}, headers=FOREIGN).status_code == 403
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert browser.put("/api/v1/projects/p", json={"max_concurrent": 1}, headers=own).status_code == 200


def test_a_link_from_another_site_is_followed_once_more_from_here(browser: FlaskClient):
    again = browser.get("/runs?text=%22%3E%3Cb%3E", headers={**HTML, "Sec-Fetch-Site": "cross-site"})
    assert again.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/runs?text=%22%3E%3Cb%3E">' in again.text


def test_a_revoked_key_ends_its_sessions(browser: FlaskClient):
    key = new_key(browser, "trainer")
    assert sign_in(browser, key["key"]).status_code == 303
    assert browser.get(RUNS).status_code == 200
    browser.delete(f"/api/v1/keys/{key['id']}", headers={"Authorization": f"Bearer {ROOT}"})
    assert browser.get(RUNS).status_code == 401


def test_who_may_only_read_is_offered_nothing_else(browser: FlaskClient):
    sign_in(browser, new_key(browser, "viewer")["key"])
    assert "bulk-bar" not in browser.get("/runs").text
    assert "new-key" not in browser.get("/settings").text
    refused = browser.post(f"{RUNS}/bulk/stop", json={"ids": ["run-000000000000"]})
    assert refused.status_code == 403


def test_without_keys_there_is_nothing_to_sign_in_to(client: FlaskClient):
    assert client.get("/sign-in").headers["Location"] == "/"
    assert "Sign out" not in client.get("/runs").text
    assert client.get("/runs", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("is_stripped", [True, False])
def test_below_a_path(settings: Settings, redis_client: Client, is_stripped: bool):
    below = replace(settings, path_prefix="/lab/yard")
    app = create_app(below, compose(below, redis_client, lambda queue: True))
    client, prefix = app.test_client(), "" if is_stripped else "/lab/yard"
    page = client.get(f"{prefix}/runs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:href|src|action)="([^"]+)""", page.text)
    assert [one for one in addresses if not one.startswith(("/lab/yard/", "#"))] == []
    style = next(one for one in addresses if one.endswith("page.css"))
    assert client.get(f"{prefix}{style.removeprefix('/lab/yard')}").status_code == 200
    assert client.get(f"{prefix}/").headers["Location"] == "/lab/yard/runs"
    assert client.get(f"{prefix}{RUNS}").json["items"] == []
    assert "/lab/yard/docs/assets/" in client.get(f"{prefix}/docs").text
    assert client.get(f"{prefix}/openapi.json").json["servers"] == [{"url": "/lab/yard"}]


def test_assets_are_kept_by_browsers_and_come_from_here(client: FlaskClient):
    addresses = re.findall(r"""(?:href|src)="(/assets/[^"]+)""", client.get("/runs").text)
    assert len(addresses) > 4
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert not re.findall(rb"""(?:import|from|url\()\s*['"]?(?:https?:)?//""", answer.data)
    folder = addresses[0].rpartition("/")[0]
    for name in ("../__init__.py", "%2e%2e/blueprint.py", "nothing.js", ""):
        assert client.get(f"{folder}/{name}").status_code == 404
    zipped = client.get(f"{folder}/bootstrap.min.css", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert len(zipped.data) < 60_000
