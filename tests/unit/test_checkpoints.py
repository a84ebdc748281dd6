"""Which file is which checkpoint: only what was committed last, whoever writes late."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.records import a_run
from trainyard.errors import OwnershipLost, StorageUnavailable
from trainyard.registry.runs import RunRegistry
from trainyard.runs.checkpoints import Checkpoint, discard, newest_first, place, with_saved
from trainyard.runs.events import CheckpointSaved
from trainyard.storage.files import RunFolder, Storage
from trainyard.storage.json_files import write_json
from trainyard.store.connection import connect
from workers.runs.files.attempt_files import AttemptFiles


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def save(folder: RunFolder, file: str, epoch: int, after: str | None = None, *kinds: str) -> CheckpointSaved:
    """A file as an attempt writes it, and what it says of it."""
    path = folder.path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"weights of {file}")
    write_json(path.with_name(f"{path.name}.json"), {"epoch": epoch})
    return CheckpointSaved(
        kinds=kinds or ("last",), epoch=epoch, step=epoch * 3, file="last.ckpt", stored=file, bytes=1,
        sha256=file, after=after,
    )  # fmt: skip


def committed(folder: RunFolder, saves: list[CheckpointSaved], keep_last: int = 0) -> dict[str, Checkpoint]:
    held: dict[str, Checkpoint] = {}
    for saved in saves:
        earlier, held = held, with_saved(held, saved, saved.stored, keep_last)
        place(folder, held)
        discard(folder, earlier, held)
    return held


def test_a_file_stays_as_long_as_it_has_a_name(folder: RunFolder):
    first = save(folder, "a/1", 1, None, "last", "best")
    saves = [
        first,
        save(folder, "a/2", 2, "a/1"),
        save(folder, "a/3", 3, "a/2"),
        save(folder, "a/4", 4, "a/3"),
    ]
    held = committed(folder, saves)
    assert {name: one.file for name, one in held.items()} == {"last": "a/4", "previous": "a/3", "best": "a/1"}
    assert sorted(path.name for path in (folder.path / "a").glob("?")) == ["1", "3", "4"]
    assert folder.best_checkpoint.read_text() == "weights of a/1"
    assert folder.last_checkpoint.read_text() == "weights of a/4"
    assert [one.file for one in newest_first(held)] == ["a/4", "a/3", "a/1"]


def test_what_a_checkpoint_went_on_from_is_the_one_before_it(folder: RunFolder):
    """The last one was damaged, so training went on from the one before that."""
    saves = [save(folder, "a/1", 1), save(folder, "a/2", 2, "a/1"), save(folder, "b/2", 2, "a/1")]
    assert committed(folder, saves)["previous"].file == "a/1"


def test_the_newest_epochs_keep_their_names(folder: RunFolder):
    saves = [save(folder, f"a/{epoch}", epoch, None, "last", "epoch") for epoch in (8, 9, 10)]
    held = committed(folder, saves, keep_last=2)
    assert sorted(held) == ["epoch=009", "epoch=010", "last"]
    assert sorted(path.name for path in folder.checkpoints.glob("*.ckpt")) == [
        "epoch=009.ckpt", "epoch=010.ckpt", "last.ckpt",
    ]  # fmt: skip


def test_names_placed_late_are_put_right(folder: RunFolder):
    old = committed(folder, [save(folder, "a/1", 1)])
    new = committed(folder, [save(folder, "b/2", 2)])
    place(folder, old)
    place(folder, new)
    assert folder.last_checkpoint.read_text() == "weights of b/2"


def test_whoever_lost_the_run_commits_nothing_and_its_files_go(redis_url: str, tmp_path: Path):
    storage = Storage(tmp_path)
    runs = RunRegistry(connect(redis_url), storage)
    runs.submit(a_run(1))
    zombie = runs.claim("train", "zombie")
    assert zombie
    folder = storage.run(zombie.id)
    kept = save(folder, ".attempts/1/.saved/1.ckpt", 1)
    zombie = runs.commit(zombie, kept, kept.stored)
    runs.release(zombie)
    late = save(folder, ".attempts/1/.saved/9.ckpt", 9)
    owner = runs.claim("train", "owner")
    assert owner
    with pytest.raises(OwnershipLost):
        runs.commit(zombie, late, late.stored)
    assert folder.last_checkpoint.read_text() == "weights of .attempts/1/.saved/1.ckpt"
    assert runs.get(owner.id).checkpoints["last"].epoch == 1
    AttemptFiles(folder, owner.fence).begin(owner.checkpoints, owner.metrics_of)
    assert sorted(path.name for path in folder.attempt(1).saved.iterdir()) == ["1.ckpt", "1.ckpt.json"]


def test_storage_that_fails_says_at_what(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    held = committed(folder, [save(folder, "a/1", 1)])
    (folder.path / "b").mkdir()
    blocked = {"last": replace(held["last"], file="b")}
    with pytest.raises(StorageUnavailable, match=r"^An old checkpoint could not be deleted") as caught:
        discard(folder, blocked, held)
    assert isinstance(caught.value.__cause__, OSError)
    (folder.checkpoints / "epoch=007.ckpt").mkdir()
    with pytest.raises(StorageUnavailable, match=r"^A checkpoint could not be put in place") as caught:
        place(folder, held)
    assert isinstance(caught.value.__cause__, OSError)
