"""A worker's place for boards: starts those that are wanted, ends those at which nobody looks any more."""

import logging
import threading
import time
from dataclasses import replace

from trainyard.errors import StoreUnavailable
from trainyard.library.board import MOST_BOARDS, Board, BoardStatus
from trainyard.storage.files import Storage
from trainyard.store.resources.board_store import BoardStore
from workers.boards.process import START_S, BoardProcess

logger = logging.getLogger(__name__)

LOOK_S = 1.0


class BoardServer:
    """Runs boards until the worker drains."""

    def __init__(
        self, boards: BoardStore, storage: Storage, worker_id: str, host: str, draining: threading.Event
    ) -> None:
        self._boards = boards
        self._storage = storage
        self._worker_id = worker_id
        self._host = host
        self._draining = draining
        self._running: dict[str, BoardProcess] = {}
        self._begun: dict[str, float] = {}
        self._thread = threading.Thread(target=self._work, name="boards", daemon=True)

    def start(self) -> None:
        """Run boards from now on."""
        self._thread.start()

    def join(self) -> None:
        """Wait until all have ended; only once the worker drains."""
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        try:
            while not self._draining.wait(LOOK_S):
                self._look_guarded()
        finally:
            for board_id in list(self._running):
                self._end(board_id)

    def _look_guarded(self) -> None:
        """As `look`: nothing that it runs into ends the thread."""
        try:
            self.look()
        except StoreUnavailable:  # housekeeping tells of it; boards stay meanwhile
            pass
        except Exception:
            logger.exception("Boards: failed, and goes on")

    def look(self) -> None:
        """Bring what runs in line with what is wanted. Raises StoreUnavailable."""
        self._boards.announce(self._worker_id)
        wanted = {board.id: board for board in self._boards.all()}
        for board in wanted.values():
            if not self._boards.is_looked_at(board.id):
                logger.info("The board %s is ended: nobody has looked at it for a while.", board.id)
                self._boards.remove(board.id)
                self._end(board.id)
            elif board.status != BoardStatus.FAILED and self._boards.hold(board.id, self._worker_id):
                self._keep(board)
        for board_id in self._running.keys() - wanted.keys():
            self._end(board_id)

    def _keep(self, board: Board) -> None:
        process = self._running.get(board.id)
        if process is None:
            if len(self._running) < MOST_BOARDS:
                self._begin(board)
            return
        problem = process.problem()
        if problem is None and board.status == BoardStatus.STARTING:
            if process.answers():
                self._boards.change(replace(board, status=BoardStatus.READY, address=process.address))
                return
            late = time.monotonic() - self._begun[board.id] > START_S
            problem = f"TensorBoard did not answer within {START_S:.0f} s." if late else None
        if problem is not None:
            logger.error("The board %s failed: %s", board.id, problem)
            self._boards.change(replace(board, status=BoardStatus.FAILED, address=None, problem=problem))
            self._end(board.id)

    def _begin(self, board: Board) -> None:
        """Start its process; one that another worker ran before starts anew."""
        self._boards.change(replace(board, status=BoardStatus.STARTING, address=None))
        self._begun[board.id] = time.monotonic()
        self._running[board.id] = BoardProcess(board, self._storage, self._host)

    def _end(self, board_id: str) -> None:
        self._begun.pop(board_id, None)
        if process := self._running.pop(board_id, None):
            process.end()
