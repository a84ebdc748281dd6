"""What a killed process leaves is cleared away once it is old, and nothing else."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.records import a_run
from trainyard.datasets.record import Dataset
from trainyard.errors import StoreUnavailable
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run
from trainyard.scheduling.leftovers import LOST_AFTER_S, clear_leftovers
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.json_files import write_json
from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.processes.turns import Turns

SET_ID = a_run(0).dataset_id


class Yard:
    """Both registries on one storage and one Redis, seen some time from now."""

    def __init__(self, url: str, root: Path) -> None:
        self.client: Client = connect(url)
        self.storage = Storage(root)
        self.runs = RunRegistry(self.client, self.storage)
        self.datasets = DatasetRegistry(self.client, self.storage)
        self.client.set(keys.INDEXED, "this one")
        self.datasets.submit(Dataset(id=SET_ID, name="d", project="a", created_at=0))

    def clear(self, after_s: float = LOST_AFTER_S + 60) -> list[str]:
        return clear_leftovers((self.datasets, self.runs), time.time() + after_s)

    def write(self, path: Path, text: str = "half") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def submitted(self, number: int) -> Run:
        """A run whose files are in storage, and which Redis has not accepted."""
        run = a_run(number)
        folder = self.storage.run(run.id)
        self.write(folder.config)
        self.write(folder.origin / "run-000000000009-best.ckpt")
        write_json(folder.record, self.runs.to_json(run))
        return run


@pytest.fixture
def yard(redis_url: str, tmp_path: Path) -> Iterator[Yard]:
    made = Yard(redis_url, tmp_path)
    yield made
    made.client.close()


def test_what_was_never_accepted_goes_when_it_is_old(yard: Yard) -> None:
    left = [
        yard.storage.dataset("ds-000000000001").receiving(0),
        yard.storage.dataset("ds-000000000002").upload,
        yard.storage.dataset("ds-000000000003").annotation,
        yard.storage.run("run-000000000004").config,
    ]
    for file in left:
        yard.write(file)
    empty = yard.storage.dataset("ds-000000000005").path
    empty.mkdir()
    unsent = yard.submitted(6)
    assert yard.clear(LOST_AFTER_S - 60) == [], "it may be under way"
    assert sorted(yard.clear()) == sorted([*(file.parent.name for file in left), empty.name, unsent.id])
    assert [path.name for path in (yard.storage.root / "datasets").iterdir()] == [SET_ID]
    assert list((yard.storage.root / "runs").iterdir()) == []
    assert yard.clear() == []


@pytest.mark.parametrize(
    "name", ["prepared/0/index.json", "checkpoints/last.ckpt", "events.jsonl", ".attempts/1/x", "notes.txt"]
)
def test_what_holds_somebody_s_work_stays(yard: Yard, name: str) -> None:
    """Though its record has gone."""
    for folder in (yard.storage.dataset("ds-000000000001").path, yard.storage.run("run-000000000001").path):
        yard.write(folder / name)
    assert yard.clear() == []


def test_records_stay_whether_redis_knows_them_or_not(yard: Yard) -> None:
    known, forgotten, broken = yard.submitted(1), yard.submitted(2), yard.submitted(3)
    yard.runs.submit(known)
    write_json(yard.storage.run(forgotten.id).record, {"id": forgotten.id, "revision": 4})
    yard.storage.run(broken.id).record.write_text("{")
    assert yard.clear() == []


def test_nothing_goes_while_redis_may_not_know_all(yard: Yard) -> None:
    yard.submitted(1)
    yard.client.set(keys.REBUILDING, 1)
    with pytest.raises(StoreUnavailable):
        yard.clear()
    assert yard.storage.run(a_run(1).id).record.exists()


@pytest.mark.parametrize("kind", ["datasets", "runs"])
def test_a_folder_that_was_half_deleted_goes(yard: Yard, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    folder = yard.storage.root / kind / "run-00000000000a"
    yard.write(folder / "sub" / "file")

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_folder(folder)
    (half,) = folder.parent.glob(".*.deleted")
    assert yard.clear(LOST_AFTER_S - 60) == []
    assert yard.clear() == [half.name]
    assert not half.exists()


def test_one_process_of_all_looks_whatever_was_started_anew(yard: Yard) -> None:
    assert [Turns(yard.client).take("leftovers", 60) for _ in range(3)] == [True, False, False]
    assert 0 < yard.client.ttl(keys.turn("leftovers")) <= 60


def test_a_storage_without_records_has_none(redis_url: str, tmp_path: Path) -> None:
    client, storage = connect(redis_url), Storage(tmp_path / "none")
    assert (
        clear_leftovers((DatasetRegistry(client, storage), RunRegistry(client, storage)), time.time()) == []
    )
