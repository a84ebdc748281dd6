"""Which requests a web page of others may have sent: told by what browsers say and pages cannot change.

A page whose name was pointed at this machine sends its own name as `Host`; a page that sends a request to
another origin is named by `Sec-Fetch-Site` and `Origin`. Programs that are no browsers send neither header.
"""

import ipaddress
import re
from collections.abc import Collection
from typing import Protocol
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?\Z")
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Headers(Protocol):
    """Headers of a request, by names of any case."""

    def get(self, name: str, default: str, /) -> str: ...


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_host_name(text: str) -> bool:
    """Whether it is an address, or a name in lower case, as settings list them: without scheme and port."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_HOST_NAME.match(text))
    return True


def is_own_host(host: str | None, more: Collection[str] = ()) -> bool:
    """Whether a `Host` header names this machine, or one of `more` names; the port is not looked at.

    A request without one is taken: every browser sends it.
    """
    if not host:
        return True
    match = _HOST.match(host.lower())
    if not match:
        return False
    name = match[1].strip("[]").removesuffix(".")
    return is_loopback(name) or name in more


def is_foreign(method: str, headers: Headers) -> bool:
    """Whether a browser sends this for a page of another origin.

    Links to this server may be followed from anywhere; else a read for another page is foreign, too, since
    it cannot be shown there and may hold a stream open.
    """
    site = headers.get("Sec-Fetch-Site", "").lower()
    if method in SAFE_METHODS and headers.get("Sec-Fetch-Mode", "").lower() == "navigate":
        return False
    if site and site not in ("same-origin", "none"):
        return True
    origin = headers.get("Origin", "")
    if not origin:
        return False
    sender = _authority(origin)
    # With the page's scheme: behind a proxy that ends TLS it is not that of the connection.
    return sender is None or sender != _authority(f"{origin.partition('://')[0]}://{headers.get('Host', '')}")


def _authority(url: str) -> tuple[str, int] | None:
    """Host and port; None for `null` and anything else that has none."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname, port) if parts.hostname else None
