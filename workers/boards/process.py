"""A TensorBoard process over the event files of some runs."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from trainyard.library.board import Board
from trainyard.settings import REPOSITORY
from trainyard.storage.files import Storage

RELOAD_S = 5
"""How often it looks for new events."""
START_S = 60.0
"""A process that does not answer by then has failed."""
_ANSWER_S = 2.0
_END_S = 5.0
_LAST_WORDS = 300
"""Characters of what it printed last that tell why it ended."""


class BoardProcess:
    """One process; it dies with the worker.

    It sees a folder of links to its runs' folders, named by their ids, and never a path of storage: it tells
    its log folder to whoever asks.
    """

    def __init__(self, board: Board, storage: Storage, host: str) -> None:
        """`host` is the address of this machine at which the API reaches it. Raises OSError."""
        self.board = board
        self._folder = Path(tempfile.mkdtemp(prefix=f"{board.id}-"))
        self._host, self._port = host, _free_port(host)
        self._log = self._folder / "log"
        links = self._folder / "runs"
        links.mkdir()
        for run_id in board.run_ids:
            (links / run_id).symlink_to(storage.run(run_id).tensorboard)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.boards.child", str(os.getpid()), *self._options()],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                cwd=links,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self._host}:{self._port}"

    def answers(self) -> bool:
        """Whether it can be looked at by now."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_ANSWER_S)
        try:
            connection.request("GET", f"/boards/{self.board.id}/data/plugins_listing")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def problem(self) -> str | None:
        """Why it has ended; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        words = self._log.read_text(errors="replace").strip()[-_LAST_WORDS:]
        return f"TensorBoard ended with the status {status}: {words}"

    def end(self) -> None:
        """End it, with what it started, and remove what it left."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _options(self) -> list[str]:
        return [
            "--logdir=.",
            f"--host={self._host}",
            f"--port={self._port}",
            f"--path_prefix=/boards/{self.board.id}",
            f"--reload_interval={RELOAD_S}",
        ]


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
