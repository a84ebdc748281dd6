"""A server with records and a real Chromium that looks at its pages."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.api.server import Server
from tests.waits import scaled, wait_for
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic",
    "--no-first-run",
]  # fmt: skip


PATIENT = LeaseRules(lease_s=3600)
"""What a test's hand holds it holds, however slow the machine is: nobody gives signs of life for it."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium: none is downloaded."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        expect.set_options(timeout=scaled(10) * 1000)
        yield running
        running.close()


@pytest.fixture(scope="module")
def server(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server process for one module, with an empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    running = Server(redis_server, tmp_path_factory.mktemp("server"))
    running.runs = RunRegistry(running.client, running.storage, PATIENT)
    running.datasets = DatasetRegistry(running.client, running.storage, PATIENT)
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A window in which nothing may go wrong: no error of a script, no refusal by the policy, no dialog of a
    planted script, and no request to any other server."""
    yield from watched(browser, str(server.http.base_url))


def watched(browser: Browser, base_url: str) -> Iterator[Page]:
    context = browser.new_context(base_url=base_url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(scaled(10) * 1000)
    opened, wrong = context.new_page(), []
    opened.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    opened.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    opened.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    hosts: set[str] = set()
    opened.on("request", lambda sent: hosts.add(urlsplit(sent.url).netloc))
    yield opened
    context.close()
    assert wrong == []
    assert hosts <= {urlsplit(base_url).netloc, ""}


def assert_accessible(page: Page) -> None:
    """As far as axe can tell, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def eventually(page: Page, expression: str) -> None:
    """Wait until it is true in the page. Playwright's own way needs `eval` there."""
    wait_for(lambda: page.evaluate(expression), seconds=20)
