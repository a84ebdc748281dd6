"""Which addresses a webhook may be sent to: those of the Internet, and what the operator allows besides."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import TypeAlias

from trainyard.errors import InvalidRequest

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""Addresses of a gateway that passes on to the IPv4 address in their last 32 bits."""


class AddressRefused(InvalidRequest):
    """Webhooks are not sent to addresses of this machine or of private networks."""

    remedy = (
        "Give an address of the Internet, or let the operator name its network in TRAINYARD_WEBHOOK_NETWORKS."
    )


def resolved(host: str, port: int, allowed: Sequence[Network]) -> str:
    """The address of the host that is to be connected to.

    Raises AddressRefused where any of its addresses may not be, and OSError where it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_, place in found]
    for address in addresses:
        check_address(address, allowed)
    return addresses[0]


def check_address(text: str, allowed: Sequence[Network]) -> None:
    """Raise AddressRefused for an address that nothing is sent to."""
    address = ipaddress.ip_address(text.partition("%")[0])
    reached = _reached(address)
    is_allowed = any(one in network for one in (address, reached) for network in allowed)
    if not is_allowed and not (_is_public(address) and _is_public(reached)):
        raise AddressRefused(f"Webhooks are not sent to {text}.", errors={"url": ["no such address"]})


def is_address(host: str) -> bool:
    """Whether a host is given as an address."""
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _is_public(address: Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or address.is_unspecified
    return (address.is_global and not is_special) or _leads_on(address) is not None


def _reached(address: Address) -> Address:
    """The address that is reached by it, which may be written within another one."""
    return _leads_on(address) or address


def _leads_on(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
