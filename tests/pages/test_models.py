"""Trained models, as a person sees them: registered, staged, tried on an image."""

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.fixtures.pixelwise_onnx import flag, pixelwise_onnx
from tests.pages import seed
from tests.pages.conftest import assert_accessible
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.resources.prediction_store import PredictionStore
from workers.predict.server import PredictionServer


@pytest.fixture(scope="module")
def runs(server: Server) -> list[str]:
    """Two completed runs with an export that answers."""
    dataset_id = seed.dataset(server, "nuclei")
    return [
        seed.exported(server, dataset_id, name=name, content=pixelwise_onnx()) for name in ("plain", "long")
    ]


@pytest.fixture
def predicting(server: Server) -> Iterator[None]:
    """A worker's place for predictions, in this process; its computing process is a real one."""
    draining = threading.Event()
    place = PredictionServer(
        PredictionStore(server.client), server.storage.root, "h:1:x", draining, lambda: 1
    )
    worker_id = seed.predicts(server)
    place.start()
    yield
    draining.set()
    place.join()
    WorkerStore(server.client).leave(worker_id)


def registered(server: Server, run_id: str, name: str) -> str:
    answer = server.http.post("/api/v1/trained-models", json={"run_id": run_id, "name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_run_is_registered_staged_and_deleted(page: Page, server: Server, runs: list[str]):
    page.goto("/models")
    expect(page.locator("#none")).to_contain_text("No run is registered")
    for run_id, version in ((runs[0], 1), (runs[1], 2)):
        page.goto("/models")
        page.get_by_role("button", name="Register a run").click()
        page.get_by_label("Completed run").select_option(run_id)
        page.locator("#register").get_by_label("Name").fill(seed.HOSTILE)
        page.locator("#register").get_by_label("Stage").select_option("production")
        page.get_by_role("button", name="Register", exact=True).click()
        expect(page.locator("#title")).to_contain_text(f"version {version}")
        expect(page.locator("#title")).to_contain_text("production")
    for words in ("long", "nuclei", "a" * 64, "model.onnx"):
        expect(page.locator("#model")).to_contain_text(words)
    expect(page.locator("#versions tr").nth(1)).to_contain_text("archived")
    page.get_by_role("button", name="Delete").first.click()
    page.locator("#delete").get_by_role("button", name="Delete").click()
    expect(page.locator("#delete .act-error")).to_contain_text("is in production")
    page.locator("#delete").get_by_role("button", name="Leave").click()
    page.get_by_role("button", name="Change its stage").click()
    page.locator("#stage").get_by_label("Stage").select_option("staging")
    page.locator("#stage").get_by_label("Notes").fill("<b>too slow</b>")
    page.locator("#stage").get_by_role("button", name="Change").click()
    expect(page.locator("#title")).to_contain_text("staging")
    expect(page.locator("#notes")).to_contain_text("<b>too slow</b>")
    expect(page.locator("#versions tr").nth(0)).to_contain_text("staging")
    assert page.locator("main b, main script").count() == 0
    assert_accessible(page)
    page.goto("/models?stage=staging")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#rows")).to_contain_text(seed.HOSTILE)
    assert page.locator("main b, main script, main img").count() == 0
    assert_accessible(page)
    page.goto("/models?stage=nonsense&project=none")
    expect(page.locator("#rows tr")).to_have_count(2)


def test_a_model_is_tried_on_images(
    page: Page, server: Server, runs: list[str], predicting: None, tmp_path: Path
):
    page.goto(f"/models/{registered(server, runs[0], 'flags')}")
    names = ["<img src=x>.png", "b.tif"]
    for name in names:
        cv2.imencode(Path(name).suffix, flag()[:, :, ::-1])[1].tofile(tmp_path / name)
    page.locator("#image").set_input_files([tmp_path / name for name in names])
    cards = page.locator("#found section")
    expect(cards).to_have_count(2)
    expect(page.locator("#busy")).to_contain_text("Done in")
    expect(cards.nth(0)).to_contain_text("<img src=x>.png 60 × 40")
    expect(cards.nth(0)).to_contain_text("red35.0 %")
    expect(cards.nth(0).locator("img")).to_have_count(2)
    expect(cards.nth(1).locator("img")).to_have_count(1)
    seen = cards.nth(0).locator("img").last
    assert seen.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [60, 40]
    cards.nth(0).get_by_label("Overlay").fill("20")
    assert seen.evaluate("image => image.style.opacity") == "0.2"
    assert_accessible(page)
    (tmp_path / "x.png").write_bytes(b"no picture")
    page.locator("#image").set_input_files(tmp_path / "x.png")
    expect(page.locator("#try .act-error")).to_contain_text("x.png: This is no picture")


def test_without_a_worker_it_says_what_to_start(page: Page, server: Server, runs: list[str], tmp_path: Path):
    page.goto(f"/models/{registered(server, runs[0], 'flags')}")
    cv2.imwrite(str(tmp_path / "a.png"), flag())
    page.locator("#image").set_input_files(tmp_path / "a.png")
    expect(page.locator("#try .act-error")).to_contain_text("python -m workers")


def test_a_run_without_files_is_exported_from_its_page(page: Page, server: Server):
    run_id = seed.run(server, seed.dataset(server, "cells"), name="bare", priority=9)
    server.runs.finish(seed.train(server, seed.begin(server), 3), "completed", result={"export": None})
    page.goto(f"/runs/{run_id}")
    page.get_by_role("button", name="Export").click()
    page.get_by_label("also in float16").check()
    page.locator("#export").get_by_role("button", name="Export").click()
    expect(page.locator("h1")).to_contain_text("finishing")
    asked = server.http.get(f"/api/v1/runs/{run_id}").json()["spec"]["export"]
    assert (asked["onnx"], asked["half"], asked["int8"]) == (True, True, False)


def test_a_completed_run_leads_to_its_model(page: Page, server: Server, runs: list[str]):
    page.goto(f"/runs/{runs[1]}")
    page.get_by_role("button", name="Register as a model").click()
    page.locator("#register").get_by_label("Name").fill("from its run")
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.locator("#title")).to_contain_text("from its run version 1")
    expect(page.get_by_role("link", name="long").first).to_have_attribute("href", f"/runs/{runs[1]}")
