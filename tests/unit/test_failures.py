"""What failures are called, which are tried again, and that the page about them tells the same."""

import errno
import re
from pathlib import Path

import pytest

from app.http.requests.arguments import RepeatedKey
from trainyard.errors import DiskFull, StorageUnavailable, TrainyardError
from trainyard.runs.failures import ANOTHER_TRY_HELPS, another_try_helps, failure
from trainyard.settings import REPOSITORY
from trainyard.storage.errors import storage_error
from trainyard.storage.log_tail import FAILURE_LINE_LENGTH

PAGE = REPOSITORY / "docs" / "failures.md"
_WALL_CLOCK = re.compile(r"\btime\.time\(|\btime_ns\(|datetime\.(now|utcnow|today)\(")


def kinds(root: type[TrainyardError] = TrainyardError) -> list[type[TrainyardError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a title of the page, its head left out."""
    section = PAGE.read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if "|" in line]
    return [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines[2:]]


def test_the_page_lists_every_code_with_its_cause():
    causes = {kind.code: kind.cause for kind in kinds()}
    assert causes[RepeatedKey.code] == "user", "the API has codes of its own"
    told = {row[0]: row[1] for title in ("Codes of a run", "Codes of requests") for row in rows(title)}
    assert told == causes


def test_the_page_says_what_is_tried_again():
    told = {row[0]: row[2] == "yes" for row in rows("Codes of a run")}
    assert told == ANOTHER_TRY_HELPS


def test_what_a_user_must_change_is_never_tried_again():
    causes = {kind.code: kind.cause for kind in kinds()}
    assert {causes[code] for code in ANOTHER_TRY_HELPS if another_try_helps(code)} == {"infrastructure"}
    assert not another_try_helps("conflict")


def test_no_code_stands_for_two_causes():
    found = {(kind.code, kind.cause) for kind in kinds()}
    assert len(found) == len({code for code, _ in found})


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EFBIG, DiskFull)]
    + [(number, StorageUnavailable) for number in (errno.EROFS, errno.EIO, errno.ESTALE, errno.EACCES)],
)
def test_what_the_system_said_names_the_failure(number: int, kind: type[StorageUnavailable]):
    error = storage_error("run.json could not be written", OSError(number, "said so"))
    assert type(error) is kind
    assert error.message == "run.json could not be written: said so."


def test_a_failure_takes_the_end_of_the_log_along(tmp_path: Path):
    log = tmp_path / "training.log"
    assert failure({"code": "x"}, 2, log)["log_tail"] == []
    log.write_text("".join(f"line {number}\n" for number in range(1000)) + "long" * 1000)
    found = failure({"code": "x"}, 2, log, process_bytes=5)
    assert len(found["log_tail"]) == 200
    assert found["log_tail"][0] == "line 801"
    assert len(found["log_tail"][-1]) == FAILURE_LINE_LENGTH
    assert found["attempt"] == 2
    assert found["peak_memory"] == {"process_bytes": 5, "device_bytes": None}


def test_a_log_that_cannot_be_read_says_so(tmp_path: Path):
    (line,) = failure({}, 1, tmp_path)["log_tail"]
    assert line == "The log could not be read: Is a directory."


def test_no_worker_and_no_script_decides_by_the_time_of_day():
    """What is left are times that people read, the age in days of what was left behind, ends of keys, which
    are dates, the time that a webhook's signature covers, that of spans, and what strangers' times may not be
    after."""
    found = {
        str(path.relative_to(REPOSITORY))
        for room in ("trainyard", "workers")
        for path in (REPOSITORY / room).rglob("*.py")
        if _WALL_CLOCK.search(path.read_text())
    }
    assert found == {
        "workers/attempt_spans.py",
        "workers/datasets/supervisor.py",
        "workers/heartbeat.py",
        "trainyard/registry/access_keys.py",
        "trainyard/registry/audit.py",
        "trainyard/scheduling/attempt_tasks.py",
        "trainyard/scheduling/housekeeping.py",
        "trainyard/scheduling/webhook_sender.py",
        "workers/imports/child.py",
    }
