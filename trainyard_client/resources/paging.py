"""Lists that the server hands out in pages."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from trainyard_client.decoding import Record, decode
from trainyard_client.transport import Transport

T = TypeVar("T", bound=Record)
PAGE = 100
"""Records that are asked for at a time."""


def every(transport: Transport, path: str, kind: type[T], query: Mapping[str, Any]) -> Iterator[T]:
    """All records of a list, page by page as they are taken; raises TrainyardError."""
    cursor: str | None = None
    while True:
        parameters = {"limit": PAGE, **given(query)} | ({"cursor": cursor} if cursor else {})
        page = transport.json("GET", path, params=parameters)
        for item in page["items"]:
            yield decode(kind, item)
        cursor = page.get("next_cursor")
        if not cursor:
            return


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not None: the server's own default stands for the rest."""
    return {name: value for name, value in values.items() if value is not None}
