"""The table of runs, as a person sees and uses it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible

RUNS = "/api/v1/runs"


@pytest.fixture(scope="module")
def made(server: Server) -> dict[str, Any]:
    """Runs that have ended, one that trains, two that wait; ids by what they are."""
    dataset_id = seed.dataset(server, "nuclei")
    hostile_set = seed.dataset(server, seed.HOSTILE, seed.HOSTILE)
    found: dict[str, Any] = {}
    for end, epochs in (("completed", 30), ("stopped", 12)):
        found[end] = seed.run(server, dataset_id, name=f"it {end}", tags=["camera 2"])
        server.runs.finish(seed.train(server, seed.begin(server), epochs), end)
    found["running"] = seed.run(server, dataset_id, name="it trains")
    found["held"] = seed.train(server, seed.begin(server), 3)
    found["queued"] = seed.run(server, dataset_id, name="it waits")
    found["hostile"] = seed.run(server, hostile_set, name=seed.HOSTILE, tags=["<b>x</b>"])
    return found


def names(page: Page) -> list[str]:
    return page.locator("#rows th a.fw-medium").all_inner_texts()


def test_runs_are_listed_and_user_words_stay_words(page: Page, made: dict[str, Any]):
    page.goto("/")
    assert page.url.endswith("/runs")
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(5)
    assert names(page)[0] == seed.HOSTILE
    assert page.locator("#rows script, #rows img, #rows b").count() == 0
    completed = page.locator(f"#{made['completed']}")
    expect(completed).to_contain_text("30 / 40")
    best = max(seed.row(epoch)["val_miou"] for epoch in range(1, 31))
    expect(completed).to_contain_text(f"{best:.4f}")
    expect(completed).to_contain_text("val_miou")
    expect(page.locator("#live")).to_have_text("live")
    assert_accessible(page)


def test_filters_and_order_are_in_the_address(page: Page, made: dict[str, Any]):
    page.goto("/runs")
    page.get_by_label("Text in name, notes, tags").fill("CAMERA")
    page.get_by_role("button", name="Show").click()
    assert "text=CAMERA" in page.url
    expect(page.locator("#rows th a.fw-medium")).to_have_text(["it stopped", "it completed"])
    page.get_by_role("link", name="Best").click()
    assert "sort=best.val_miou" in page.url
    expect(page.locator("#rows th a.fw-medium")).to_have_text(["it completed", "it stopped"])
    expect(page.get_by_role("columnheader", name="Best")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name="Best").click()
    expect(page.locator("#rows th a.fw-medium")).to_have_text(["it stopped", "it completed"])
    page.reload()
    expect(page.locator("#rows th a.fw-medium")).to_have_text(["it stopped", "it completed"])
    page.goto("/runs?status=foo&limit=2&tag=camera%202")
    expect(page.get_by_role("alert").first).to_contain_text("Must be one of: queued")
    page.goto("/runs?limit=2")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=**")
    expect(page.locator("#rows th a.fw-medium")).to_have_count(2)


def test_columns_are_chosen_and_remembered(page: Page, made: dict[str, Any]):
    def assert_heads(*chosen: str) -> None:
        always = ["Run", "Status", "Epochs", re.compile("Best"), re.compile("Last")]
        expect(page.locator("#bulk thead th")).to_have_text([*always, *chosen, re.compile("Created")])

    page.goto("/runs")
    assert_heads("Metric", "Project", "Data set")
    page.get_by_text("Columns", exact=True).click()
    for name in ("Metric", "Data set", "Encoder", "Images/s", "Attempts"):
        page.get_by_label(name, exact=True).click()
    page.get_by_role("button", name="Show").click()
    assert_heads("Project", "Encoder", "Images/s", "Attempts")
    expect(page.locator(f"#{made['completed']}")).to_contain_text("212.5")
    assert_accessible(page)
    page.get_by_role("link", name="Best").click()
    page.wait_for_url("**columns=project%2Cencoder%2Cspeed%2Cattempts**")
    page.goto("/runs?status=completed")
    assert_heads("Project", "Encoder", "Images/s", "Attempts")
    expect(page.get_by_role("link", name="These as CSV")).to_have_attribute(
        "href", re.compile("status=completed&format")
    )
    page.goto("/runs?columns=metric,nonsense")
    assert_heads("Metric")


def test_what_happens_is_seen_without_a_reload(page: Page, made: dict[str, Any], server: Server):
    page.goto("/runs")
    page.evaluate("window.stays = true")
    row = page.locator(f"#{made['running']}")
    expect(page.locator("#live")).to_have_text("live")
    row.get_by_role("checkbox").check()
    held = seed.train(server, made["held"], 4)
    server.runs.publish_status(held)
    expect(row).to_contain_text("4 / 40")
    expect(row.get_by_role("checkbox")).to_be_checked()
    new = seed.run(server, held.dataset_id, name="it is new")
    expect(page.locator(f"#{new}")).to_be_visible()
    expect(row.get_by_role("checkbox")).to_be_checked()
    server.http.post(f"{RUNS}/{new}/stop", json={})
    expect(page.locator(f"#{new}")).to_contain_text("stopped")
    assert page.evaluate("window.stays")


def test_many_are_stopped_and_deleted_at_once(page: Page, made: dict[str, Any], server: Server):
    page.goto("/runs")
    queued, completed = (page.locator(f"#{made[name]}") for name in ("queued", "completed"))
    queued.get_by_role("checkbox").check()
    completed.get_by_role("checkbox").check()
    expect(page.locator("#chosen")).to_have_text("2 runs selected")
    page.get_by_role("button", name="Stop").click()
    expect(queued).to_contain_text("stopped")
    expect(page.locator("#outcome")).to_contain_text("cannot be stopped")
    expect(completed.get_by_role("checkbox")).to_be_checked()
    queued.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Leave").click()
    expect(queued).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes").click()
    expect(queued).to_have_count(0)
    expect(completed).to_have_count(0)
    assert server.http.get(f"{RUNS}/{made['queued']}").status_code == 404


def test_colours_follow_the_system_until_chosen(page: Page, made: dict[str, Any]):
    page.emulate_media(color_scheme="dark")
    page.goto("/runs")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.locator("#theme").select_option("dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")


def test_the_keyboard_reaches_the_content(page: Page, made: dict[str, Any]):
    page.goto("/runs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
