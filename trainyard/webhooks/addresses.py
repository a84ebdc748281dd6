"""Which addresses a webhook may be sent to: those of the Internet, and what the operator allows besides."""

import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import TypeAlias

from trainyard.errors import InvalidRequest

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
        ),
    )
)  # fmt: skip
"""IANA's registries of special-purpose addresses, with multicast; of IPv6 those within _UNICAST."""
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA has of IPv6 for the Internet; what is written within another address is looked at as that."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of a gateway that passes on to the IPv4 address in their last 32 bits."""
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_NAME_LENGTH = 253
_LOOPBACK = ("127.0.0.1", "::1")
_PRIVATE_ENDS = ("local", "internal", "home.arpa")


class AddressRefused(InvalidRequest):
    """Webhooks are not sent to addresses of this machine or of private networks."""

    remedy = (
        "Give an address of the Internet, or let the operator name its network in TRAINYARD_WEBHOOK_NETWORKS."
    )


def resolved(host: str, port: int, allowed: Sequence[Network]) -> str:
    """The address of the host that is to be connected to.

    Raises AddressRefused where any of its addresses may not be, and OSError where it has none.
    """
    check_host(host, allowed)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_, place in found]
    for address in addresses:
        check_address(address, allowed)
    return addresses[0]


def check_host(host: str, allowed: Sequence[Network]) -> None:
    """Raise AddressRefused for a host that leads to no address of the Internet, as far as it tells itself; a
    name of a private network may be one where any network is allowed."""
    if is_address(host):
        check_address(host, allowed)
    elif _NUMBER.match(host.removesuffix(".").rpartition(".")[2]):
        raise _refused(host, "four decimal numbers, as 93.184.216.34: other forms are read in different ways")
    elif _ends_with(host, "localhost"):
        if not any(ipaddress.ip_address(one) in network for one in _LOOPBACK for network in allowed):
            raise _refused(host, "no such address")
    elif not allowed and ("." not in host or any(_ends_with(host, end) for end in _PRIVATE_ENDS)):
        raise _refused(host, "no such address")


def check_address(text: str, allowed: Sequence[Network]) -> None:
    """Raise AddressRefused for an address that nothing is sent to."""
    address = ipaddress.ip_address(text.partition("%")[0])
    reached = _reached(address)
    is_allowed = any(one in network for one in (address, reached) for network in allowed)
    if not is_allowed and not _is_public(reached):
        raise _refused(text, "no such address")


def is_address(host: str) -> bool:
    """Whether a host is given as an address."""
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def is_name(host: str) -> bool:
    """Whether a host may be a name, in lower case and without a dot behind."""
    return len(host) <= _NAME_LENGTH and all(map(_LABEL.match, host.split(".")))


def _refused(host: str, accepted: str) -> AddressRefused:
    return AddressRefused(f"Webhooks are not sent to {host}.", errors={"url": [accepted]})


def _ends_with(host: str, end: str) -> bool:
    return host == end or host.endswith(f".{end}")


def _is_public(address: Address) -> bool:
    is_unicast = isinstance(address, ipaddress.IPv4Address) or address in _UNICAST
    return is_unicast and not any(address in network for network in _SPECIAL)


def _reached(address: Address) -> Address:
    """The IPv4 address that is reached by it where it is written within another one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
