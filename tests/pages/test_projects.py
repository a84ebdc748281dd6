"""Projects, as a person sees and describes them."""

from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible, eventually


@pytest.fixture(scope="module")
def made(server: Server) -> dict[str, Any]:
    """Two projects, one of them with a hostile name; ids of runs of the other."""
    dataset_id = seed.dataset(server, "nuclei", "lab")
    found: dict[str, Any] = {}
    for name, epochs in (("first", 30), ("second", 12)):
        found[name] = seed.run(server, dataset_id, name=name)
        server.runs.finish(seed.train(server, seed.begin(server), epochs), "completed")
    found["waits"] = seed.run(server, dataset_id, name="third")
    seed.run(server, dataset_id, name=seed.HOSTILE, project=seed.HOSTILE)
    return found


def test_projects_are_listed_made_and_described(page: Page, server: Server, made: dict[str, Any]):
    page.goto("/runs")
    page.get_by_role("link", name="Projects").click()
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(2)
    lab = rows.filter(has=page.get_by_role("link", name="lab", exact=True))
    assert [cell.strip() for cell in lab.locator("td").all_inner_texts()][1:7] == [
        "–",
        "1",
        "2",
        "–",
        "–",
        "1",
    ]
    assert page.locator("#rows script, #rows img").count() == 0
    assert_accessible(page)
    page.get_by_role("button", name="New project…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("lab")
    dialog.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("link", name="lab", exact=True)).to_have_count(1)
    page.get_by_role("button", name="New project…").click()
    dialog.get_by_label("Name").fill("lab")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.locator(".act-error")).to_contain_text("already")
    page.goto(f"/projects/{quote('lab')}")
    page.get_by_role("button", name="Describe…").click()
    dialog.get_by_label("Description").fill("nuclei\n<i>of 2026</i>")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#facts")).to_contain_text("<i>of 2026</i>")
    page.get_by_role("button", name="Limit…").click()
    dialog.get_by_label("Runs at once").fill("2")
    dialog.get_by_role("button", name="Set").click()
    expect(page.locator("#facts")).to_contain_text("2 runs at once")
    assert server.http.get("/api/v1/projects/lab").json()["max_concurrent"] == 2


def test_a_projects_best_runs_are_drawn(page: Page, made: dict[str, Any]):
    page.goto("/projects/lab")
    assert page.locator("#best th a").all_inner_texts() == ["first", "second"]
    eventually(page, "document.querySelectorAll('.chart')[0]?.plot?.view?.lines.length === 4")
    assert page.locator("#newest th a").all_inner_texts() == ["third", "second", "first"]
    assert_accessible(page)
    page.get_by_label("by").select_option("val_loss")
    page.get_by_role("button", name="Show", exact=True).click()
    assert "metric=val_loss" in page.url
    assert page.locator("#best th a").all_inner_texts() == ["first", "second"]


def test_a_new_run_is_seen_at_once(page: Page, server: Server, made: dict[str, Any]):
    page.goto("/projects")
    expect(page.locator("#live")).to_have_text("live")
    dataset_id = server.http.get("/api/v1/datasets").json()["items"][0]["id"]
    seed.run(server, dataset_id, name="of another", project="another")
    expect(page.get_by_role("link", name="another")).to_be_visible()


def test_a_hostile_name_has_its_page(page: Page, server: Server, made: dict[str, Any]):
    page.goto("/projects")
    page.get_by_role("link", name=seed.HOSTILE[:20]).click()
    expect(page.locator("h1")).to_contain_text(seed.HOSTILE)
    assert page.locator("main script:not([src]), main img").count() == 0
    assert server.http.get("/projects/none%20such").status_code == 404
