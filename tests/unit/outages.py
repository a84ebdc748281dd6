"""A Redis that a test can take away and bring back."""

import signal
import subprocess
from pathlib import Path

from deploy.redis import free_port, server_command
from tests.waits import wait_for
from trainyard.errors import StoreUnavailable
from trainyard.store.connection import connect, ping

REFUSALS = ("full", "read-only")
"""Why a Redis may refuse writes: it has no memory left, or takes itself for a replica."""


def refuse_writes(url: str, why: str) -> None:
    """Let a Redis answer questions and take no writes until `take_writes`, or its next start."""
    client = connect(url)
    if why == "full":
        client.config_set("maxmemory", "1")
    else:
        client.replicaof("127.0.0.1", 1)


def take_writes(url: str) -> None:
    """End `refuse_writes`."""
    client = connect(url)
    client.config_set("maxmemory", "0")
    client.replicaof("NO", "ONE")


class Server:
    """A Redis that a test can take away and bring back, its data kept."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(server_command(self.port, self._folder))
        wait_for(self._answers)

    def _answers(self) -> bool:
        try:
            ping(connect(self.url))
        except StoreUnavailable:
            return False
        return True

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Take connections and answer none of them, as behind a cable that was pulled."""
        self.process.send_signal(signal.SIGSTOP)

    def answer(self) -> None:
        """End a `hang`: what was asked meanwhile is answered late."""
        self.process.send_signal(signal.SIGCONT)
