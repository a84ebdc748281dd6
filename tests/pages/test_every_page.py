"""What holds of every page: behind a key, below a path, on a phone, light and dark, with hostile names."""

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from tests.api.conftest import ROOT
from tests.api.server import Server
from tests.api.summary import SUMMARY
from tests.fixtures.pixelwise_onnx import pixelwise_onnx
from tests.pages import seed
from tests.pages.conftest import PATIENT, assert_accessible, watched
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry

PREFIX = "/lab"
PHONE = {"width": 360, "height": 740}
CLASS = {**SUMMARY["classes"][1], "name": seed.HOSTILE_CLASS}
WIDE = """(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const found = [...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll')
        && one.getBoundingClientRect().right > clientWidth);
    return [scrollWidth, ...found.map(one => one.outerHTML.slice(0, 120))];
})()"""
"""What of a page is wider than its window, outside of what scrolls."""
PAGES = (
    "projects", "project", "runs", "drafts", "draft", "run", "ended", "failed", "copy", "compare", "datasets",
    "dataset", "models", "model", "cluster", "settings", "webhook", "nothing",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that needs a key, below a path."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    settings = {
        "TRAINYARD_API_KEY_HASHES": hashlib.sha256(ROOT.encode()).hexdigest(),
        "TRAINYARD_PATH_PREFIX": PREFIX,
        "TRAINYARD_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    running = Server(redis_server, tmp_path_factory.mktemp("server"), **settings)
    running.http.headers["Authorization"] = f"Bearer {ROOT}"
    running.runs = RunRegistry(running.client, running.storage, PATIENT)
    running.datasets = DatasetRegistry(running.client, running.storage, PATIENT)
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def addresses(server: Server) -> Mapping[str, str]:
    """A page of each kind, with records whose words would do harm if they were more than words."""
    name, post = seed.HOSTILE, server.http.post
    dataset_id = seed.dataset(server, name, name, classes=[SUMMARY["classes"][0], CLASS])
    words = {"name": name, "tags": ["<b>x</b>"], "group": name, "notes": f"one\n{name}"}
    ended = seed.exported(server, dataset_id, pixelwise_onnx(side=64, names=seed.NAMES), **words)
    model = post("/api/v1/trained-models", json={"run_id": ended, "name": name, "notes": name})
    failed = seed.run(server, dataset_id, **words)
    error = {"code": "nan_loss", "cause": "user", "message": name, "remedy": seed.HOSTILE_CLASS}
    server.runs.finish(seed.begin(server), "failed", error={**error, "log_tail": [name] * 3})
    run = seed.run(server, dataset_id, **words)
    held = seed.train(server, seed.begin(server), 12)
    server.runs.report(held, seed.progress(13, 99))
    seed.run(server, dataset_id, **words)
    draft = post("/api/v1/drafts", json={"dataset_id": dataset_id, **words})
    post("/api/v1/keys", json={"name": name, "role": "viewer"})
    hook = {"project": name, "url": "http://127.0.0.1:1/hook", "description": name}
    webhook = post("/api/v1/webhooks", json=hook)
    assert [one.status_code for one in (model, draft, webhook)] == [201] * 3, webhook.text
    return {
        "projects": "projects", "project": f"projects/{quote(name, safe='')}", "runs": "runs",
        "drafts": "drafts", "draft": f"runs/new?draft={draft.json()['id']}", "run": f"runs/{run}",
        "ended": f"runs/{ended}", "failed": f"runs/{failed}", "copy": f"runs/new?from={run}",
        "compare": f"runs/compare?ids={run},{ended}", "datasets": "datasets",
        "dataset": f"datasets/{dataset_id}", "models": "models", "model": f"models/{model.json()['id']}",
        "cluster": "cluster", "settings": "settings", "webhook": f"settings/webhooks/{webhook.json()['id']}",
        "nothing": "runs/run-000000000000",
    }  # fmt: skip


@pytest.fixture(scope="module")
def cookie(server: Server) -> Mapping[str, str]:
    """A session's cookie."""
    with_form = server.http.post(f"{PREFIX}/sign-in", data={"key": ROOT})
    [(name, value)] = with_form.cookies.items()
    server.http.cookies.clear()
    return {"name": name, "value": value, "url": str(server.http.base_url)}


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    yield from watched(browser, str(server.http.base_url))


@pytest.mark.parametrize("kind", PAGES)
def test_each_page_is_sound(page: Page, addresses: Mapping[str, str], cookie: Mapping[str, str], kind: str):
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{PREFIX}/{addresses[kind]}")
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("main script, main b, main img[src=x]").count() == 0
    linked = "[...document.querySelectorAll('[href], [src]')]"
    own = page.evaluate(f"{linked}.map(one => one.getAttribute('href') ?? one.getAttribute('src'))")
    paths = [urlsplit(one) for one in own]
    assert [one for one in paths if one.path and not one.path.startswith(f"{PREFIX}/")] == []
    assert page.evaluate(WIDE) == [], "it is no wider than a phone"
    assert_accessible(page)


def test_one_signs_in_and_after_signing_out_nothing_is_kept(page: Page, addresses: Mapping[str, str]):
    address = f"{PREFIX}/{addresses['run']}"
    page.goto(address)
    page.wait_for_url(f"**{PREFIX}/sign-in?next=**")
    assert_accessible(page)
    page.get_by_label("Key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not accepted")
    page.get_by_label("Key").fill(ROOT)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("canvas[data-drawn]").first).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{PREFIX}/runs")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"**{PREFIX}/sign-in")
    page.go_back()
    page.wait_for_url(f"**{PREFIX}/sign-in?next=**")
    assert page.locator("#run").count() == 0
    other.goto(f"{PREFIX}/runs")
    other.wait_for_url(f"**{PREFIX}/sign-in?next=**")
    kept = page.evaluate(
        """async paths => {
        const found = [];
        for (const path of paths) {
            const kept = { cache: 'only-if-cached', mode: 'same-origin' };
            const answer = await fetch(path, kept).catch(() => null);
            if (answer?.ok && !answer.url.includes('/sign-in')) found.push([path, await answer.text()]);
        }
        return found;
    }""",
        [address, f"{PREFIX}/api/v1/{addresses['run']}", f"{PREFIX}/api/v1/{addresses['run']}/log?offset=0"],
    )
    assert kept == []
