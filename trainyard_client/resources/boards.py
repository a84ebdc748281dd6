"""Boards: TensorBoard over some runs, while somebody looks at it."""

from collections.abc import Sequence

from trainyard_client.decoding import decode
from trainyard_client.records import Board
from trainyard_client.transport import Transport

ROOT = "/api/v1/boards"


class Boards:
    """`client.boards`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def open(self, run_ids: Sequence[str]) -> Board:
        """A board of these runs, new or the one that there is; its `url` is below the server's address."""
        body = {"runs": list(run_ids)}
        return decode(Board, self._transport.json("POST", ROOT, json=body, repeatable=True))

    def list(self) -> list[Board]:
        """All of them, the oldest first."""
        return [decode(Board, one) for one in self._transport.json("GET", ROOT)["items"]]

    def get(self, board_id: str) -> Board:
        """The board."""
        return decode(Board, self._transport.json("GET", f"{ROOT}/{board_id}"))

    def close(self, board_id: str) -> None:
        """End it."""
        self._transport.json("DELETE", f"{ROOT}/{board_id}")
