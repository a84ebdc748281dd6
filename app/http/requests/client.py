"""Whether the client of a request is still there, which a server else notices by writing to it only."""

import select
from typing import Any

from flask import Request

from app.service.requests.slots import IsGone, never

_SOCKET = "gunicorn.socket"


def departure(request: Request) -> IsGone:
    """Tells at any time after whether the client has hung up; never, where the server does not tell."""
    sock = request.environ.get(_SOCKET)
    return never if sock is None else lambda: _has_hung_up(sock)


def _has_hung_up(sock: Any) -> bool:
    descriptor = sock.fileno()
    if descriptor < 0:
        return True
    poller = select.poll()
    poller.register(descriptor, select.POLLRDHUP)
    return bool(poller.poll(0))
