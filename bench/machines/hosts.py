"""Hosts on one machine: network namespaces with names and addresses of their own, joined by a bridge.

Where the system permits none (they take root), processes run side by side on the machine itself.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

NETWORK = "10.198.{}.{}"
BRIDGE = "tybench"


@contextmanager
def hosts(count: int) -> Iterator[Sequence["Host"]]:
    """So many of them, up to 200, for the block; their commands reach this machine at `Host.gateway`."""
    if not _are_permitted():
        yield [Host("", "127.0.0.1")] * count
        return
    gateway = NETWORK.format(0, 1)
    _run("link", "add", BRIDGE, "type", "bridge")
    try:
        _run("addr", "add", f"{gateway}/16", "dev", BRIDGE)
        _run("link", "set", BRIDGE, "up")
        yield [_made(number, gateway) for number in range(count)]
    finally:
        for number in range(count):
            with suppress(subprocess.CalledProcessError):
                _run("netns", "del", _name(number))
        _run("link", "del", BRIDGE)


class Host:
    """A host; `name` is empty for this machine itself."""

    def __init__(self, name: str, gateway: str) -> None:
        self.name = name
        self.gateway = gateway

    def command(self, *words: str) -> list[str]:
        """The command line that runs these words there."""
        if not self.name:
            return [*words]
        named = f'hostname {self.name}; exec "$@"'
        return ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", named, "sh", *words]


def _are_permitted() -> bool:
    if os.geteuid() or not shutil.which("ip"):
        return False
    probe = f"{BRIDGE}-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return False
    _run("netns", "del", probe)
    return True


def _made(number: int, gateway: str) -> Host:
    name, link = _name(number), f"ty{number}"
    _run("netns", "add", name)
    _run("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
    _run("link", "set", link, "master", BRIDGE, "up")
    inside = ("-n", name)
    _run(*inside, "addr", "add", f"{NETWORK.format(1, number + 2)}/16", "dev", "eth0")
    for device in ("lo", "eth0"):
        _run(*inside, "link", "set", device, "up")
    return Host(name, gateway)


def _name(number: int) -> str:
    return f"tyhost{number}"


def _run(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
