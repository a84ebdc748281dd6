"""The cluster's Redis, which can be killed and brought back with its data."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.redis import free_port, server_command
from tests.waits import wait_for
from trainyard.errors import StoreUnavailable
from trainyard.store.connection import connect, ping

MODES = ("always", "everysec")
"""What `appendfsync` may be."""


class RedisServer:
    """A real server on a port of its own; `addresses` are those it listens on besides loopback."""

    def __init__(self, folder: Path, environment: Mapping[str, str], addresses: tuple[str, ...] = ()) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.mode = MODES[0]
        self._folder = folder
        self._environment = environment
        self._addresses = addresses
        folder.mkdir()

    def start(self) -> None:
        """Start it on its data, with the `appendfsync` it had; returns when it answers."""
        listen = ["--bind", "127.0.0.1", *self._addresses, "--protected-mode", "no"]
        self._process = subprocess.Popen(
            [*server_command(self.port, self._folder), *listen, "--appendfsync", self.mode],
            env=self._environment, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        wait_for(self.answers)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            ping(connect(self.url))
        except StoreUnavailable:
            return False
        return True

    def use(self, mode: str) -> None:
        """Change `appendfsync` of the running server."""
        connect(self.url).config_set("appendfsync", mode)
        self.mode = mode

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Delete its data; only while it is down."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()

    def close_subscriptions(self) -> None:
        """Close every client's pub/sub connection, and nothing else."""
        connect(self.url).client_kill_filter(_type="pubsub")
