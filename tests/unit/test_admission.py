"""Runs that were accepted before their data set was ready."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.summary import SUMMARY
from tests.unit.records import a_run
from trainyard.datasets.record import Dataset
from trainyard.lease import LeaseRules
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.lifecycle import RunLife
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.scheduling.admission import Admission
from trainyard.scheduling.reindex import Reindex
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store import keys
from trainyard.store.connection import Client

SET_ID = a_run(0).dataset_id
ERROR = {"code": "x", "cause": "user", "message": "Not usable.", "remedy": "", "errors": {}}
FULL = ERROR | {"code": "disk_full", "cause": "infrastructure"}
PROBLEM = {"severity": "error", "code": "y", "file": None, "message": "No masks.", "remedy": ""}
REFUSED = {"options": {}, "error": ERROR}
QUESTION = {"code": "unmasked", "text": "What of images without a mask?", "choices": []}


class Cluster:
    """A data set that is being read, and a run that waits for it."""

    def __init__(self, client: Client, storage: Storage) -> None:
        self.storage = storage
        self.runs = RunRegistry(client, storage, LeaseRules(lease_s=30))
        self.datasets = DatasetRegistry(client, storage, LeaseRules(lease_s=30))
        self.life = RunLife(client, storage, self.runs)
        self.reindex = Reindex(client, storage, self.datasets, self.runs)
        self.admission = Admission(self.runs, self.datasets, storage)
        self.datasets.submit(Dataset(id=SET_ID, name="d", project="a", created_at=0))
        self.id = self.waiting(1).id

    def waiting(self, number: int, **values: Any) -> Run:
        run = a_run(number, queue="cpu", dataset_hash="", awaits_dataset=True, **values)
        return self.runs.submit(run)[1]

    def ended(self, status: str, **values: Any) -> None:
        held = self.datasets.claim("ingest", "w")
        assert held
        self.datasets.finish(held, status, **values)

    @property
    def run(self) -> Run:
        return self.runs.get(self.id)


@pytest.fixture
def cluster(client: Client, tmp_path: Path) -> Cluster:
    return Cluster(client, Storage(tmp_path))


def test_nobody_claims_it_before_its_set_is_ready(cluster: Cluster):
    cluster.admission.look()
    assert (cluster.run.status, cluster.run.awaits_dataset) == (RunStatus.QUEUED, True)
    for queue in ("cpu", "gpu", "finish"):
        assert cluster.runs.claim(queue, "w") is None
    cluster.runs.requeue_lost()
    assert cluster.runs.claim("cpu", "w") is None
    cluster.ended("ready", summary=SUMMARY)
    assert cluster.runs.claim("cpu", "w") is None, "it is admitted first"
    cluster.admission.look()
    held = cluster.runs.claim("cpu", "w")
    assert held
    assert (held.id, held.awaits_dataset, held.dataset_hash) == (cluster.id, False, SUMMARY["content_hash"])


def test_its_spec_is_fitted_to_the_set(cluster: Cluster):
    odd = Experiments(Settings().configs).compose(
        {"model": {"architecture": "DeepLabV3"}, "data": {"image_size": 250}}
    )
    run = cluster.waiting(2, spec=odd)
    cluster.ended("ready", summary=SUMMARY)
    cluster.admission.look()
    cluster.admission.look()
    admitted = cluster.runs.get(run.id)
    assert admitted.spec.data.image_size == 256
    assert len(admitted.notices) == 1
    config = read_json(cluster.storage.run(run.id).config)
    assert config == {
        "spec": admitted.spec.to_dict(),
        "dataset": {"id": SET_ID, "content_hash": SUMMARY["content_hash"]},
    }


@pytest.mark.parametrize(
    ("status", "values", "code", "said"),
    [
        ("failed", {"error": ERROR, "problems": [PROBLEM]}, "bad_dataset", "No masks."),
        ("failed", {"error": ERROR}, "bad_dataset", "Not usable."),
        ("failed", {"error": FULL}, "disk_full", "Not usable."),
        ("question", {"error": ERROR, "questions": [QUESTION]}, "bad_dataset", "What of images"),
        ("ready", {"summary": SUMMARY | {"splits": {"train": 1}}}, "bad_dataset", "1 image"),
        ("ready", {"summary": SUMMARY, "refused_change": REFUSED}, "bad_dataset", "Not usable."),
    ],
)
def test_where_no_run_can_come_of_the_set_it_has_failed(
    cluster: Cluster, status: str, values: dict[str, Any], code: str, said: str
):
    cluster.ended(status, **values)
    cluster.admission.look()
    assert cluster.run.status == RunStatus.FAILED
    assert cluster.run.error
    assert cluster.run.error["code"] == code
    assert said in cluster.run.error["message"]
    assert cluster.run.ended_at
    assert read_json(cluster.storage.run(cluster.id).record)["status"] == "failed"
    retried = cluster.life.retry(cluster.id)
    assert (retried.status, retried.awaits_dataset) == (RunStatus.QUEUED, True)
    assert cluster.runs.claim("cpu", "w") is None, "it waits for its set again"


def test_it_ends_as_any_queued_run_does(cluster: Cluster):
    cancelled = cluster.waiting(2).id
    assert cluster.runs.stop(cluster.id, "now").status == RunStatus.STOPPED
    assert cluster.life.cancel(cancelled).status == RunStatus.CANCELLED
    cluster.ended("ready", summary=SUMMARY)
    cluster.admission.look()
    assert [cluster.runs.get(one).status for one in (cluster.id, cancelled)] == ["stopped", "cancelled"]
    assert cluster.life.resume(cluster.id, None).awaits_dataset
    cluster.admission.look()
    held = cluster.runs.claim("cpu", "w")
    assert held
    assert held.id == cluster.id


def test_it_waits_on_after_redis_has_lost_everything(cluster: Cluster, client: Client):
    client.flushall()
    cluster.reindex.rebuild()
    assert cluster.runs.awaiting_dataset() == [cluster.id]
    assert cluster.runs.claim("cpu", "w") is None
    cluster.ended("ready", summary=SUMMARY)
    cluster.admission.look()
    assert not cluster.run.awaits_dataset


def test_one_that_cannot_be_read_keeps_no_other_from_it(cluster: Cluster, client: Client):
    other = cluster.waiting(2).id
    client.hset(keys.record("run", cluster.id), "spec", "{")
    cluster.ended("ready", summary=SUMMARY)
    cluster.admission.look()
    assert not cluster.runs.get(other).awaits_dataset
