"""Lines of a log are in UTC and say so, whatever zone the machine is in."""

import logging
import time

import pytest

from trainyard.log_format import UtcFormatter


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_times_are_utc(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        record = logging.LogRecord("n", logging.INFO, "f", 1, "hello", None, None)
        record.created, record.msecs = 1_795_900_264.075, 75.0
        line = UtcFormatter("%(asctime)s %(message)s").format(record)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert line == "2026-11-28 21:11:04,075Z hello"
