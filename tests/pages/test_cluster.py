"""Queues and workers, as a person sees them."""

import time

from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore


def test_what_waits_why_and_who_works(page: Page, server: Server):
    dataset_id = seed.dataset(server, "nuclei")
    held_id = seed.run(server, dataset_id, name="trains")
    first, second = (seed.run(server, dataset_id, name=name) for name in (seed.HOSTILE, "second"))
    page.goto("/cluster")
    expect(page.locator("#workers")).to_contain_text("No worker gives a sign of life")
    expect(page.locator(f"#waiters #{held_id}")).to_contain_text("No worker serves this queue")
    held = seed.begin(server)
    now = time.time()
    worker = WorkerState(
        id=seed.HOSTILE, host="h", pid=1, queues=("cpu", "finish"), device="<b>CPU</b>",
        memory_bytes=16_000_000_000, started_at=now, holds=held.id, since=now,
    )  # fmt: skip
    server.runs.report(held, seed.progress(13, 99))
    WorkerStore(server.client).beat(worker)
    server.runs.publish_status(held)
    row = page.locator("#workers tr")
    for words in (seed.HOSTILE, "<b>CPU</b>", "16.0 GB", held.id):
        expect(row).to_contain_text(words)
    expect(page.locator("#queue-cpu")).to_contain_text(held.id)
    waiting = page.locator("#waiters tr")
    expect(waiting).to_have_count(2)
    expect(waiting.nth(0)).to_contain_text("All workers of this queue are busy.")
    expect(waiting.nth(0).locator("time")).to_have_count(2)
    assert [waiting.nth(n).get_attribute("id") for n in range(2)] == [first, second]
    page.get_by_role("button", name="To the front: second").click()
    expect(waiting.nth(0)).to_have_attribute("id", second)
    page.locator(f"#waiters #{first}").drag_to(
        page.locator(f"#waiters #{second}"), target_position={"x": 60, "y": 2}
    )
    expect(page.locator("#moved")).to_contain_text("at place 1")
    expect(waiting.nth(0)).to_have_attribute("id", first)
    page.get_by_role("button", name="Up: second").press("Enter")
    expect(waiting.nth(0)).to_have_attribute("id", second)
    expect(page.get_by_role("button", name="Up: second")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#moved")).to_contain_text("second is the first of its project")
    assert server.http.get(f"/api/v1/runs/{second}").json()["waiting"]["position"] == 1
    assert page.locator("main b, main script, main img").count() == 0
    assert_accessible(page)
