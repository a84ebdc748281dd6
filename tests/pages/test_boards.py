"""TensorBoard over runs, from a run's page, within the guard of the server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from lightning.pytorch.loggers import TensorBoardLogger
from playwright.sync_api import Page, expect

from tests.api.server import Server
from tests.pages import seed
from tests.waits import scaled, wait_for
from trainyard.store.resources.board_store import BoardStore
from workers.boards import process as board_process
from workers.boards.server import BoardServer

BOARDS = "/api/v1/boards"


@pytest.fixture
def holder(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[BoardStore]:
    """A worker's place for boards, looking once more for nobody at the end."""
    monkeypatch.setattr(board_process, "START_S", scaled(60))
    store, draining = BoardStore(server.client), threading.Event()
    running = BoardServer(store, server.storage, "hand", "127.0.0.1", draining)
    running.start()
    wait_for(store.has_holder, seconds=20)
    yield store
    draining.set()
    running.join()
    assert children_of_boards() == []


def children_of_boards() -> list[psutil.Process]:
    """Processes that this one has started for boards."""
    living = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in living if "workers.boards.child" in _command(one)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it ends at this moment
        return []


def trained(server: Server, name: str = "shapes") -> str:
    """A run with events of a few epochs."""
    run_id = seed.run(server, seed.dataset(server, name), name=name)
    seed.train(server, seed.begin(server), 3)
    folder = server.storage.run(run_id)
    logger = TensorBoardLogger(folder.path, name=folder.tensorboard.name, version="")
    for epoch in range(3):
        logger.log_metrics({"val_miou": epoch / 4}, epoch)
    logger.finalize("success")
    return run_id


def opened(server: Server, *run_ids: str) -> dict[str, str]:
    answer = server.http.post(BOARDS, json={"runs": list(run_ids)})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_a_board_is_opened_from_a_runs_page(page: Page, server: Server, holder: BoardStore):
    run_id = trained(server)
    page.goto(f"/runs/{run_id}")
    page.get_by_role("button", name="TensorBoard").click()
    expect(page).to_have_title("TensorBoard", timeout=scaled(60) * 1000)
    expect(page.get_by_text("val_miou").first).to_be_visible(timeout=scaled(40) * 1000)
    expect(page.get_by_text(run_id).first).to_be_visible()
    [board] = server.http.get(BOARDS).json()["items"]
    assert (board["status"], board["runs"]) == ("ready", [run_id])
    environment = server.http.get(f"{board['url']}data/environment").text
    assert str(Path(server.storage.run(run_id).path).parent) not in environment
    assert server.http.delete(f"{BOARDS}/{board['id']}").status_code == 204
    wait_for(lambda: children_of_boards() == [], seconds=20)
    assert server.http.get(board["url"]).status_code == 404


def test_the_same_runs_have_one_board_and_there_are_four_at_most(server: Server, holder: BoardStore):
    ids = [trained(server, f"run {number}") for number in range(3)]
    first = opened(server, ids[0])
    assert opened(server, ids[0])["id"] == first["id"]
    others = [opened(server, *some) for some in ((ids[1],), (ids[2],), (ids[0], ids[1]))]
    assert opened(server, ids[1], ids[0])["id"] == others[2]["id"]
    refused = server.http.post(BOARDS, json={"runs": ids})
    assert refused.status_code == 409
    assert refused.json()["code"] == "too_many_boards"
    for board in (first, *others):
        server.http.delete(f"{BOARDS}/{board['id']}")
    wait_for(lambda: children_of_boards() == [], seconds=20)


def test_a_board_at_which_nobody_looks_ends(server: Server, holder: BoardStore):
    board = opened(server, trained(server))
    wait_for(lambda: holder.get(board["id"]).status == "ready", seconds=60)  # type: ignore[union-attr]
    BoardStore(server.client, idle_s=1).look(board["id"])
    wait_for(lambda: holder.get(board["id"]) is None, seconds=20)
    wait_for(lambda: children_of_boards() == [], seconds=20)


def test_a_killed_board_says_so(server: Server, holder: BoardStore):
    board = opened(server, trained(server))
    wait_for(lambda: holder.get(board["id"]).status == "ready", seconds=60)  # type: ignore[union-attr]
    for one in children_of_boards():
        one.kill()
    wait_for(lambda: holder.get(board["id"]).status == "failed", seconds=20)  # type: ignore[union-attr]
    page = server.http.get(board["url"])
    assert "could not be started" in page.text
    assert "status -9" in page.text


def test_without_a_worker_there_are_no_boards(server: Server):
    run_id = trained(server)
    server.client.delete("ty:boards:holder")
    refused = server.http.post(BOARDS, json={"runs": [run_id]})
    assert refused.status_code == 409
    assert "ingest" in refused.json()["remedy"]
    assert server.http.post(BOARDS, json={"runs": ["run-000000000000"]}).status_code == 404
    assert server.http.post(BOARDS, json={"runs": []}).status_code == 422


def test_pages_of_other_origins_ask_a_board_nothing(server: Server, holder: BoardStore):
    board = opened(server, trained(server))
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    with httpx.Client(base_url=server.http.base_url) as other:
        answer = other.post(f"{board['url']}data/plugin/timeseries/timeSeries", headers=foreign)
    assert answer.status_code == 403
    server.http.delete(f"{BOARDS}/{board['id']}")
