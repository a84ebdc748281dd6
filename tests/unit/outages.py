"""A Redis that a test can take away and bring back."""

import signal
import subprocess
from pathlib import Path

from deploy.redis import free_port, server_command
from tests.waits import wait_for
from trainyard.errors import StoreUnavailable
from trainyard.store.connection import connect, ping


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
