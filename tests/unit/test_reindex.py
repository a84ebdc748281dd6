"""Redis rebuilt from storage; whichever is behind is repaired from the other."""

import json
import shutil
import threading

import pytest

from tests.unit.records import a_run
from trainyard.__main__ import main
from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.errors import OwnershipLost, StoreUnavailable
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.scheduling.reindex import AT_ONCE, Reindex
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.resources.aliases import STUDY_SPACE, NameStore
from trainyard.store.runs.run_lists import RunQuery

SET_ID = a_run(0).dataset_id


@pytest.fixture
def runs(client: Client, storage: Storage) -> RunRegistry:
    return RunRegistry(client, storage, LeaseRules(lease_s=30))


@pytest.fixture
def datasets(client: Client, storage: Storage) -> DatasetRegistry:
    return DatasetRegistry(client, storage, LeaseRules(lease_s=30))


@pytest.fixture
def reindex(client: Client, storage: Storage, datasets: DatasetRegistry, runs: RunRegistry) -> Reindex:
    return Reindex(client, storage, datasets, runs)


@pytest.fixture
def cluster(runs: RunRegistry, datasets: DatasetRegistry) -> dict[str, Run]:
    """A run of each status, and a ready set."""
    datasets.submit(Dataset(id=SET_ID, name="d", project="a", created_at=0))
    held_set = datasets.claim("ingest", "w")
    assert held_set
    datasets.finish(held_set, DatasetStatus.READY)
    made = {}
    for number, status in enumerate(("completed", "stopped", "failed", "cancelled", "running")):
        runs.submit(a_run(number, project="ab"[number % 2], labels={"study": f"anna-{number}"}))
        held = runs.claim("train", "w")
        assert held
        ended = runs.finish(held, status, epoch=3) if status != "running" else runs.update(held, epoch=1)
        made[status] = ended
    made["queued"] = runs.submit(a_run(7, priority=4, notes="zwei\nZeilen"))[1]
    return made


def test_many_records_are_restored_by_few_writes(reindex: Reindex, runs: RunRegistry, client: Client):
    """A Redis that is durable writes to disk once for each."""
    for number in range(3 * AT_ONCE):
        runs.submit(a_run(number))
    client.flushall()
    client.config_resetstat()
    assert reindex.rebuild().counts == {"restored": 3 * AT_ONCE}
    asked = client.info("commandstats")
    assert asked["cmdstat_exec"]["calls"] == 3
    assert len(runs.page(limit=100).items) == 3 * AT_ONCE
    assert runs.repair_mirrors() == [], "storage has what it had"


def test_a_redis_of_an_earlier_release_gets_its_lists(
    reindex: Reindex, runs: RunRegistry, storage: Storage, client: Client, cluster: dict[str, Run]
):
    """Records are there in storage's revision, but neither indexes of lists nor what rows come to."""
    reindex.rebuild()
    run = cluster["completed"]
    rows = [{"epoch": one, "step": one, "val_loss": 1 / one, "val_miou": one / 4} for one in (1, 2, 3)]
    write_json(storage.run(run.id).metrics_json, {"rows": rows})
    for key in (
        keys.LISTS,
        *client.scan_iter("ty:run:by:architecture:*"),
        *client.scan_iter("ty:run:*:listed"),
    ):
        client.delete(key)
    unet = RunQuery(architecture=run.spec.model.architecture, text="RUN ")
    assert runs.select(unet).items == []
    assert reindex.ensure() is not None
    assert [one.id for one in runs.select(unet).readable] == [one.id for one in runs.page().readable]
    assert runs.select(RunQuery(sort="best.val_miou")).readable[0].metrics["val_miou"].best == 0.75
    assert mirror(storage, run)["last_row"]["epoch"] == 3
    assert reindex.ensure() is None


def mirror(storage: Storage, run: Run) -> dict:
    return read_json(storage.run(run.id).record)


