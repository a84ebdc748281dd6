"""What a server leaves that is killed during an upload is cleared away, and nothing else."""

import os
from pathlib import Path

import pytest

from trainyard.lost_uploads import LOST_AFTER_S, clear_lost_uploads
from trainyard.storage import DatasetFolder, Storage, write_json

NOW = 2e9


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


def upload(storage: Storage, name: str, *ages_s: float) -> DatasetFolder:
    """A folder with a file that comes for each of these ages."""
    folder = storage.dataset(f"ds-{name:0>12}")
    folder.path.mkdir(parents=True)
    for number, age in enumerate(ages_s):
        folder.receiving(number).write_bytes(b"half")
        os.utime(folder.receiving(number), (NOW - age, NOW - age))
    return folder


def test_an_upload_that_was_cut_off_long_ago_is_deleted(storage: Storage) -> None:
    old = upload(storage, "1", LOST_AFTER_S + 1, LOST_AFTER_S + 9)
    assert clear_lost_uploads(storage, NOW) == [old.path.name]
    assert list((storage.root / "datasets").iterdir()) == []
    assert clear_lost_uploads(storage, NOW) == []


def test_all_else_stays(storage: Storage) -> None:
    coming = upload(storage, "2", LOST_AFTER_S + 1, LOST_AFTER_S - 1)
    kept = upload(storage, "3", LOST_AFTER_S + 1)
    write_json(kept.record, {"id": kept.path.name})
    empty = upload(storage, "4")
    assert clear_lost_uploads(storage, NOW) == []
    assert coming.receiving(1).exists()
    assert kept.receiving(0).exists()
    assert empty.path.exists()


def test_a_storage_without_data_sets_has_none(storage: Storage) -> None:
    assert clear_lost_uploads(storage, NOW) == []
