"""What people do whom nobody has told how the pages are meant."""

import pytest
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.api.summary import SUMMARY
from tests.pages import seed
from tests.pages.conftest import eventually
from trainyard.runs.metric_summary import summarize
from trainyard.storage.metric_rows import write_rows

MANY = 254
"""Classes, as many as a mask of bytes has besides the ignored value."""
LINE = "document.querySelector('.chart').plot"


@pytest.fixture(scope="module")
def dataset_id(server: Server) -> str:
    return seed.dataset(server, "shapes")


@pytest.fixture(scope="module")
def run_id(server: Server, dataset_id: str) -> str:
    """A run that was stopped, with a checkpoint and a log in colours."""
    seed.run(server, dataset_id, name="it stopped")
    held = seed.train(server, seed.begin(server), 12)
    folder = server.storage.run(held.id)
    for file, content in (
        (folder.log, b"\x1b[31mred\x1b[0m words\n"),
        (folder.checkpoints / "best.ckpt", b"x"),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return server.runs.finish(held, "stopped").id


@pytest.mark.parametrize(
    "path", ["/nowhere", "/run/5", "/runs/..%2F..", "/boards/x/", "/runs/new?from=run-000000000000"]
)
def test_a_mistyped_address_is_answered_by_a_page(page: Page, path: str):
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("This page cannot be shown")
    expect(page.get_by_role("link", name="All runs")).to_be_visible()


@pytest.mark.parametrize(
    "query",
    ["sort=evil", "cursor=%%%zz", "limit=-1", "status=x&status=failed", "columns=x", "text=%00%F0%9F%90%88"],
)
def test_an_odd_address_of_a_list_shows_the_list(page: Page, run_id: str, query: str):
    page.goto(f"/runs?{query}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")


def test_filters_are_those_of_the_list_after_going_back(page: Page, run_id: str):
    page.goto("/runs")
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**status=failed**")
    page.go_back()
    expect(page.locator("#rows th")).to_have_count(1)
    expect(page.get_by_label("Status")).to_have_value("")


def test_colours_are_chosen_for_all_tabs(page: Page):
    page.goto("/runs")
    other = page.context.new_page()
    other.goto("/settings")
    other.get_by_label("Colours").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_label("Colours")).to_have_value("dark")


def test_a_log_has_no_codes_of_terminals(page: Page, run_id: str):
    page.goto(f"/runs/{run_id}")
    assert page.locator("#log").text_content() == "red words\n"


def test_tables_of_a_run_scroll_on_a_small_phone(page: Page, run_id: str):
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_role("link", name="best.ckpt")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_empty_field_says_that_it_is_needed(page: Page, run_id: str):
    page.goto(f"/runs/{run_id}")
    page.get_by_role("button", name="Save settings…").click()
    page.get_by_role("button", name="Save", exact=True).click()
    field = page.locator("#save-experiment-name")
    expect(field).to_be_focused()
    expect(page.locator(".invalid-feedback")).to_have_text("Fill this in.")


def test_a_comparison_goes_on_without_what_is_gone(page: Page, run_id: str):
    page.goto(f"/runs/compare?ids={run_id},run-000000000000,%3Cb%3E")
    expect(page.locator("#compared tr")).to_have_count(1)
    expect(page.get_by_role("alert").filter(has_text="run-000000000000")).to_contain_text("is left out")
    expect(page.get_by_role("alert").filter(has_text="<b>")).to_contain_text("is left out")


def test_many_classes_leave_room_for_the_rest(page: Page, server: Server):
    classes = [
        {**SUMMARY["classes"][0], "index": one, "value": one, "name": f"class {one}"} for one in range(MANY)
    ]
    many = seed.dataset(server, "many classes", classes=classes)
    page.goto(f"/datasets/{many}")
    expect(page.locator("#class-253")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollHeight") < 2000
    page.goto(f"/runs/{seed.run(server, many)}")
    titles = page.locator(".charts h3").all_text_contents()
    assert "IoU of each class (the first 20 of 254)" in titles


def test_values_that_differ_by_rounding_are_one_on_the_axis(page: Page, server: Server, dataset_id: str):
    seed.run(server, dataset_id, priority=9)
    held = seed.begin(server)
    rows = [{**seed.row(epoch), "val_loss": 1 - epoch * 1e-8, "train_loss": 1.0} for epoch in range(1, 9)]
    write_rows(server.storage.run(held.id), held.fence, rows)
    server.runs.update(held, metrics_of=held.fence, epoch=8, **summarize(rows, held.spec.checkpoints.monitor))
    page.goto(f"/runs/{held.id}")
    expect(page.locator("canvas[data-drawn]").first).to_be_visible()
    eventually(page, f"({LINE}.view?.lines.length ?? 0) > 0")
    low, high = page.evaluate(f"[{LINE}.y.from, {LINE}.y.to]")
    assert low < 0.98 < 1.02 < high


def test_a_page_finds_out_that_its_run_was_deleted_elsewhere(page: Page, server: Server, dataset_id: str):
    gone = seed.run(server, dataset_id, name="gone", priority=9)
    server.runs.finish(seed.begin(server), "stopped")
    page.clock.install()
    page.goto(f"/runs/{gone}")
    page.clock.run_for(3000)
    expect(page.locator("#live")).to_have_text("live")
    assert server.http.delete(f"/api/v1/runs/{gone}").status_code == 204
    page.clock.run_for(63_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("This page cannot be shown")
