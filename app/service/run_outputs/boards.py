"""Boards: TensorBoard over one or several runs, as long as somebody looks at it."""

import time
from collections.abc import Sequence

from trainyard.errors import Conflict, NotFound, TooManyBoards
from trainyard.library.board import MOST_BOARDS, Board, BoardStatus
from trainyard.registry.runs import RunRegistry
from trainyard.storage.ids import check_id, new_board_id
from trainyard.store.processes.locks import Locks
from trainyard.store.resources.board_store import BoardStore

MOST_RUNS = 50
_LOCK_S = 10.0
_LOOKS_S = 5.0
"""So often it is noted that somebody looks: a board's page asks for a hundred files at once."""


class BoardService:
    """Methods raise NotFound for a board or run that there is not."""

    def __init__(self, boards: BoardStore, runs: RunRegistry, locks: Locks) -> None:
        self._boards = boards
        self._runs = runs
        self._locks = locks
        self._noted: dict[str, float] = {}

    def open(self, run_ids: Sequence[str], who: str) -> tuple[bool, Board]:
        """A board of these runs, and whether it is new: one of the same runs is taken again.

        Raises Conflict where no worker would run it, TooManyBoards.
        """
        wanted = tuple(sorted(dict.fromkeys(run_ids)))
        for run_id in wanted:
            self._runs.get(run_id)
        if not self._boards.has_holder():
            raise Conflict(
                "No worker runs boards at present.",
                remedy="Start an ingest worker (`python -m workers ingest`), which runs them, too.",
            )
        with self._locks.held("boards", _LOCK_S):
            found = self._boards.all()
            for board in found:
                if board.run_ids == wanted and board.status != BoardStatus.FAILED:
                    self._boards.look(board.id)
                    return False, board
            if sum(board.status != BoardStatus.FAILED for board in found) >= MOST_BOARDS:
                raise TooManyBoards(errors={"boards": [board.id for board in found]})
            made = Board(id=new_board_id(), run_ids=wanted, created_at=time.time(), created_by=who)
            self._boards.put(made)
        return True, made

    def all(self) -> list[Board]:
        """Those that there are, the oldest first."""
        return self._boards.all()

    def get(self, board_id: str) -> Board:
        """The board."""
        board = self._boards.get(check_id(board_id))
        if board is None:
            raise NotFound(
                f"There is no board {board_id}.",
                remedy="It was closed, or not looked at: open it again.",
            )
        return board

    def looked_at(self, board_id: str) -> Board:
        """The board, which is kept for longer since somebody looks at it."""
        board, now = self.get(board_id), time.monotonic()
        if now - self._noted.get(board_id, float("-inf")) > _LOOKS_S:
            self._noted = {board_id: now, **{id: at for id, at in self._noted.items() if now - at < _LOOKS_S}}
            self._boards.look(board_id)
        return board

    def close(self, board_id: str) -> None:
        """End it."""
        self._boards.remove(self.get(board_id).id)
