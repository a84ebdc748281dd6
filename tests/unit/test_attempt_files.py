"""What an attempt writes and clears away: its rows, its log, its boards, and what earlier ones left."""

import logging
from pathlib import Path
from typing import Any

import pytest

from trainyard.errors import StorageUnavailable
from trainyard.runs.checkpoints import Checkpoint
from trainyard.storage.files import DELETED, RunFolder
from trainyard.storage.metric_rows import read_rows, write_rows
from workers.runs.files import attempt_files
from workers.runs.files.attempt_files import AttemptFiles


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


@pytest.fixture
def files(run: RunFolder) -> AttemptFiles:
    begun = AttemptFiles(run, 3)
    begun.begin({}, 0)
    return begun


def row(epoch: int, **values: Any) -> dict[str, Any]:
    return {"epoch": epoch, "train_loss": epoch / 4} | values


def saved(run: RunFolder, fence: int, *names: str) -> list[Path]:
    folder = run.attempt(fence).saved
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in names]
    for path in paths:
        path.write_text(path.name)
    return paths


def committed(run: RunFolder, *paths: Path) -> dict[str, Checkpoint]:
    return {
        path.name: Checkpoint(file=str(path.relative_to(run.path)), epoch=1, step=2, bytes=3, sha256="x")
        for path in paths
    }


def test_nothing_is_kept_of_a_run_that_begins_afresh(run: RunFolder):
    write_rows(run, 2, [row(1)])
    run.checkpoints.mkdir(parents=True)
    (run.checkpoints / "last.ckpt").write_text("old")
    files = AttemptFiles(run, 3)
    files.begin({}, 2)
    assert files.rows == []
    assert not (run.checkpoints / "last.ckpt").exists()
    assert not run.attempt(2).path.exists()
    assert files.own.path == run.attempt(3).path
    assert files.own.path.is_dir()
    assert not files.own.metrics_csv.exists()


def test_the_rows_of_the_run_go_on(run: RunFolder):
    write_rows(run, 2, [row(1), row(2)])
    [kept] = saved(run, 2, "a.ckpt")
    files = AttemptFiles(run, 3)
    files.begin(committed(run, kept), 2)
    assert list(files.rows) == [row(1), row(2)]
    assert files.own.metrics_csv.read_text().splitlines()[0].startswith("epoch,train_loss")
    assert len(files.own.metrics_csv.read_text().splitlines()) == 3
    files.add_row(row(3))
    assert [one["epoch"] for one in files.rows] == [1, 2, 3]
    assert read_rows(run, 3) == [row(1), row(2), row(3)]
    assert read_rows(run, 2) == [row(1), row(2)]


def test_an_epoch_that_is_trained_again_replaces_later_ones(run: RunFolder, files: AttemptFiles):
    for epoch in (1, 2, 3):
        files.add_row(row(epoch))
    files.add_row(row(2, train_loss=9.0))
    assert list(files.rows) == [row(1), row(2, train_loss=9.0)]
    assert read_rows(run, 3) == list(files.rows)


def test_rows_are_written_once_and_again_where_that_failed(
    run: RunFolder, files: AttemptFiles, monkeypatch: pytest.MonkeyPatch
):
    written: list[int] = []

    def failing(folder: RunFolder, fence: int, rows: Any) -> None:
        written.append(fence)
        if len(written) == 1:
            raise StorageUnavailable("full")
        write_rows(folder, fence, rows)

    monkeypatch.setattr(attempt_files, "write_rows", failing)
    with pytest.raises(StorageUnavailable):
        files.add_row(row(1))
    files.keep_rows()
    files.keep_rows()
    assert written == [3, 3]
    assert read_rows(run, 3) == [row(1)]