def test_an_emptied_redis_has_everything_again(
    reindex: Reindex, runs: RunRegistry, datasets: DatasetRegistry, storage: Storage, client: Client,
    cluster: dict[str, Run],
):  # fmt: skip
    pages = [runs.page(status, project).items for status in (None, *cluster) for project in (None, "a", "b")]
    dataset = datasets.get(SET_ID)
    client.flushall()
    report = reindex.rebuild()
    assert (report.counts, report.problems) == ({"restored": 7}, [])
    assert datasets.get(SET_ID) == dataset
    for status in set(cluster) - {"running"}:
        assert runs.get(cluster[status].id) == cluster[status]
    interrupted = runs.get(cluster["running"].id)
    assert (interrupted.status, interrupted.owner) == (RunStatus.QUEUED, None)
    assert (interrupted.epoch, interrupted.fence) == (1, cluster["running"].fence)
    assert interrupted.revision == cluster["running"].revision + 1
    assert mirror(storage, interrupted) == runs.to_json(interrupted)
    listed = [runs.page(status, project).items for status in (None, *cluster) for project in (None, "a", "b")]
    assert [len(items) for items in listed[:3]] == [len(items) for items in pages[:3]]
    assert [run.id for run in runs.page("queued").items] == [cluster["queued"].id, interrupted.id]
    names = NameStore(client, STUDY_SPACE)
    assert names.resolve("anna-0") == cluster["completed"].id
    newest = runs.submit(a_run(99))[1]
    assert newest.created_at > max(run.created_at for run in cluster.values())
    assert set(client.smembers(f"ty:dataset:{SET_ID}:runs")) == {
        cluster["queued"].id, interrupted.id, newest.id
    }  # fmt: skip


def test_a_holder_that_lives_takes_its_run_up_again(
    reindex: Reindex, runs: RunRegistry, client: Client, cluster: dict[str, Run]
):
    held = cluster["running"]
    client.flushall()
    reindex.rebuild()
    assert runs.claim("train", "another") is None, "its holder has the time of a lease to speak"
    runs.renew(held)
    again = runs.get(held.id)
    assert (again.status, again.owner, again.fence) == (RunStatus.RUNNING, held.owner, held.fence)
    runs.update(held, epoch=2)


def test_a_holder_waits_until_an_emptied_redis_has_its_run_again(
    reindex: Reindex, runs: RunRegistry, client: Client, cluster: dict[str, Run]
):
    """It asks twice a second, and a comparison of many records takes minutes."""
    held = cluster["running"]
    client.flushall()
    for write in (lambda: runs.report(held, None), lambda: runs.update(held, epoch=2)):
        with pytest.raises(StoreUnavailable, match="being rebuilt"):
            write()
    reindex.rebuild()
    with pytest.raises(StoreUnavailable, match="forgotten"):
        runs.update(held, epoch=2)
    assert runs.update(held, epoch=2).epoch == 2
    run = runs.get(held.id)
    assert (run.status, run.fence, run.owner) == (RunStatus.RUNNING, held.fence, "w")


def test_a_run_that_is_gone_for_good_has_no_holder(
    reindex: Reindex, runs: RunRegistry, client: Client, storage: Storage, cluster: dict[str, Run]
):
    held = cluster["running"]
    client.flushall()
    shutil.rmtree(storage.run(held.id).path)
    reindex.rebuild()
    for write in (lambda: runs.report(held, None), lambda: runs.update(held, epoch=2)):
        with pytest.raises(OwnershipLost):
            write()


def test_after_the_grace_interrupted_runs_go_first(
    reindex: Reindex, runs: RunRegistry, client: Client, cluster: dict[str, Run]
):
    runs.edit(cluster["queued"].id, {"priority": 0})
    client.flushall()
    reindex.rebuild()
    client.hset("ty:server", "wait_until", 0)
    first = runs.claim("train", "another")
    assert first
    assert (first.id, first.fence) == (cluster["running"].id, cluster["running"].fence + 1)
    second = runs.claim("train", "another")
    assert second
    assert second.id == cluster["queued"].id


def test_the_higher_revision_wins(
    reindex: Reindex, runs: RunRegistry, storage: Storage, client: Client, cluster: dict[str, Run]
):
    """Redis lost the last writes of one run, storage those of another, and the whole record of a third."""
    in_storage, in_redis, absent = cluster["completed"], cluster["failed"], cluster["stopped"]
    write_json(
        storage.run(in_storage.id).record,
        runs.to_json(in_storage) | {"revision": in_storage.revision + 3, "notes": "newer"},
    )
    old = mirror(storage, in_redis)
    in_redis = runs.edit(in_redis.id, {"notes": "newer"})
    write_json(storage.run(in_redis.id).record, old)
    shutil.rmtree(storage.run(absent.id).path)
    report = reindex.rebuild()
    assert report.counts == {"restored": 1, "written": 2, "same": 4}
    restored = runs.get(in_storage.id)
    assert (restored.notes, restored.revision) == ("newer", in_storage.revision + 3)
    for run in (restored, in_redis, absent):
        assert mirror(storage, run) == runs.to_json(runs.get(run.id))
    assert reindex.rebuild().counts == {"same": 7}


