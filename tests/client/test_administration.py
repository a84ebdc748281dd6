"""Keys and pruning by the command: what it sends."""

import json
from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest
from click.testing import CliRunner

from trainyard_client.client import Client
from trainyard_client.command.boards import board
from trainyard_client.command.server.administration import admin, key
from trainyard_client.command.terminal.session import Session
from trainyard_client.transport import Transport


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, object]]]:
    """What the command sends; it is answered as the API describes it."""
    requests: list[tuple[str, str, object]] = []
    made = {"id": "key-1", "name": "anna", "role": "trainer", "projects": [], "key": "secret"}
    old = {"id": "run-1", "name": "r", "project": "p", "status": "failed", "ended_at": None, "bytes": 5000}
    board = {"id": "board-1", "runs": ["run-1", "run-2"], "status": "starting", "url": "/boards/board-1/"}
    answers = {
        "/api/v1/keys": made,
        "/api/v1/boards": board,
        "/api/v1/admin/reindex": {"counts": {"same": 3, "restored": 1}, "problems": ["run x is left alone"]},
        "/api/v1/admin/prune": {
            "dry_run": True,
            "bytes": 5000,
            "more": True,
            "items": [{**old, "error": None}],
        },
    }

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        requests.append((request.method, request.url.path, body))
        return httpx.Response(200, json=answers.get(request.url.path, {}))

    transport = Transport("http://server", handler=httpx.MockTransport(answer))
    monkeypatch.setattr(Session, "client", Client(transport=transport))
    return requests


def test_a_key_is_shown_once_and_alone_for_scripts(sent: list[tuple[str, str, object]]):
    words = ["create", "anna", "--project", "lab", "--expires", "2030-01-01", "-q"]
    assert CliRunner().invoke(key, words).stdout == "secret\n"
    ((method, path, body),) = sent
    ends = datetime.fromisoformat(body.pop("expires_at"))
    assert ends == datetime(2030, 1, 1).astimezone()
    assert (method, path, body) == (
        "POST", "/api/v1/keys", {"name": "anna", "role": "trainer", "projects": ["lab"]},
    )  # fmt: skip


@pytest.mark.parametrize(("words", "is_dry"), [([], True), (["--delete"], False)])
def test_nothing_is_pruned_unless_it_is_asked_for(
    words: list[str], is_dry: bool, sent: list[tuple[str, str, object]]
):
    done = CliRunner().invoke(admin, ["prune", "--older-than", "30", "--keep-tag", "keep", *words])
    assert done.exit_code == 0
    assert "5.0 kB" in done.output
    assert sent == [
        ("POST", "/api/v1/admin/prune", {"older_than_days": 30.0, "dry_run": is_dry, "keep_tags": ["keep"]})
    ]


def test_a_board_is_opened_in_the_browser(
    sent: list[tuple[str, str, object]], monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    done = CliRunner().invoke(board, ["open", "run-1", "run-2"], env={"TRAINYARD_URL": "http://server"})
    assert (done.exit_code, done.stdout) == (0, "http://server/boards/board-1/\n")
    assert opened == ["http://server/boards/board-1/"]
    assert sent == [("POST", "/api/v1/boards", {"runs": ["run-1", "run-2"]})]
    assert CliRunner().invoke(board, ["open", "--no-browser", "run-1"]).exit_code == 0
    assert len(opened) == 1
    assert CliRunner().invoke(board, ["close", "board-1"]).exit_code == 0
    assert sent[-1][:2] == ("DELETE", "/api/v1/boards/board-1")


def test_a_comparison_with_storage_tells_what_it_did_and_what_it_could_not(
    sent: list[tuple[str, str, object]],
):
    result = CliRunner().invoke(admin, ["reindex"], standalone_mode=False)
    assert (result.return_value, result.stdout) == (1, "1 restored, 3 same\n")
    assert "run x is left alone" in result.stderr
    assert sent == [("POST", "/api/v1/admin/reindex", None)]