def test_each_byte_of_the_log_is_carried_once(
    run: RunFolder, files: AttemptFiles, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(attempt_files, "LOG_PIECE", 3)
    files.carry_log()
    assert not run.log.exists()
    files.own.log.parent.mkdir(parents=True, exist_ok=True)
    run.log.parent.mkdir(parents=True, exist_ok=True)
    run.log.write_bytes(b"before\n")
    files.own.log.write_bytes(b"one line\n")
    files.carry_log()
    files.carry_log()
    assert run.log.read_bytes() == b"before\none line\n"
    with files.own.log.open("ab") as log:
        log.write(b"two")
    files.carry_log()
    assert run.log.read_bytes() == b"before\none line\ntwo"


def test_boards_are_copied_when_there_is_news(run: RunFolder, files: AttemptFiles):
    files.own.tensorboard.mkdir(parents=True)
    (files.own.tensorboard / "events.1").write_text("first")
    (files.own.tensorboard / "other").write_text("no")
    files.place_board()
    assert not run.tensorboard.exists()
    files.board_is_due = True
    files.place_board()
    assert [path.name for path in run.tensorboard.iterdir()] == ["events.1"]
    assert not files.board_is_due
    (files.own.tensorboard / "events.1").write_text("second")
    files.place_board()
    assert (run.tensorboard / "events.1").read_text() == "first"
    files.board_is_due = True
    files.place_board()
    assert (run.tensorboard / "events.1").read_text() == "second"


def test_a_copy_that_fails_leaves_nothing_and_stays_due(
    run: RunFolder, files: AttemptFiles, monkeypatch: pytest.MonkeyPatch
):
    files.own.tensorboard.mkdir(parents=True)
    (files.own.tensorboard / "events.1").write_text("first")
    files.board_is_due = True

    def half(source: Path, target: Path) -> None:
        Path(target).write_text("fi")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(attempt_files.shutil, "copyfile", half)
    with pytest.raises(StorageUnavailable, match=r"^TensorBoard's files could not be copied"):
        files.place_board()
    assert list(run.tensorboard.iterdir()) == []
    assert files.board_is_due


def test_what_the_child_had_begun_to_write_is_deleted(files: AttemptFiles):
    own = files.own
    for place in (own.saved, own.figures, own.overlays, own.export):
        (place / "deep").mkdir(parents=True)
        for name in (".a.1.tmp", "deep/.b.tmp.json", "a.ckpt", "tmp", ".kept"):
            (place / name).write_text("x")
    files.drop_unfinished()
    for place in (own.saved, own.figures, own.overlays, own.export):
        left = sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())
        assert left == [".kept", "a.ckpt", "tmp"]


def test_what_cannot_be_deleted_is_logged(
    files: AttemptFiles, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    files.own.saved.mkdir(parents=True)
    for name in (".a.tmp", ".b.tmp"):
        (files.own.saved / name).write_text("x")

    def refused(self: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(Path, "unlink", refused)
        files.drop_unfinished()
    assert sorted(record.getMessage() for record in caplog.records) == [
        ".a.tmp could not be deleted: Read-only file system",
        ".b.tmp could not be deleted: Read-only file system",
    ]


def test_what_earlier_attempts_left_goes_but_for_what_counts(run: RunFolder):
    kept, about, lost, lost_too = saved(run, 1, "a.ckpt", "a.ckpt.json", "b.ckpt", "b.ckpt.json")
    write_rows(run, 2, [row(1)])
    [dropped] = saved(run, 2, "c.ckpt")
    saved(run, 3, "d.ckpt")
    [later] = saved(run, 9, "e.ckpt")
    other = run.attempts / "notes"
    other.mkdir()
    for place in (run.path, run.attempts):
        (place / f".x{DELETED}").mkdir()
        (place / f".x{DELETED}" / "f").write_text("x")
    files = AttemptFiles(run, 4)
    files.begin(committed(run, kept), 2)
    assert (kept.exists(), about.exists(), lost.exists(), lost_too.exists()) == (True, True, False, False)
    assert read_rows(run, 2) == [row(1)]
    assert not dropped.exists()
    assert not run.attempt(3).path.exists()
    assert later.exists()
    assert other.is_dir()
    assert sorted(path.name for path in run.attempts.iterdir()) == sorted(
        [
            run.attempt(1).path.name,
            run.attempt(2).path.name,
            run.attempt(4).path.name,
            later.parents[1].name,
            "notes",
        ]
    )
    assert [path for path in run.path.iterdir() if path.name.endswith(DELETED)] == []


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("mkdir", "The attempt's folder could not be made"),
        ("iterdir", "Earlier attempts could not be cleared away"),
    ],
)
def test_storage_that_fails_says_at_what(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, broken: str, message: str
):
    def refused(self: Path, *_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    run.path.mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr(Path, broken, refused)
        with pytest.raises(StorageUnavailable, match=f"^{message}") as caught:
            AttemptFiles(run, 3).begin({"last": _some()}, 0)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_log_that_cannot_be_carried_says_so(
    run: RunFolder, files: AttemptFiles, monkeypatch: pytest.MonkeyPatch
):
    files.own.log.parent.mkdir(parents=True, exist_ok=True)
    files.own.log.write_bytes(b"x")
    run.log.mkdir(parents=True)
    with pytest.raises(StorageUnavailable, match=r"^The log could not be written"):
        files.carry_log()
    run.log.rmdir()
    files.carry_log()
    assert run.log.read_bytes() == b"x"


def _some() -> Checkpoint:
    return Checkpoint(file="a", epoch=1, step=1, bytes=1, sha256="x")
