"""The end of an attempt waits for Redis, but not for ever where the worker shuts down."""

import threading
import time

import pytest

from tests.waits import scaled
from trainyard.errors import OwnershipLost, StorageUnavailable, StoreUnavailable
from workers.process import store_retry
from workers.process.store_retry import until_answered


class Away:
    """Redis, away for so many calls; `then` is raised by the one after."""

    def __init__(self, calls: int, then: Exception | None = None) -> None:
        self.left, self.then, self.answered = calls, then, False

    def __call__(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise StoreUnavailable()
        if self.then:
            raise self.then
        self.answered = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_retry, "RETRY_S", 0.001)
    monkeypatch.setattr(store_retry, "LAST_WORDS_S", scaled(0.5))


def test_it_waits_as_long_as_it_takes():
    away = Away(500)
    until_answered(away, "run-1", threading.Event())
    assert away.answered


def test_a_worker_that_shuts_down_gives_up():
    draining = threading.Event()
    draining.set()
    with pytest.raises(OwnershipLost, match="shuts down while Redis is away"):
        until_answered(Away(10**9), "run-1", draining)
    away = Away(3)
    until_answered(away, "run-1", draining)
    assert away.answered, "a short outage is waited for"


def test_its_time_begins_when_it_is_told_to():
    draining = threading.Event()
    begin = time.monotonic()
    threading.Timer(0.3, draining.set).start()
    with pytest.raises(OwnershipLost):
        until_answered(Away(10**9), "run-1", draining)
    assert time.monotonic() - begin >= 0.3 + store_retry.LAST_WORDS_S


@pytest.mark.parametrize("error", [OwnershipLost(), ValueError()])
def test_other_errors_pass(error: Exception):
    with pytest.raises(type(error)):
        until_answered(Away(1, error), "run-1", threading.Event())


def test_storage_that_fails_is_left_behind():
    until_answered(Away(1, StorageUnavailable()), "run-1", threading.Event())
