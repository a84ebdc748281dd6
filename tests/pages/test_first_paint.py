"""What a browser has of a page before the page is whole."""

import gzip
import zlib

import pytest
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed

HTML = {"Accept": "text/html", "Accept-Encoding": "gzip"}
LISTS = ("/projects", "/runs", "/drafts", "/datasets", "/models", "/cluster", "/settings", "/runs/new")


@pytest.mark.parametrize("path", LISTS)
def test_the_head_comes_in_a_piece_of_its_own(server: Server, path: str):
    with server.http.stream("GET", path, headers=HTML) as answer:
        pieces = list(answer.iter_raw())
    head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(pieces[0]).decode()
    assert "</header>" in head
    assert "<h1" not in head
    whole = gzip.decompress(b"".join(pieces)).decode()
    assert whole.startswith(head)
    assert whole.rstrip().endswith("</html>")
    assert server.http.get(path, headers={"Accept-Encoding": "identity"}).text == whole


def test_modules_are_named_before_they_are_imported(page: Page, server: Server):
    page.goto("/runs")
    expect(page.locator("#live")).to_have_text("live")
    links = "[...document.querySelectorAll('link[rel=modulepreload]')]"
    preloaded = page.evaluate(f"{links}.map(one => one.href)")
    started = "performance.getEntriesByType('resource').filter(one => one.initiatorType === 'script')"
    fetched = page.evaluate(f"{started}.map(one => one.name)")
    late = [one for one in fetched if one.endswith(".js") and one not in preloaded]
    assert [one for one in late if not one.endswith("feed_worker.js")] == []
    assert {one.rpartition("/")[2] for one in preloaded} >= {"runs.js", "live.js", "feed.js", "api.js"}


def test_what_fails_behind_the_head_is_said_in_the_page(page: Page, server: Server):
    seed.dataset(server, "shapes")
    with server.client.pipeline() as redis:
        keys = [key for key in server.client.scan_iter("*") if server.client.type(key) == "zset"]
        moved = {key: server.client.dump(key) for key in keys}
        for key in keys:
            redis.delete(key)
            redis.set(key, "no list")
        redis.execute()
    try:
        page.goto("/datasets")
        expect(page.get_by_role("heading", level=1)).to_have_text("This page cannot be shown")
        expect(page.get_by_role("alert")).to_contain_text("Redis did not do what was asked")
        expect(page.get_by_role("link", name="Data sets", exact=True)).to_be_visible()
    finally:
        for key, content in moved.items():
            server.client.restore(key, 0, content, replace=True)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data sets")
