"""What a worker does beside its work: in order, whatever an act runs into, all of it before the end."""

import logging
import threading
from pathlib import Path

import pytest

from tests.unit.records import a_run
from trainyard.registry.runs import RunRegistry
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store.connection import connect
from workers.process.beside import Beside, at_once


def test_acts_are_done_in_order_and_before_the_end(caplog: pytest.LogCaptureFixture):
    beside, gate = Beside(), threading.Event()
    done: list[int] = []
    beside.do(gate.wait)
    beside.do(lambda: done.append(1))
    beside.do(lambda: 1 / 0)
    beside.do(lambda: done.append(2))
    assert done == []
    gate.set()
    with caplog.at_level(logging.ERROR):
        beside.finish(60)
    assert done == [1, 2]
    assert "ZeroDivisionError" in caplog.text
    at_once(lambda: done.append(3))
    assert done == [1, 2, 3]
    Beside().finish(0)  # with nothing to do


def test_a_claim_does_not_wait_for_storage_and_storage_has_it_in_the_end(redis_url: str, tmp_path: Path):
    storage = Storage(tmp_path)
    runs = RunRegistry(connect(redis_url), storage)
    run = runs.submit(a_run(1))[1]
    beside, gate = Beside(), threading.Event()
    runs.mirror_by = beside.do
    beside.do(gate.wait)
    held = runs.claim("train", "w")
    assert held
    changed = runs.update(held, epoch=3)
    ended = runs.finish(changed, "completed")
    assert (ended.status, ended.epoch) == ("completed", 3)
    assert runs.get(run.id) == ended
    assert read_json(storage.run(run.id).record)["status"] == "queued"
    gate.set()
    beside.finish(60)
    assert read_json(storage.run(run.id).record)["revision"] == ended.revision
