"""Boards: the API asks for them and says that they are looked at; a worker starts and ends them.

Nothing of a board outlives Redis: it is asked for again.
"""

import json
from dataclasses import asdict

from trainyard.decoding import decoder
from trainyard.library.board import Board
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

IDLE_S = 900
"""A board at which nobody has looked for so long is ended."""
HELD_S = 15
"""For how long a worker's word counts that it holds a board, or holds any."""

_decode = decoder(Board)


class BoardStore:
    """Methods raise StoreUnavailable."""

    def __init__(self, client: Client, idle_s: int = IDLE_S) -> None:
        self._client = client
        self._idle_s = idle_s

    def put(self, board: Board) -> None:
        """Keep a new or changed board; being asked for is being looked at."""
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.hset(keys.BOARDS, board.id, json.dumps(asdict(board)))
            pipeline.set(keys.board_seen(board.id), "", ex=self._idle_s)
            pipeline.execute()

    def change(self, board: Board) -> bool:
        """Keep what a worker says of a board; False where it is not wanted any more."""
        with store_errors():
            if not self._client.hexists(keys.BOARDS, board.id):
                return False
            self._client.hset(keys.BOARDS, board.id, json.dumps(asdict(board)))
            return True

    def all(self) -> list[Board]:
        """Those that are wanted, the oldest first."""
        with store_errors():
            found = [_decode(json.loads(text)) for text in self._client.hvals(keys.BOARDS)]
        return sorted(found, key=lambda board: (board.created_at, board.id))

    def get(self, board_id: str) -> Board | None:
        """The board; None where there is none."""
        with store_errors():
            text = self._client.hget(keys.BOARDS, board_id)
        return None if text is None else _decode(json.loads(text))

    def remove(self, board_id: str) -> None:
        """Want it no more; whoever holds it ends it."""
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.hdel(keys.BOARDS, board_id)
            pipeline.delete(keys.board_seen(board_id))
            pipeline.execute()

    def look(self, board_id: str) -> None:
        """Somebody looks at it."""
        with store_errors():
            self._client.expire(keys.board_seen(board_id), self._idle_s)

    def is_looked_at(self, board_id: str) -> bool:
        """Whether somebody has, for less than the idle time."""
        with store_errors():
            return bool(self._client.exists(keys.board_seen(board_id)))

    def announce(self, worker_id: str) -> None:
        """A worker would hold boards."""
        with store_errors():
            self._client.set(keys.BOARD_HOLDER, worker_id, ex=HELD_S)

    def has_holder(self) -> bool:
        """Whether some worker would."""
        with store_errors():
            return bool(self._client.exists(keys.BOARD_HOLDER))

    def hold(self, board_id: str, worker_id: str) -> bool:
        """Take a board, or go on holding it; False where another worker does."""
        with store_errors():
            key = keys.board_holder(board_id)
            if self._client.set(key, worker_id, nx=True, ex=HELD_S):
                return True
            if self._client.get(key) != worker_id:
                return False
            self._client.expire(key, HELD_S)
            return True
