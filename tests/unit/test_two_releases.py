"""Processes of two releases over one Redis and one storage, as in a rolling restart.

What the newer one has written and this one does not know is left to it, and what this one writes loses none.
"""

import json

import pytest

from tests.unit.records import a_run
from trainyard.datasets.record import Dataset
from trainyard.errors import NewerRecord
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import RunStatus
from trainyard.scheduling.reindex import Reindex
from trainyard.spec.training_spec import SPEC_VERSION
from trainyard.storage.files import Storage
from trainyard.storage.json_files import SCHEMA, read_json
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.runs.run_lists import RunQuery


@pytest.fixture
def runs(client: Client, storage: Storage) -> RunRegistry:
    return RunRegistry(client, storage)


@pytest.fixture
def datasets(client: Client, storage: Storage) -> DatasetRegistry:
    return DatasetRegistry(client, storage)


@pytest.fixture
def reindex(client: Client, storage: Storage, datasets: DatasetRegistry, runs: RunRegistry) -> Reindex:
    return Reindex(client, storage, datasets, runs)


def make_newer(runs: RunRegistry, client: Client, number: int) -> str:
    """A run whose spec asks for what only the next release knows; its id."""
    run = runs.submit(a_run(number))[1]
    spec = {**run.spec.to_dict(), "of_tomorrow": 1, "version": SPEC_VERSION + 1}
    client.hset(keys.record("run", run.id), "spec", json.dumps(spec))
    return run.id


def test_a_worker_leaves_a_run_of_a_newer_release_to_others(runs: RunRegistry, client: Client):
    newer = make_newer(runs, client, 1)
    runs.submit(a_run(2))
    assert [runs.claim("train", "w"), runs.claim("train", "w")] == [runs.get(a_run(2).id), None]
    assert client.hget(keys.record("run", newer), "status") == "queued"
    assert client.hget(keys.record("run", newer), "fence") == "0"
    with pytest.raises(NewerRecord, match=str(SPEC_VERSION + 1)):
        runs.get(newer)


def test_a_spec_that_changes_while_it_waits_is_judged_anew(runs: RunRegistry, client: Client):
    """As one does that is fitted to its data set."""
    newer = make_newer(runs, client, 1)
    assert runs.claim("train", "w") is None
    client.hset(keys.record("run", newer), "spec", json.dumps(a_run(1).spec.to_dict()))
    runs.edit(newer, {"spec": a_run(1).spec.to_dict()})
    assert runs.claim("train", "w") == runs.get(newer)


def test_so_does_one_that_finishes_runs(runs: RunRegistry, client: Client):
    runs.submit(a_run(1))
    held = runs.claim("train", "w")
    assert held
    runs.hand_over(held, held.epochs, result={})
    spec = {**held.spec.to_dict(), "version": SPEC_VERSION + 1}
    client.hset(keys.record("run", held.id), "spec", json.dumps(spec))
    client.hdel(keys.record("run", held.id), "wanted_version")
    assert runs.claim("finish", "w") is None
    assert client.hget(keys.record("run", held.id), "status") == RunStatus.FINISHING


def test_a_set_with_an_option_of_tomorrow_is_left_to_others(datasets: DatasetRegistry, client: Client):
    dataset = Dataset(id="ds-000000000001", name="d", project="a", created_at=0)
    datasets.submit(dataset)
    record = keys.record("dataset", dataset.id)
    options = json.loads(client.hget(record, "options") or "")
    client.hset(record, "options", json.dumps({**options, "of_tomorrow": "x"}))
    assert datasets.claim("ingest", "w") is None
    client.hset(record, "options", json.dumps({**options, "of_tomorrow": None}))
    assert datasets.claim("ingest", "w") == datasets.get(dataset.id)


def test_the_file_of_a_run_that_cannot_be_read_here_is_written_by_its_release(
    runs: RunRegistry, client: Client
):
    newer = make_newer(runs, client, 1)
    client.sadd(keys.unmirrored("run"), newer)
    assert runs.repair_mirrors() == []
    assert client.smembers(keys.unmirrored("run")) == {newer}


