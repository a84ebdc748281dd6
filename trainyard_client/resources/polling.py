"""Asking again and again until something is so, also over a server that goes away and comes back."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from trainyard_client.errors import GatewayTrouble, ServerBusy, ServerUnreachable
from trainyard_client.transport import Transport


class _Standing(Protocol):
    """What is asked about."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str: ...


T = TypeVar("T", bound=_Standing)
PATIENCE_S = 120.0
"""How long a server may be away while it is asked again and again: what it does goes on meanwhile."""


def until(
    transport: Transport,
    ask: Callable[[], T],
    is_so: Callable[[T], bool],
    *,
    poll_s: float,
    seconds: float | None,
) -> T:
    """The first answer of which it is so; raises TimeoutError after `seconds`, and what asking raises."""
    began = time.monotonic()
    while True:
        found = _answered(transport, ask, poll_s)
        if is_so(found):
            return found
        if seconds is not None and time.monotonic() - began > seconds:
            raise TimeoutError(f"{found.id} is {found.status} after {seconds:.0f} s")
        transport.pause(poll_s)


def _answered(transport: Transport, ask: Callable[[], T], poll_s: float) -> T:
    away_since = time.monotonic()
    while True:
        try:
            return ask()
        except (ServerUnreachable, ServerBusy, GatewayTrouble):
            if time.monotonic() - away_since > PATIENCE_S:
                raise
            transport.pause(poll_s)
