"""Data sets whose ingest failed for no fault of the user: tried again, by itself and when asked."""

import errno
import signal
import threading
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, upload
from tests.api.test_ingest_crash import pictures
from trainyard.lease import LeaseRules, Ownership
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store.connection import Client
from workers.datasets import supervisor as ingest_supervisor
from workers.datasets.supervisor import IngestSupervisor
from workers.process import oom_kills

DATASETS = "/api/v1/datasets"
FAULTY = "tests.api.faulty_ingest_child"


class Ingests:
    """A client, and a worker whose ingests fail by the script in the set's folder, or do not without one."""

    def __init__(self, client: FlaskClient, hand: Hand, storage: Storage) -> None:
        self.client, self._hand, self._storage = client, hand, storage
        self.id = upload(client, pictures(6), classes='{"0": "no", "1": "yes"}').json["id"]  # type: ignore[index]

    @property
    def folder(self) -> Any:
        return self._storage.dataset(self.id)

    def work(self, script: str | None = None) -> Any:
        path = self.folder.path / "script"
        path.write_text(script) if script else path.unlink(missing_ok=True)
        held = self._hand.datasets.claim("ingest", "worker")
        assert held, "it waits for nothing"
        owned = Ownership(LeaseRules(), time.monotonic())
        IngestSupervisor(self._hand.datasets, self._storage, threading.Event(), held, owned).supervise()
        return self.read()

    def read(self) -> Any:
        return self.client.get(f"{DATASETS}/{self.id}").json

    def retry(self) -> Any:
        return self.client.post(f"{DATASETS}/{self.id}/retry")


@pytest.fixture
def ingests(client: FlaskClient, hand: Hand, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Ingests:
    monkeypatch.setattr(ingest_supervisor, "INGEST_CHILD", FAULTY)
    return Ingests(client, hand, storage)


def assert_speaks_of_sets(error: dict[str, Any], code: str) -> None:
    assert (error["code"], error["cause"]) == (code, "infrastructure")
    told = f"{error['message']} {error['remedy']}".lower()
    for word in ("run ", "epoch", "checkpoint", "batch", "train"):
        assert word not in told, f"{word!r} in {told!r}"


TRIED_AGAIN = {
    f"signal {signal.SIGKILL:d}": "child_died",
    f"signal {signal.SIGSEGV:d}": "segfault",
    f"signal {signal.SIGBUS:d}": "segfault",
    "exit 3": "child_died",
    "MemoryError": "host_out_of_memory",
    f"OSError {errno.ESTALE}": "storage_unavailable",
    f"OSError {errno.EIO}": "storage_unavailable",
}


@pytest.mark.variants(2)
@pytest.mark.parametrize(("script", "code"), TRIED_AGAIN.items(), ids=TRIED_AGAIN.values())
def test_it_is_tried_again_up_to_the_limit_and_then_says_why(ingests: Ingests, script: str, code: str):
    for _ in range(2):
        waiting = ingests.work(script)
        assert (waiting["status"], waiting["error"]) == ("queued", None)
    failed = ingests.work(script)
    assert failed["status"] == "failed"
    assert_speaks_of_sets(failed["error"], code)
    assert "while images/3.png and its mask were read" in failed["error"]["message"]
    assert "/retry" in failed["error"]["remedy"]
    answer = ingests.retry()
    assert (answer.status_code, answer.json["status"], answer.json["error"]) == (202, "queued", None)
    assert answer.headers["Location"] == f"{DATASETS}/{ingests.id}"
    assert ingests.retry().json["status"] == "queued", "asked for twice, it is the same"
    assert ingests.work()["status"] == "ready"
    assert read_json(ingests.folder.record)["status"] == "ready"


def test_a_fault_that_heals_by_itself_needs_nobody(ingests: Ingests):
    assert ingests.work(f"signal {signal.SIGKILL:d}")["status"] == "queued"
    assert ingests.work()["status"] == "ready"


@pytest.mark.parametrize(
    ("script", "code"), [(f"OSError {errno.ENOSPC}", "disk_full"), ("ValueError", "engine_error")]
)
def test_what_no_other_try_mends_fails_at_once(ingests: Ingests, script: str, code: str):
    failed = ingests.work(script)
    assert failed["status"] == "failed"
    assert_speaks_of_sets(failed["error"], code)
    assert ingests.retry().status_code == 202
    assert ingests.work()["status"] == "ready"


def test_a_kill_that_the_kernel_counted_is_a_lack_of_memory(ingests: Ingests, monkeypatch):
    counts = iter([0, 1] * 3)
    monkeypatch.setattr(oom_kills, "oom_kills", lambda: next(counts))
    for _ in range(3):
        last = ingests.work(f"signal {signal.SIGKILL:d}")
    assert_speaks_of_sets(last["error"], "host_out_of_memory")


@pytest.mark.parametrize("is_lost", [False, True])
def test_the_version_in_use_outlives_a_change_that_fails(
    ingests: Ingests, hand: Hand, redis_client: Client, is_lost: bool
):
    before = ingests.work()
    change = {"label_map": {"0": 1, "1": 0}}
    assert ingests.client.post(f"{DATASETS}/{ingests.id}/label-map", json=change).status_code == 202
    for _ in range(3):
        if is_lost:
            hand.datasets.claim("ingest", "lost")
            redis_client.zadd("ty:leases:dataset", {ingests.id: 1})
            hand.datasets.reap()
        else:
            ingests.work("exit 3")
    kept = ingests.read()
    assert (kept["status"], kept["error"], kept["change"]) == ("ready", None, None)
    assert (kept["summary"], kept["version"], kept["images_done"]) == (before["summary"], 1, 6)
    refused = kept["refused_change"]
    assert refused["options"]["label_map"] == {"0": 1, "1": 0}
    assert refused["problems"] == refused["questions"] == []
    assert_speaks_of_sets(refused["error"], "worker_lost" if is_lost else "child_died")
    assert ingests.retry().json["change"]["label_map"] == {"0": 1, "1": 0}
    assert ingests.work()["version"] == 2


def test_a_set_that_is_lost_for_good_speaks_of_sets(ingests: Ingests, hand: Hand, redis_client: Client):
    for _ in range(3):
        hand.datasets.claim("ingest", "lost")
        redis_client.zadd("ty:leases:dataset", {ingests.id: 1})
        hand.datasets.reap()
    assert_speaks_of_sets(ingests.read()["error"], "worker_lost")


def test_where_nothing_has_failed_nothing_is_tried_again(ingests: Ingests):
    assert ingests.retry().json["status"] == "queued"
    ingests.work()
    refused = ingests.retry()
    assert (refused.status_code, refused.json["errors"]["status"]) == (409, "ready")
    assert ingests.client.post(f"{DATASETS}/ds-0123456789ab/retry").status_code == 404