def test_fields_of_tomorrow_stay_in_file_and_redis(
    runs: RunRegistry, reindex: Reindex, client: Client, storage: Storage
):
    run = runs.submit(a_run(1))[1]
    file = storage.run(run.id).record
    told = {"text_of_tomorrow": "word", "list_of_tomorrow": [1, {"a": None}]}
    file.write_text(json.dumps({"schema": SCHEMA, **read_json(file), **told}))
    runs.edit(run.id, {"notes": "by this release"})
    assert read_json(file).items() >= {"notes": "by this release", "text_of_tomorrow": "word"}.items()
    client.flushall()
    reindex.rebuild()
    assert read_json(file)["list_of_tomorrow"] == told["list_of_tomorrow"]
    found = client.hmget(keys.record("run", run.id), "text_of_tomorrow", "list_of_tomorrow")
    assert (found[0], json.loads(found[1] or "")) == ("word", told["list_of_tomorrow"])
    assert runs.get(run.id).notes == "by this release"


def test_a_file_of_a_newer_schema_is_never_written_over(runs: RunRegistry, storage: Storage, client: Client):
    run = runs.submit(a_run(1))[1]
    file = storage.run(run.id).record
    written = json.dumps({"schema": SCHEMA + 1, "id": run.id})
    file.write_text(written)
    assert runs.edit(run.id, {"notes": "new"}).notes == "new"
    assert file.read_text() == written
    assert client.smembers(keys.unmirrored("run")) == {run.id}, "its own release will write it"


def test_lists_know_what_an_older_release_has_changed(
    runs: RunRegistry, reindex: Reindex, client: Client, monkeypatch: pytest.MonkeyPatch
):
    reindex.rebuild()
    run = runs.submit(a_run(1))[1]
    client.set(keys.LISTS, keys.LISTS_VERSION + 1)
    assert reindex.ensure() is None, "lists of a newer release have all that this one needs"
    runs.edit(run.id, {"tags": ["seen"]})
    assert client.smembers(keys.UNLISTED) == {run.id}
    assert runs.list_again() == [], "that is for the newer one"
    client.set(keys.LISTS, keys.LISTS_VERSION)  # as the newer one sees it
    client.delete("ty:run:by:tag:seen")
    assert runs.list_again() == [run.id]
    assert [one.id for one in runs.select(RunQuery(tags=("seen",))).readable] == [run.id]
    assert not client.exists(keys.UNLISTED)


def test_a_run_that_is_gone_is_listed_no_more(runs: RunRegistry, client: Client):
    client.sadd(keys.UNLISTED, "run-00000000000f")
    assert runs.list_again() == []
    assert not client.exists(keys.UNLISTED)


def test_a_newer_release_compares_once_more_what_an_older_one_has_filled(
    runs: RunRegistry, reindex: Reindex, client: Client, storage: Storage
):
    """The older one could not read all records, and has noted them as such."""
    reindex.rebuild()
    run = runs.submit(a_run(1))[1]
    client.hset(keys.INDEXED_SPEC, "version", SPEC_VERSION - 1)
    assert reindex.ensure() is not None
    assert reindex.ensure() is None
    client.hset(keys.INDEXED_SPEC, "version", SPEC_VERSION + 1)
    assert reindex.ensure() is None
    file = storage.run(run.id).record
    stored = read_json(file)
    spec = {**stored["spec"], "version": SPEC_VERSION + 1}
    file.write_text(json.dumps({"schema": SCHEMA, **stored, "spec": spec}))
    client.flushall()
    report = reindex.rebuild()
    assert len(report.problems) == 1, "noted, with no revision"
    file.write_text(json.dumps({"schema": SCHEMA, **stored}))  # as a release sees it that can read it
    assert reindex.rebuild().counts["restored"] == 1
    assert runs.get(run.id).status == RunStatus.QUEUED
    assert runs.claim("train", "w") is not None
