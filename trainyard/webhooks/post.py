"""One POST to an address that was checked: resolved once, no redirect followed, no proxy asked, and not for
ever."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from urllib.parse import SplitResult, urlsplit

from trainyard.errors import InvalidRequest
from trainyard.webhooks.addresses import Network, check_host, is_address, is_name, resolved

CONNECT_S = 5.0
TOTAL_S = 15.0
"""A receiver answers by then, or has not answered."""
URL_LENGTH = 2000
_PORTS = {"http": 80, "https": 443}


class NotSent(Exception):
    """Nothing was answered; `str` says why."""


def check_url(url: str, allowed: Sequence[Network]) -> None:
    """Raise InvalidRequest for what no webhook is sent to, as far as that is seen without asking anybody."""
    said = "an address such as https://example.org/hook, without user, password and fragment"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    host = parts.hostname or ""
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= URL_LENGTH
    is_known = is_plain and parts.scheme in _PORTS and (is_name(host) or is_address(host)) and port != 0
    if not is_known or parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidRequest("No webhook can be sent there.", errors={"url": [said]})
    check_host(host, allowed)


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network]) -> int:
    """The status of the answer; raises NotSent, and AddressRefused for a host that nothing is sent to."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        address = resolved(host, port, allowed)
        with closing(_connection(parts.scheme, host, port, address)) as connection:
            return _answered(connection, parts, body, headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotSent(f"{type(error).__name__}: {error}"[:300]) from error


def _answered(
    connection: http.client.HTTPConnection, parts: SplitResult, body: bytes, headers: Mapping[str, str]
) -> int:
    connection.connect()
    limit = threading.Timer(TOTAL_S, _cut, [connection.sock])
    limit.start()
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", target, body, {**headers, "Connection": "close"})
        return connection.getresponse().status
    finally:
        limit.cancel()


def _cut(sock: socket.socket) -> None:
    """End a connection whose receiver takes its time byte by byte."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _Plain(http.client.HTTPConnection):
    """Connects to the address that was checked, whatever the name leads to by now."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=CONNECT_S)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        self.sock.settimeout(TOTAL_S)


class _Secure(_Plain):
    """The same over TLS, for the certificate of the host's name."""

    default_port = 443

    def connect(self) -> None:
        super().connect()
        self.sock = _tls().wrap_socket(self.sock, server_hostname=self.host)


def _connection(scheme: str, host: str, port: int, address: str) -> http.client.HTTPConnection:
    return (_Secure if scheme == "https" else _Plain)(host, port, address)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