def test_a_newer_record_of_a_run_that_is_held_leaves_it_with_its_holder(
    reindex: Reindex, runs: RunRegistry, storage: Storage, cluster: dict[str, Run]
):
    held = cluster["running"]
    newer = runs.to_json(held) | {"revision": held.revision + 1, "epoch": 2}
    write_json(storage.run(held.id).record, newer)
    assert reindex.rebuild().counts["restored"] == 1
    assert runs.get(held.id).epoch == 2
    runs.update(held, epoch=3)
    assert runs.page("running").items == [runs.get(held.id)]


def test_what_cannot_be_read_is_reported_and_left_alone(
    reindex: Reindex, runs: RunRegistry, storage: Storage, client: Client, cluster: dict[str, Run]
):
    client.flushall()
    root = storage.root / "runs"
    contents = {
        "run-0000000000a1": json.dumps({"schema": 2, "id": "run-0000000000a1"}),
        "run-0000000000a2": "{",
        "run-0000000000a3": "[]",
        "run-0000000000a4": json.dumps({"schema": 1, "id": "run-0000000000a4"}),
        "run-0000000000a5": json.dumps({"schema": 1, **mirror(storage, cluster["queued"])}),
    }
    for name, content in contents.items():
        (root / name).mkdir()
        (root / name / "run.json").write_text(content)
    (root / "run-0000000000a6").mkdir()
    (root / "run-0000000000a6" / "config.json").write_text("{}")
    for stranger in ("lost+found", ".run-0000000000a7.0123.deleted"):
        (root / stranger).mkdir()
    report = reindex.rebuild()
    assert report.counts == {"restored": 7}
    assert len(report.problems) == len(contents) + 1
    assert "written by a newer Trainyard" in report.problems[0]
    for name, content in contents.items():
        assert any(name in problem for problem in report.problems)
        assert (root / name / "run.json").read_text() == content
    assert not runs.exists("run-0000000000a5")


def test_a_deleted_run_does_not_come_back(
    reindex: Reindex, storage: Storage, client: Client, runs: RunRegistry, cluster: dict[str, Run]
):
    """The process that deleted it died before it came to the folder."""
    runs._store.remove(cluster["completed"].id)
    assert reindex.rebuild().counts == {"same": 6, "removed": 1}
    assert not storage.run(cluster["completed"].id).path.exists()
    assert not runs.exists(cluster["completed"].id)


def test_it_is_done_once_for_each_start_of_redis(
    client: Client, storage: Storage, datasets: DatasetRegistry, runs: RunRegistry, cluster: dict[str, Run]
):
    client.flushall()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(Reindex(client, storage, datasets, runs).ensure()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (report,) = [one for one in found if one]
    assert report.counts == {"restored": 7}
    assert Reindex(client, storage, datasets, runs).ensure() is None
    client.set(keys.INDEXED, "another start")
    again = Reindex(client, storage, datasets, runs).ensure()
    assert again
    assert again.counts == {"same": 7}


def test_the_command_line(
    redis_url: str,
    storage: Storage,
    client: Client,
    cluster: dict[str, Run],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("TRAINYARD_REDIS_URL", redis_url)
    monkeypatch.setenv("TRAINYARD_STORAGE", str(storage.root))
    client.flushall()
    assert main(["reindex"]) == 0
    assert capsys.readouterr().out == "7 restored\n"
    storage.run("run-0000000000a6").path.mkdir()
    assert main(["reindex"]) == 1
    said = capsys.readouterr()
    assert said.out == "7 same\n"
    assert said.err.startswith("run run-0000000000a6 is left alone: run.json could not be read")
    monkeypatch.setenv("TRAINYARD_REDIS_URL", "redis://127.0.0.1:1/0")
    assert main(["reindex"]) == 2
    assert "Redis" in capsys.readouterr().err


def test_a_submission_that_was_cut_off_is_left_to_its_client(
    reindex: Reindex, runs: RunRegistry, storage: Storage, client: Client
):
    """The server died before Redis had the one run, and before storage had what Redis made of the other."""
    unaccepted, accepted = a_run(1), a_run(2)
    for run in (unaccepted, accepted):
        write_json(storage.run(run.id).record, runs.to_json(run))
    runs._store.submit(accepted, accepted.id, RunStatus.QUEUED)
    report = reindex.rebuild()
    assert report.counts == {"written": 1}
    assert report.problems == [f"run {unaccepted.id} is left alone: its submission was never accepted."]
    assert mirror(storage, accepted) == runs.to_json(runs.get(accepted.id))
    created, _ = runs.submit(unaccepted)
    assert created, "sent again, it is taken"
