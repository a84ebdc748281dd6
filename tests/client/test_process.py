"""The command as a process: interrupted, cut off, without a terminal, and on a narrow one."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.api.conftest import archive
from tests.api.server import Server
from tests.waits import scaled, wait_for
from trainyard.registry.event_log import keep
from trainyard.runs.events import EpochEnd
from trainyard.runs.record import Run
from trainyard.settings import REPOSITORY
from trainyard_client.command.main import trainyard

COLUMNS = 80
ROW = {"epoch": 1, "step": 5, "train_loss": 1.0, "val_loss": 0.9, "val_miou": 0.4, "images_per_second": 9.0}
LONG = "a name that is as long as names may be " * 2 + "and a little"
_CONTROL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def server(redis_url: str, tmp_path: Path) -> Iterator[Server]:
    running = Server(redis_url, tmp_path)
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture
def held(server: Server) -> Run:
    """A run that this process trains."""
    answer = server.http.post("/api/v1/datasets", data={"name": "set"}, files={"file": ("s.zip", archive())})
    assert answer.status_code == 202, answer.text
    body = {"dataset_id": server.ready_set(), "name": LONG[:100], "spec": {"epochs": 1}}
    assert server.http.post("/api/v1/runs", json=body).status_code == 201
    found = server.runs.claim("cpu", "hand")
    assert found
    return found


def heeding_ctrl_c() -> None:
    """As a command at a prompt does; what a shell runs in the background is born deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Called:
    """The command as a process; `terminal` makes its output one of 80 columns."""

    def __init__(self, server: Server, *words: str, terminal: bool = False) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "TRAINYARD_URL": str(server.http.base_url),
        }
        environment.pop("COLUMNS", None)
        self._screen, theirs = pty.openpty() if terminal else (None, subprocess.PIPE)
        if terminal:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
            environment["TERM"] = "xterm"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainyard_client", *words],
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment, cwd=server.log.parent,
            preexec_fn=heeding_ctrl_c,
        )  # fmt: skip
        if terminal:
            os.close(theirs)

    def ended(self) -> tuple[int, str, str]:
        """Its status, what it printed, and its notes; on a terminal all of it is in the first."""
        if self._screen is None:
            said, notes = self.process.communicate(timeout=scaled(60))
            return self.process.returncode, said.decode(), notes.decode()
        content = b""
        while piece := _read(self._screen):
            content += piece
        os.close(self._screen)
        return self.process.wait(scaled(60)), _CONTROL.sub(b"", content).decode(), ""

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how the end of a terminal is told
        return b""


def epoch(server: Server, held: Run) -> None:
    event = EpochEnd(epoch=1, step=5, metrics=ROW)
    keep(server.storage.run(held.id), server.runs.stream(held, event), event)


def test_ctrl_c_leaves_a_watched_run_going(server: Server, held: Run):
    called = Called(server, "run", "watch", held.id, "--json")
    assert '"status"' in called.line(), "it follows"
    called.process.send_signal(signal.SIGINT)
    status, _, notes = called.ended()
    assert status == 130
    assert f"trainyard run watch {held.id}" in notes
    assert "Traceback" not in notes
    assert server.runs.get(held.id).status == "running"


def test_a_reader_that_leaves_is_no_error(server: Server, held: Run):
    called = Called(server, "run", "ls", "--json")
    assert called.process.stdout is not None
    called.process.stdout.close()
    assert called.process.stderr is not None
    assert called.process.stderr.read() == b""
    assert called.process.wait(scaled(60)) == 0


def test_without_a_terminal_there_are_lines_and_no_control_characters(server: Server, held: Run):
    called = Called(server, "run", "watch", held.id)
    epoch(server, held)
    server.runs.publish_status(server.runs.finish(held, "completed"))
    status, said, notes = called.ended()
    assert status == 0, notes
    assert "epoch   1  train loss 1.0000  val loss 0.9000  val mIoU 0.4000" in said
    assert said.splitlines()[-1].startswith(f"{held.id} is completed")
    assert "\x1b" not in said + notes


@pytest.mark.parametrize("words", [("run", "ls"), ("dataset", "ls"), ("queue", "ls"), ("project", "ls")])
def test_tables_fit_a_terminal_of_eighty_columns(server: Server, held: Run, words: tuple[str, ...]):
    status, said, _ = Called(server, *words, terminal=True).ended()
    assert status == 0, said
    assert "─" * 20 in said
    assert all(len(line) <= COLUMNS for line in said.splitlines()), said


def test_a_watched_run_goes_on_when_the_server_comes_back(server: Server, held: Run):
    called = Called(server, "run", "watch", held.id, "--json")
    assert '"status"' in called.line()
    server.kill()
    epoch(server, held)
    server.start()
    assert '"epoch"' in called.line(), "what has happened meanwhile is told"
    server.runs.publish_status(server.runs.finish(held, "stopped"))
    status, said, notes = called.ended()
    assert status == 8, notes
    assert '"stopped"' in said


def test_a_run_that_is_waited_for_is_so_over_a_server_that_goes_away(server: Server, held: Run):
    called = Called(server, "run", "wait", held.id)
    wait_for(lambda: "GET /api" in server.log.read_text() or called.process.poll() is not None, bool)
    server.kill()
    server.start()
    server.runs.publish_status(server.runs.finish(held, "completed"))
    status, said, notes = called.ended()
    assert (status, notes) == (0, ""), said


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        yield (*path, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))


def test_every_help_fits_eighty_columns_and_tells_all():
    for words in [(), *commands(trainyard)]:
        told = CliRunner().invoke(trainyard, [*words, "--help"], terminal_width=COLUMNS)
        assert told.exit_code == 0
        wide = [line for line in told.output.splitlines() if len(line) > COLUMNS]
        assert not wide, (words, wide)
        described = told.output.partition("\n")[2]
        assert "..." not in described.replace("COMMAND [ARGS]...", ""), (words, "is cut off")
        assert len(told.output.splitlines()) > 3
