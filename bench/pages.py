"""What the pages cost, measured in Chromium with many runs in the store.

    python -m bench.pages [--runs 10000] [--minutes 10]

A Redis of its own holds the runs, and one API process serves them. First each page's first contentful
paint, by a browser that knows none of its files and by one that does, and the bytes of its own files. Then
charts of 20 runs over 500 epochs: how many pictures a second they make while the smoothing is moved. At last
a run that trains is looked at for `--minutes`: what that costs the server, and what the
browser holds.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from bench.api import await_comparison, busy, fill
from bench.data.page_records import EPOCHS, METRICS, RUNS, LiveRun, compared_runs
from bench.machines.service import Service
from tests.pages.conftest import ARGUMENTS, CHROMIUM
from trainyard.registry.runs import RunRegistry
from trainyard.storage.files import Storage
from trainyard.store.connection import connect

VISITS = 9
LIBRARIES = ("bootstrap.min.css",)
REDRAWS = 90
IDLE_S = 60.0
WINDOW = {"width": 1280, "height": 900}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
FILES = """performance.getEntriesByType('resource').filter(one => one.name.includes('/assets/'))
    .map(one => [one.name.split('/').pop(), one.decodedBodySize])"""
REDRAW = """async (times) => {
    const slider = document.getElementById('smooth'), frame = () => new Promise(requestAnimationFrame);
    const drawn = []; let begin = performance.now();
    for (let n = 0; n < times; n++) {
        slider.value = 0.02 + 0.9 * (n % 45) / 45;
        slider.dispatchEvent(new Event('input'));
        await frame();
        const now = performance.now(); drawn.push(now - begin); begin = now;
    }
    return drawn;
}"""


@dataclass(frozen=True)
class Paint:
    """Milliseconds to the first paint of a page, by each visit; bytes of its own files."""

    path: str
    first: float
    again: list[float]
    own_bytes: int

    def __str__(self) -> str:
        median, worst = statistics.median(self.again), max(self.again)
        return (
            f"{self.path[:48]:48} first {self.first:4.0f} ms, again {median:4.0f} ms (worst {worst:4.0f}), "
            f"own files {self.own_bytes / 1000:.0f} kB"
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=10.0, help="for which a run's page is open")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        service = Service(Path(folder), threads=1)
        with service.redis():
            ids = fill(service, asked.runs)
            with service.running("web"):
                await_comparison(service)
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                measure(browser, service, ids, asked.minutes)
                browser.close()


def measure(browser: Browser, service: Service, ids: list[str], minutes: float) -> None:
    """All parts, one after the other."""
    base = f"http://127.0.0.1:{service.port}"
    storage, client = Storage(service.storage), connect(service.redis_url)
    compared = compared_runs(RunRegistry(client, storage), storage)
    with httpx.Client(base_url=base) as http:
        live = LiveRun(http, client, storage)
        for path in paths(ids, compared, live):
            print(painted(browser, base, path), flush=True)
        print(redrawn(browser, base, compared), flush=True)
        print(watched(browser, base, live, minutes), flush=True)
    client.close()


def paths(ids: list[str], compared: list[str], live: LiveRun) -> list[str]:
    """A page of each kind."""
    return [
        "/runs",
        "/runs?status=completed,stopped&project=project%203&sort=best.val_miou",
        "/runs?text=run%20777",
        f"/runs/{ids[7]}",
        f"/runs/{live.held.id}",
        f"/runs/compare?ids={','.join(compared)}",
        f"/runs/new?dataset_id={live.held.dataset_id}",
        f"/runs/new?from={live.held.id}",
        "/projects",
        "/projects/project%203",
        "/datasets",
        f"/datasets/{live.held.dataset_id}",
        "/models",
        "/drafts",
        "/cluster",
        "/settings",
    ]


def painted(browser: Browser, base: str, path: str) -> Paint:
    """One visit by a browser that has seen nothing, then some by one that has."""
    context = browser.new_context(base_url=base, viewport=WINDOW)
    page = context.new_page()
    times = [_visit(page, path) for _ in range(VISITS + 1)]
    page.wait_for_timeout(300)
    files = dict(page.evaluate(FILES))
    context.close()
    own = sum(size for name, size in files.items() if name not in LIBRARIES)
    return Paint(path, times[0], times[1:], own)


def _visit(page: Page, path: str) -> float:
    answer = page.goto(path, wait_until="load")
    assert answer is not None, path
    assert answer.ok, path
    while (found := page.evaluate(PAINT)) is None:
        page.wait_for_timeout(20)
    return float(found)


def redrawn(browser: Browser, base: str, compared: list[str]) -> str:
    """Pictures a second of the charts of a comparison while its smoothing is moved."""
    page = browser.new_page(base_url=base, viewport={"width": 1280, "height": 1400})
    page.goto(f"/runs/compare?ids={','.join(compared)}")
    page.wait_for_selector("#charts .chart >> nth=0")
    page.wait_for_timeout(5000)
    with busy("chromium") as drawing:
        times = page.evaluate(REDRAW, REDRAWS)
    page.close()
    median, worst, speed = statistics.median(times), max(times), 1000 / statistics.mean(times)
    return (
        f"{RUNS} runs x {EPOCHS} epochs x {len(METRICS)} metrics: {speed:.1f} pictures a second, each "
        f"{median:.0f} ms in the median and {worst:.0f} ms at most; it takes "
        f"{1000 * drawing.seconds / REDRAWS:.0f} ms of cores in all processes of the browser"
    )


def watched(browser: Browser, base: str, live: LiveRun, minutes: float) -> str:
    """What an open page of a run that trains takes of the server, and how the browser's memory grows."""
    with busy("-m app") as alone:
        live.train(IDLE_S)
    page = browser.new_page(base_url=base, viewport=WINDOW)
    page.goto(f"/runs/{live.held.id}")
    page.wait_for_timeout(5000)
    with heap(page) as (read, held), busy("-m app") as watched:
        held.append(read())
        for _ in range(max(1, round(minutes))):
            live.train(60.0 * minutes / max(1, round(minutes)))
            held.append(read())
    page.close()
    without, with_ = 100 * alone.seconds / IDLE_S, 100 * watched.seconds / (60 * minutes)
    sizes = ", ".join(f"{one / 1e6:.1f}" for one in held)
    return (
        f"an open run page: {with_ - without:.2f} % of a core of the server (with it {with_:.2f} %, without "
        f"{without:.2f} %)\nMB that its scripts hold, each minute: {sizes}"
    )


@contextmanager
def heap(page: Page) -> Iterator[tuple]:
    """Reads what the page's scripts hold, in bytes, after what nobody needs is gone."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def read() -> float:
        session.send("HeapProfiler.collectGarbage")
        found = session.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in found if one["name"] == "JSHeapUsedSize")

    yield read, []
    session.detach()


if __name__ == "__main__":
    sys.exit(main())
