"""A worker's place for predictions on a real Redis, its process scripted so that it can be made to fail."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from tests.waits import scaled, wait_for
from trainyard.library.prediction import PredictionJob, WeightsJob
from trainyard.storage.ids import new_prediction_id
from trainyard.store import keys
from trainyard.store.connection import connect
from trainyard.store.resources.prediction_store import PredictionStore
from workers.predict import server as module
from workers.predict.server import PredictionServer

Ask = Callable[..., str]


@pytest.fixture
def store(redis_url: str) -> PredictionStore:
    return PredictionStore(connect(redis_url))


@pytest.fixture
def ask(store: PredictionStore) -> Ask:
    """Asks what the scripted process is to do; the id."""

    def ask(what: str, seconds: float = 100) -> str:
        job = PredictionJob(
            id=new_prediction_id(), model_id="model-0", file="model.onnx", form="json", names=(what,)
        )
        store.ask(job, seconds)
        return job.id

    return ask


@pytest.fixture
def serving(store: PredictionStore, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PredictionServer]:
    monkeypatch.setattr(module, "PREDICT_CHILD", "tests.unit.scripted_predict")
    monkeypatch.setattr(module, "IDLE_S", scaled(100))
    draining = threading.Event()
    server = PredictionServer(store, tmp_path, "host:1:x", draining, lambda: 3)
    server.start()
    yield server
    draining.set()
    server.join()
    assert server._child is None


def answer(store: PredictionStore, job_id: str) -> dict[str, Any]:
    return wait_for(lambda: store.answered(job_id), lambda found: found is not None)


def test_one_process_answers_one_after_the_other(serving: PredictionServer, store: PredictionStore, ask: Ask):
    answers = [answer(store, job)["result"] for job in [ask("go"), ask("go"), ask("go")]]
    assert len({found["pid"] for found in answers}) == 1
    assert answers[0]["threads"] == 3
    assert store.waiting() == 0


def test_a_crash_is_told_and_the_next_one_is_answered(
    serving: PredictionServer, store: PredictionStore, ask: Ask
):
    crashed, after = ask("crash"), ask("go")
    assert answer(store, crashed)["error"]["code"] == "child_died"
    assert answer(store, after)["result"]["threads"] == 3


def test_a_job_that_outlives_its_time_is_ended(serving: PredictionServer, store: PredictionStore, ask: Ask):
    before = answer(store, ask("go"))["result"]["pid"]
    hung = ask("hang", seconds=1)
    assert answer(store, hung)["error"]["code"] == "prediction_timeout"
    assert not psutil.pid_exists(before)
    assert answer(store, ask("go"))["result"]["pid"] != before


def test_what_nobody_waits_for_any_more_is_not_computed(store: PredictionStore, ask: Ask, redis_url: str):
    given_up, wanted = ask("go"), ask("go")
    assert store.give_up(given_up), "no worker had taken it"
    lapsed = ask("go")
    connect(redis_url).delete(keys.prediction(lapsed))
    found = store.take()
    assert found is not None
    assert found[0].id == wanted
    assert 90 < found[1] <= 100
    assert store.take() is None
    assert not store.give_up(wanted), "a worker has it"


def test_a_process_that_was_idle_for_long_is_begun_anew(
    serving: PredictionServer, store: PredictionStore, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "IDLE_S", 0.0)
    before = answer(store, ask("go"))["result"]["pid"]
    wait_for(lambda: psutil.pid_exists(before), lambda there: not there)
    assert answer(store, ask("go"))["result"]["pid"] != before


@pytest.mark.parametrize(
    ("name", "expected"),
    [("best", {"result": {}}), ("crash", {"code": "child_died"}), ("hang", {"code": "prediction_timeout"})],
)
def test_weights_are_written_by_a_process_of_their_own(
    serving: PredictionServer, store: PredictionStore, ask: Ask, monkeypatch: pytest.MonkeyPatch, name: str,
    expected: dict[str, Any],
):  # fmt: skip
    monkeypatch.setattr(module, "WEIGHTS_CHILD", "tests.unit.scripted_weights")
    kept = answer(store, ask("go"))["result"]["pid"]
    job = WeightsJob(id=new_prediction_id(), run_id="run-0", file=name)
    store.ask(job, 1 if name == "hang" else 100)
    found = answer(store, job.id)
    assert expected.items() <= {**found, **found.get("error", {})}.items()
    assert answer(store, ask("go"))["result"]["pid"] == kept, "that of predictions stays"
