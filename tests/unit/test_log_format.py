"""Lines of a log are in UTC, whatever zone the machine is in; in JSON they say what they are about."""

import json
import logging
import sys
import time

import pytest

from app.server.logs import AccessJsonFormatter
from trainyard.errors import SettingsError
from trainyard.log_context import logging_about
from trainyard.log_format import JsonFormatter, UtcFormatter, formatter
from trainyard.settings import Settings


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


def a_record(message: str, *arguments: object) -> logging.LogRecord:
    record = logging.LogRecord("trainyard.x", logging.WARNING, "f", 1, message, arguments, None)
    record.created = 1_795_900_264.075
    return record


def test_a_line_of_json_tells_what_it_is_about():
    with logging_about(worker="w"), logging_about(run="run-1", attempt=2):
        text = JsonFormatter().format(a_record("lost %s\n\u2028", "it"))
    assert "\n" not in text
    assert json.loads(text) == {
        "time": "2026-11-28T21:11:04.075+00:00", "level": "WARNING", "logger": "trainyard.x",
        "message": "lost it\n\u2028", "worker": "w", "run": "run-1", "attempt": "2",
    }  # fmt: skip
    assert "run" not in json.loads(JsonFormatter().format(a_record("later")))


def test_an_exception_is_part_of_its_line():
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        record = a_record("failed")
        record.exc_info = sys.exc_info()
    assert json.loads(JsonFormatter().format(record))["exception"].endswith("ValueError: broken\nin two")


def test_a_request_is_told_in_parts():
    atoms = {
        "m": "GET",
        "path": "/ping",
        "s": "200",
        "B": 17,
        "L": "0.001",
        "h": "::1",
        "{x-request-id}o": "abc",
    }
    told = json.loads(AccessJsonFormatter().format(a_record("%(m)s", atoms)))
    assert {name: told[name] for name in ("method", "path", "status", "bytes", "seconds", "request")} == {
        "method": "GET", "path": "/ping", "status": 200, "bytes": 17, "seconds": 0.001, "request": "abc",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"), [("", UtcFormatter), ("text", UtcFormatter), ("json", JsonFormatter)]
)
def test_the_setting_chooses(value: str, expected: type):
    settings = Settings.from_environment({"TRAINYARD_LOG_FORMAT": value})
    assert type(formatter(settings.log_format, "%(message)s")) is expected


def test_another_format_is_refused():
    with pytest.raises(SettingsError, match="TRAINYARD_LOG_FORMAT"):
        Settings.from_environment({"TRAINYARD_LOG_FORMAT": "xml"})
