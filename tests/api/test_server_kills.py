"""A server that is killed under load, and a Redis that is emptied: nothing that was accepted is lost."""

import threading
import time
from collections import Counter

import httpx
import pytest

from tests.api.conftest import archive
from tests.api.server import Server
from tests.waits import scaled, wait_for
from trainyard.storage.json_files import read_json
from trainyard.store import keys

RUNS = "/api/v1/runs"
SUBMITTERS = 4
EACH = 12
KILLS = 2


class Submitter(threading.Thread):
    """Submits runs, each with a key of its own, and again until it has an answer."""

    def __init__(self, number: int, server: Server, dataset_id: str) -> None:
        super().__init__(daemon=True)
        self.ids: list[str] = []
        self.failures = 0
        self._keys = [f"{number}-{place}" for place in range(EACH)]
        self._server = server
        self._dataset_id = dataset_id

    def run(self) -> None:
        for key in self._keys:
            self.ids.append(self._submit(key))

    def _submit(self, key: str) -> str:
        while True:
            try:
                answer = self._server.http.post(
                    RUNS, json={"dataset_id": self._dataset_id, "name": key}, headers={"Idempotency-Key": key}
                )
            except httpx.TransportError:
                self.failures += 1
                time.sleep(0.05)
            else:
                assert answer.status_code == 201, answer.text
                assert answer.json()["name"] == key
                return str(answer.json()["id"])


@pytest.mark.timeout(180)
def test_killed_under_load_it_loses_no_accepted_run(server: Server):
    files = {"file": ("a.zip", archive())}
    assert server.http.post("/api/v1/datasets", data={"name": "a"}, files=files).status_code == 202
    dataset_id = server.ready_set()
    submitters = [Submitter(number, server, dataset_id) for number in range(SUBMITTERS)]
    for submitter in submitters:
        submitter.start()
    for kill in range(KILLS):
        wanted = (kill + 1) * SUBMITTERS * EACH // (KILLS + 1)
        while sum(len(submitter.ids) for submitter in submitters) < wanted:
            time.sleep(0.005)
        server.kill()
        server.start()
    for submitter in submitters:
        submitter.join(scaled(60))
    assert sum(submitter.failures for submitter in submitters) >= KILLS, "requests were cut off"
    accepted = [run_id for submitter in submitters for run_id in submitter.ids]
    assert len(set(accepted)) == SUBMITTERS * EACH
    assert_all_are_there_once(server, accepted)

    server.kill()
    server.client.flushall()
    server.start()
    assert_all_are_there_once(server, accepted)

    server.client.flushall()
    wait_for(lambda: server.client.get(keys.INDEXED))  # a server that runs on fills Redis again by itself
    assert_all_are_there_once(server, accepted)


def assert_all_are_there_once(server: Server, accepted: list[str]) -> None:
    """In the lists, in the queue and in storage, and the same in each."""
    listed = server.http.get(RUNS, params={"limit": 200}).json()["items"]
    assert Counter(run["id"] for run in listed) == Counter(accepted)
    assert set(server.client.zrange(keys.queue("cpu"), 0, -1)) == set(accepted)
    assert {path.name for path in (server.storage.root / "runs").iterdir()} == set(accepted)
    for run_id in accepted:
        assert read_json(server.storage.run(run_id).record) == server.runs.to_json(server.runs.get(run_id))
