"""Drafts: runs that are saved in the form, edited, submitted and thrown away."""

import re

from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible

DRAFTS = "/api/v1/drafts"


def test_a_draft_is_saved_edited_and_submitted(page: Page, server: Server):
    dataset_id = seed.dataset(server, "nuclei")
    page.goto("/runs/new")
    page.get_by_label("Name", exact=True).fill(seed.HOSTILE)
    page.get_by_label("Tags").fill("a, b")
    page.get_by_label("Epochs", exact=True).fill("7")
    page.get_by_role("button", name="Save as a draft").click()
    page.wait_for_url("**/drafts")
    row = page.locator("#rows tr")
    for words in (seed.HOSTILE, "epochs 7", "default"):
        expect(row).to_contain_text(words)
    assert page.locator("main script, main img").count() == 0
    assert_accessible(page)
    row.get_by_role("button", name="Submit").click()
    expect(row.get_by_role("alert")).to_contain_text("dataset_id: Missing data")

    row.get_by_role("link").first.click()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("7")
    expect(page.get_by_label("Tags")).to_have_value("a, b")
    page.get_by_label("Data set").select_option(value=dataset_id)
    page.get_by_label("Epochs", exact=True).fill("9")
    page.get_by_label("Tags").fill("")
    expect(page.locator("#verdict")).to_have_text("The server would accept it.")
    page.reload()
    expect(page.get_by_label("Tags")).to_have_value("")
    page.get_by_role("button", name="Save the draft").click()
    page.wait_for_url("**/drafts")
    [saved] = server.http.get(DRAFTS).json()["items"]
    assert saved["request"] == {"name": seed.HOSTILE, "dataset_id": dataset_id, "spec": {"epochs": 9}}
    row.get_by_role("link").first.click()
    page.get_by_label("Epochs", exact=True).fill("11")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile(r"/runs/run-"))
    expect(page.locator("#stand")).to_contain_text("/ 11")
    assert server.http.get(DRAFTS).json()["items"] == []


def test_a_draft_is_submitted_or_deleted_from_the_list(page: Page, server: Server):
    dataset_id = seed.dataset(server, "nuclei")
    for name in ("one", "two"):
        server.http.post(DRAFTS, json={"name": name, "dataset_id": dataset_id})
    page.goto("/runs")
    page.get_by_role("link", name="Drafts").click()
    page.get_by_role("button", name="Delete one").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator("#rows")).not_to_contain_text("one")
    page.get_by_role("button", name="Submit two").click()
    page.wait_for_url(re.compile(r"/runs/run-"))
    expect(page.locator("h1")).to_contain_text("two")
