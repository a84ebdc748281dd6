"""An answer without end, whose connection is handed on: the thread that answers is free again."""

from collections.abc import Callable
from typing import Any

from flask import Response

SOCKET = "gunicorn.socket"


class HandedOver(Response):
    """Sends its head, and hands the server's socket to `go_on`, which takes the connection as its own."""

    def __init__(self, go_on: Callable[[Any], None], **options: Any) -> None:
        super().__init__(**options)
        self._go_on = go_on

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Tells gunicorn at last that the connection is used up."""
        sock = environ[SOCKET]
        try:
            if self.status_code != 101:  # whose head is the protocol's own
                headers = self.get_wsgi_headers(environ)
                headers.remove("Content-Length")  # nobody knows how long it will be
                lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers)]
                sock.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
            self._go_on(sock)
        except OSError:  # it has left, or takes nothing
            pass
        finally:
            self.close()
        raise StopIteration
