"""A whole stack with a real run, looked at by browsers while parts of it are killed."""

from collections.abc import Iterator
from math import ceil
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.synthetic import write_synthetic
from tests.e2e.conftest import SMALLEST, Stack, start_stack, stop_stack
from tests.pages.conftest import eventually, watched
from tests.waits import scaled, wait_for

pytestmark = pytest.mark.timeout(300)
LEASE_S = 8
EPOCHS = 12
CURVE = "document.querySelector('.chart')?.plot?.view?.lines.find(line => line.name === 'val_loss')?.xs ?? []"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything but Flower; whatever is killed is started again by its supervisor."""
    folder = tmp_path_factory.mktemp("outages")
    lease = {"TRAINYARD_LEASE_S": str(ceil(scaled(LEASE_S)))}
    running = start_stack(folder / "storage", "redis", "web", "ingest", "worker", **lease)
    yield running
    stop_stack(running)


@pytest.fixture(scope="module")
def dataset_id(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    archive = tmp_path_factory.mktemp("upload") / "synthetic.zip"
    write_synthetic(archive, images=40)
    return str(stack.upload(archive, name="shapes")["id"])


@pytest.fixture
def run(stack: Stack, dataset_id: str) -> dict[str, Any]:
    """A run in its first epochs."""
    run = stack.submit(dataset_id, epochs=EPOCHS, export={"onnx": False}, **SMALLEST)
    return dict(stack.wait_run(run["id"], lambda found: found["epoch"] >= 1))


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    yield from watched(browser, str(stack.http.base_url))


@pytest.fixture
def other_page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """That of another browser, which shares nothing with the first."""
    yield from watched(browser, str(stack.http.base_url))


def look(page: Page, run_id: str) -> None:
    """Open the run's page, and mark it: a page that was loaded again has lost the mark."""
    page.goto(f"/runs/{run_id}")
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.stays = true")
    eventually(page, f"({CURVE}).length > 0")


def assert_whole(page: Page, stack: Stack, run_id: str, epochs: int = EPOCHS) -> None:
    """At its end the page has each epoch and each line of the log once, and was never loaded again."""
    expect(page.locator("h1")).to_contain_text("completed", timeout=scaled(60) * 1000)
    eventually(page, f"({CURVE}).length >= {epochs}")
    assert page.evaluate(CURVE) == list(range(1, epochs + 1))
    log = (stack.storage / "runs" / run_id / "logs" / "training.log").read_text()
    wait_for(lambda: page.locator("#log").text_content() == log, seconds=20)
    expect(page.locator("#stand")).to_contain_text(f"{epochs} / {epochs}")
    assert page.evaluate("window.stays")


def test_an_open_page_outlives_the_api(page: Page, stack: Stack, run: dict[str, Any]):
    look(page, run["id"])
    kill_tree(stack.pid("web"))
    expect(page.locator("#live")).to_have_text("connection lost, trying again")
    expect(page.locator("#live")).to_have_text("live", timeout=scaled(60) * 1000)
    assert_whole(page, stack, run["id"])


@pytest.mark.thorough
def test_the_loss_of_a_worker_and_the_recovery_are_seen_by_two(
    page: Page, other_page: Page, stack: Stack, run: dict[str, Any]
):
    for one in (page, other_page):
        look(one, run["id"])
    page.get_by_label("Epochs to train, changed while it does").fill(str(EPOCHS + 3))
    page.get_by_role("button", name="Set", exact=True).click()
    expect(other_page.locator("#stand")).to_contain_text(f"/ {EPOCHS + 3}")
    kill_tree(stack.pid("worker"))
    for one in (page, other_page):
        lost = one.locator("#attempts li.bad")
        expect(lost).to_contain_text("its worker was lost", timeout=scaled(60) * 1000)
        expect(one.locator("#attempts li.now")).to_contain_text("in work", timeout=scaled(60) * 1000)
    for one in (page, other_page):
        assert_whole(one, stack, run["id"], EPOCHS + 3)
        expect(one.locator("#attempts li")).to_have_count(3)  # lost, trained, results written


def kill_tree(pid: int) -> None:
    """A process and all below it, at once."""
    process = psutil.Process(pid)
    for one in [process, *process.children(recursive=True)]:
        one.kill()
