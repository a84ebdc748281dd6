"""A second host for one worker: a network namespace joined to this one by a cable that can be cut."""

import os
import shutil
import subprocess


def missing() -> str | None:
    """Why there can be no second host, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip") or not shutil.which("nsenter"):
        return "network namespaces need the commands ip and nsenter"
    name = f"chaos-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespace can be made: {made.stderr.strip()}"
    _ip("netns", "del", name)
    return None


class SecondHost:
    """The namespace and its cable; `prefix` makes a command run there, `here` is this end's address."""

    def __init__(self) -> None:
        subnet = f"10.213.{os.getpid() % 256}"
        self.here, self._there = f"{subnet}.1", f"{subnet}.2"
        self._name = f"chaos-{os.getpid()}"
        self._near, self._far = f"chn{os.getpid()}", f"chf{os.getpid()}"
        self.prefix = ("nsenter", f"--net=/run/netns/{self._name}")
        _ip("netns", "add", self._name)
        try:
            self._lay_cable()
        except subprocess.CalledProcessError:
            self.remove()
            raise

    def _lay_cable(self) -> None:
        _ip("link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self._name)
        _ip("addr", "add", f"{self.here}/30", "dev", self._near)
        _ip("link", "set", self._near, "up")
        _ip("-n", self._name, "addr", "add", f"{self._there}/30", "dev", self._far)
        _ip("-n", self._name, "link", "set", self._far, "up")
        _ip("-n", self._name, "link", "set", "lo", "up")

    def cut(self) -> None:
        """Nothing passes any more, and neither side is told."""
        _ip("link", "set", self._near, "down")

    def join(self) -> None:
        """Everything passes again."""
        _ip("link", "set", self._near, "up")

    def remove(self) -> None:
        """Take the cable and the namespace away."""
        subprocess.run(["ip", "link", "del", self._near], capture_output=True, check=False)
        _ip("netns", "del", self._name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
