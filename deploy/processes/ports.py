"""The ports of a stack on one machine: each stated, and refused in one line where another program has it."""

import errno
import os
import socket
from collections.abc import Mapping

from trainyard.errors import SettingsError
from trainyard.settings import Settings

FLOWER_VARIABLE = "TRAINYARD_FLOWER_PORT"
REDIS_VARIABLE = "TRAINYARD_REDIS_PORT"


def flower_port(settings: Settings) -> int:
    """Where Flower serves: the port after the API's unless it is set. Raises SettingsError."""
    return _stated(FLOWER_VARIABLE, settings.port + 1)


def redis_port(settings: Settings) -> int:
    """Where the stack's own Redis listens: API's port + 2 unless set. Raises SettingsError."""
    return _stated(REDIS_VARIABLE, settings.port + 2)


def refuse_equal(ports: Mapping[str, int]) -> None:
    """Raise SettingsError where two processes of the stack would have one port; `ports` are by variable."""
    by_port: dict[int, str] = {}
    for variable, port in ports.items():
        other = by_port.setdefault(port, variable)
        if port and other != variable:
            raise SettingsError(
                f"Port {port} is that of {other} and of {variable}.",
                remedy=f"Set {variable} to another port.",
            )


def refuse_taken(host: str, port: int, what: str, variable: str) -> None:
    """Raise SettingsError where another program listens there already.

    Each process would find out by itself, but only to be started again and again.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # connections of the last start may linger
        try:
            probe.bind((host, port))
        except OSError as error:  # of other kinds the process itself knows more to say
            if error.errno == errno.EADDRINUSE:
                raise SettingsError(
                    f"Port {port}, for {what}, is in use by another program.",
                    remedy=f"Stop that program, or set {variable} to another port.",
                ) from error


def _stated(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise SettingsError(f"{variable} must be a whole number from 1 to 65535, not {text!r}.")
    return int(text)
