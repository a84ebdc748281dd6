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


class Cluster:
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
def cluster(redis_url: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(redis_url, tmp_path)
    yield made
    made.client.close()


def test_what_was_never_accepted_goes_when_it_is_old(cluster: Cluster) -> None:
    left = [
        cluster.storage.dataset("ds-000000000001").receiving(0),
        cluster.storage.dataset("ds-000000000002").upload,
        cluster.storage.dataset("ds-000000000003").annotation,
        cluster.storage.run("run-000000000004").config,
    ]
    for file in left:
        cluster.write(file)
    empty = cluster.storage.dataset("ds-000000000005").path
    empty.mkdir()
    unsent = cluster.submitted(6)
    assert cluster.clear(LOST_AFTER_S - 60) == [], "it may be under way"
    assert sorted(cluster.clear()) == sorted([*(file.parent.name for file in left), empty.name, unsent.id])
    assert [path.name for path in (cluster.storage.root / "datasets").iterdir()] == [SET_ID]
    assert list((cluster.storage.root / "runs").iterdir()) == []
    assert cluster.clear() == []


@pytest.mark.parametrize(
    "name", ["prepared/0/index.json", "checkpoints/last.ckpt", "events.jsonl", ".attempts/1/x", "notes.txt"]
)
def test_what_holds_somebody_s_work_stays(cluster: Cluster, name: str) -> None:
    """Though its record has gone."""
    for folder in (
        cluster.storage.dataset("ds-000000000001").path,
        cluster.storage.run("run-000000000001").path,
    ):
        cluster.write(folder / name)
    assert cluster.clear() == []


def test_records_stay_whether_redis_knows_them_or_not(cluster: Cluster) -> None:
    known, forgotten, broken = cluster.submitted(1), cluster.submitted(2), cluster.submitted(3)
    cluster.runs.submit(known)
    write_json(cluster.storage.run(forgotten.id).record, {"id": forgotten.id, "revision": 4})
    cluster.storage.run(broken.id).record.write_text("{")
    assert cluster.clear() == []


def test_nothing_goes_while_redis_may_not_know_all(cluster: Cluster) -> None:
    cluster.submitted(1)
    cluster.client.set(keys.REBUILDING, 1)
    with pytest.raises(StoreUnavailable):
        cluster.clear()
    assert cluster.storage.run(a_run(1).id).record.exists()


@pytest.mark.parametrize("kind", ["datasets", "runs"])
def test_a_folder_that_was_half_deleted_goes(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = cluster.storage.root / kind / "run-00000000000a"
    cluster.write(folder / "sub" / "file")

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_folder(folder)
    (half,) = folder.parent.glob(".*.deleted")
    assert cluster.clear(LOST_AFTER_S - 60) == []
    assert cluster.clear() == [half.name]
    assert not half.exists()


def test_one_process_of_all_looks_whatever_was_started_anew(cluster: Cluster) -> None:
    assert [Turns(cluster.client).take("leftovers", 60) for _ in range(3)] == [True, False, False]
    assert 0 < cluster.client.ttl(keys.turn("leftovers")) <= 60


def test_a_storage_without_records_has_none(redis_url: str, tmp_path: Path) -> None:
    client, storage = connect(redis_url), Storage(tmp_path / "none")
    assert (
        clear_leftovers((DatasetRegistry(client, storage), RunRegistry(client, storage)), time.time()) == []
    )
