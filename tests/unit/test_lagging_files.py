"""Files that may be behind: what storage does not take is written later, each byte of it once."""

import logging
import os
from pathlib import Path

import pytest

from tests.unit.full_disk import room_for
from trainyard.errors import DiskFull, StorageUnavailable
from trainyard.storage.files import RunFolder
from workers.runs.files import lagging_files
from workers.runs.files.attempt_files import AttemptFiles
from workers.runs.files.lagging_files import LaggingFiles
from workers.runs.files.lasting_log import LastingLog


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lagging_files, "PAUSE_S", 0.01)
    monkeypatch.setattr(lagging_files, "LAST_TRIES_S", 0.05)


@pytest.fixture
def files(tmp_path: Path) -> AttemptFiles:
    made = AttemptFiles(RunFolder(tmp_path), 1)
    made.begin({}, 0)
    made.own.log.parent.mkdir(parents=True)
    return made


class Failing:
    """A write that fails so many times."""

    def __init__(self, times: int) -> None:
        self.left, self.done = times, 0

    def __call__(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise StorageUnavailable("Stale file handle.")
        self.done += 1


def test_one_that_fails_keeps_no_other_back_and_is_said_once(caplog: pytest.LogCaptureFixture):
    writes = [Failing(2), Failing(0), Failing(1)]
    lagging = LaggingFiles("run-1", *writes)
    for _ in range(3):
        lagging.catch_up()
    assert [one.done for one in writes] == [1, 3, 2]
    assert len(caplog.records) == 1


def test_the_last_of_it_is_tried_again_and_the_run_stays_held():
    write, renewals = Failing(2), []
    LaggingFiles("run-1", write).settle(lambda: renewals.append(1))
    assert (write.done, len(renewals)) == (1, 2)


def test_storage_that_stays_away_is_not_waited_for_twice():
    write, renewals = Failing(10**9), []
    lagging = LaggingFiles("run-1", write)
    for _ in range(3):
        lagging.settle(lambda: renewals.append(1))
    assert len(renewals) == 5


@pytest.mark.parametrize("room", [0, 3, 6, 11])
def test_a_log_line_that_a_full_disk_tore_is_carried_whole(files: AttemptFiles, tmp_path: Path, room: int):
    run = RunFolder(tmp_path)
    files.own.log.write_text("first\nsecond\n")
    with room_for(room), pytest.raises(DiskFull):
        files.carry_log()
    assert run.log.stat().st_size == room
    files.carry_log()
    files.carry_log()
    assert run.log.read_text() == "first\nsecond\n"


def test_the_board_is_copied_when_there_is_news_until_storage_takes_it(files: AttemptFiles, tmp_path: Path):
    board = RunFolder(tmp_path).tensorboard
    files.own.tensorboard.mkdir()
    (files.own.tensorboard / "events.1").write_text("one")
    files.place_board()
    assert not board.exists()
    board.write_text("in the way")
    files.board_is_due = True
    with pytest.raises(StorageUnavailable):
        files.place_board()
    board.unlink()
    files.place_board()
    assert (board / "events.1").read_text() == "one"
    assert not files.board_is_due


@pytest.mark.parametrize("room", [0, 2, 6, 8])
def test_lines_of_the_process_that_trains_outlast_a_full_disk(tmp_path: Path, room: int):
    path = tmp_path / "training.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    log = logging.Logger("lasting")
    log.addHandler(LastingLog(descriptor))
    with room_for(room):
        log.info("first")
        log.info("second")
    assert path.stat().st_size == room
    log.info("third")
    os.close(descriptor)
    assert path.read_text() == "first\nsecond\nthird\n"
