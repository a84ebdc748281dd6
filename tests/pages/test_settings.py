"""Keys, webhooks and room, as an admin sees and changes them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible

API = "/api/v1"


@pytest.fixture(scope="module")
def dataset_id(server: Server) -> str:
    return seed.dataset(server, seed.HOSTILE, "lab")


def test_a_key_is_made_shown_once_and_revoked(page: Page, server: Server):
    page.goto("/runs")
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("This server needs no key")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="New key…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.locator(".invalid-feedback")).to_have_count(1)
    dialog.get_by_label("Whose it is").fill("<b>anna</b>")
    dialog.get_by_label("Role").select_option("viewer")
    dialog.get_by_label("Projects").fill("lab, other")
    dialog.get_by_label("Ends on").fill("2099-01-31")
    dialog.get_by_role("button", name="Make it").click()
    key = dialog.locator("code").inner_text()
    assert len(key) > 20
    assert_accessible(page)
    dialog.get_by_role("button", name="Leave").click()
    row = page.locator("#keys tr")
    expect(row).to_contain_text("<b>anna</b>")
    expect(row).to_contain_text("lab, other")
    assert key not in page.content()
    [made] = server.http.get(f"{API}/keys").json()["items"]
    assert (made["role"], made["expires_at"][:10]) == ("viewer", "2099-01-31")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    expect(row).to_contain_text("revoked")
    assert server.http.get(f"{API}/keys").json()["items"][0]["revoked_at"]


def test_a_webhook_is_made_paused_and_deleted(page: Page, server: Server):
    page.goto("/settings")
    page.get_by_role("button", name="New webhook…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Project").fill("lab")
    dialog.get_by_label("Address").fill("ftp://example.org/")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.locator(".invalid-feedback")).to_have_count(1)
    dialog.get_by_label("Address").fill("https://93.184.216.34/hook")
    dialog.get_by_label("failed").check()
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.locator("code")).to_be_visible()
    dialog.get_by_role("button", name="Leave").click()
    [made] = server.http.get(f"{API}/webhooks").json()["items"]
    assert made["statuses"] == ["failed"]
    page.locator("#hooks").get_by_role("link").click()
    expect(page.locator("#deliveries")).to_contain_text("Nothing yet.")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#facts")).to_contain_text("paused")
    expect(page.get_by_role("button", name="Try it")).to_have_count(0)
    assert_accessible(page)
    page.go_back()
    page.locator("#hooks").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    expect(page.locator("#hooks")).to_contain_text("None.")


def test_old_runs_are_named_before_they_are_deleted(page: Page, server: Server, dataset_id: str):
    kept = seed.run(server, dataset_id, name="kept", tags=["keep"])
    server.runs.finish(seed.train(server, seed.begin(server), 3), "completed")
    old = seed.run(server, dataset_id, name=seed.HOSTILE)
    server.runs.finish(seed.train(server, seed.begin(server), 2), "completed")
    page.goto("/settings")
    page.get_by_label("Ended more than").fill("-1")
    page.get_by_role("button", name="Which would that be?").click()
    expect(page.locator("#prune .invalid-feedback")).to_have_count(1)
    page.get_by_label("Ended more than").fill("0")
    page.get_by_label("keep the best").fill("0")
    page.get_by_role("button", name="Which would that be?").click()
    expect(page.locator("#pruned")).to_contain_text("1 run with")
    expect(page.locator("#prunable")).to_contain_text(seed.HOSTILE)
    assert page.locator("#prunable b, #prunable img").count() == 0
    assert server.http.get(f"{API}/runs/{old}").status_code == 200
    page.locator("#prune-now").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    expect(page.locator("#pruned")).to_contain_text(re.compile(r"B deleted\."))  # not "would be deleted."
    assert server.http.get(f"{API}/runs/{old}").status_code == 404
    assert server.http.get(f"{API}/runs/{kept}").status_code == 200
    page.get_by_role("button", name="What takes most?").click()
    expect(page.locator("#usage tbody tr")).to_have_count(2)
    assert_accessible(page)
