"""Runs beside each other, as a person sees them."""

from PIL import Image
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import assert_accessible, eventually


def test_runs_are_selected_and_compared(page: Page, server: Server):
    dataset_id = seed.dataset(server, "nuclei")
    ids = []
    for name, rate, epochs in ((seed.HOSTILE, 0.001, 30), ("slow", 0.0001, 12)):
        spec = {"epochs": seed.EPOCHS, "optimization": {"learning_rate": rate}}
        ids.append(seed.run(server, dataset_id, name=name, spec=spec))
        held = seed.train(server, seed.begin(server), epochs)
        overlay = server.storage.run(held.id).path / "figures" / "overlay.png"
        overlay.parent.mkdir(parents=True)
        Image.new("RGB", (48, 32), (0, 90, 200)).save(overlay)
        Image.new("RGB", (44, 44), (0, 90, 200)).save(overlay.with_name("val-confusion.png"))
    page.goto("/runs")
    for run_id in ids:
        page.locator(f"#{run_id}").get_by_role("checkbox").check()
    page.get_by_role("link", name="Compare").click()
    assert {*ids} <= {*page.url.replace("%2C", ",").partition("ids=")[2].split(",")}
    eventually(page, "document.querySelectorAll('.chart')[0]?.plot?.view?.lines.length === 4")
    chart = page.locator(".chart").first
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect(chart.get_by_role("status")).to_contain_text(f"{seed.HOSTILE} val_loss")
    rates = page.get_by_role("row").filter(has_text="spec.optimization.learning_rate")
    expect(rates).to_contain_text("0.0001")
    expect(page.get_by_text("spec.optimization.optimizer")).to_have_count(0)
    eventually(page, "[...document.images].filter(one => one.naturalWidth === 48).length === 2")
    page.get_by_role("heading", name="Confusion of classes").scroll_into_view_if_needed()
    eventually(page, "[...document.images].filter(one => one.naturalWidth === 44).length === 2")
    held = seed.train(server, held, 14)
    server.runs.publish_status(held)
    expect(page.locator(f"#{held.id}")).to_contain_text("14 / 40")
    assert page.locator("main script").count() == 0
    assert_accessible(page)


def test_what_cannot_be_compared(page: Page, server: Server):
    page.goto("/runs/compare")
    expect(page.locator("main")).to_contain_text("Select runs in the table")
    page.goto("/runs/compare?ids=run-000000000000")
    expect(page.get_by_role("alert")).to_contain_text("There is no run")


def test_of_more_than_twenty_the_first_are_shown_and_the_others_named(page: Page, server: Server):
    dataset_id = seed.dataset(server, "many")
    ids = [seed.run(server, dataset_id, name=f"repetition {number}") for number in range(22)]
    page.goto(f"/runs/compare?ids={','.join(ids)}")
    said = page.get_by_role("alert")
    expect(said).to_contain_text("22 runs were asked for, and the first 20 of them are shown")
    shown = page.locator("#compared tr")
    assert [row.get_attribute("id") for row in shown.all()] == ids[:20]
    said.get_by_text("Those that are left out").click()
    expect(said.get_by_role("listitem")).to_have_text(ids[20:])
    said.get_by_role("link", name="Compare the other 2").click()
    expect(page.get_by_role("heading", name="Comparison of 2 runs")).to_be_visible()
