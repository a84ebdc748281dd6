"""Spans of OpenTelemetry, at what stands for a collector: from the request to the worker's attempt."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.api.collector import Collector, collecting
from tests.api.server import Server, environment
from tests.api.summary import SUMMARY
from tests.unit.scripted_child import STUBBORN
from tests.waits import scaled, wait_for
from trainyard import tracing
from trainyard.errors import SettingsError
from trainyard.settings import REPOSITORY, Settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CONTENT_HASH = "c0de" * 16
SENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as running:
        yield running


def worker(server: Server, role: str, endpoint: str) -> subprocess.Popen[bytes]:
    variables = {
        "TRAINYARD_REDIS_URL": server._redis_url,
        "TRAINYARD_STORAGE": str(server.storage.root),
        "TRAINYARD_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    command = [sys.executable, "-m", "tests.unit.scripted_worker", role]
    return subprocess.Popen(command, cwd=REPOSITORY, env={**environment(), **variables})


@pytest.mark.timeout(300)
def test_a_trace_goes_from_the_request_to_the_attempts_of_workers(
    redis_url: str, tmp_path: Path, collector: Collector
):
    options = {"TRAINYARD_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    server = Server(redis_url, tmp_path, **options)
    server.start()
    workers = []
    try:
        folder = server.storage.root / "incoming" / "set"
        folder.mkdir(parents=True)
        body = {"name": "set", "path": "set"}
        server.http.post("/api/v1/datasets", json=body, headers={"traceparent": SENT})
        workers.append(worker(server, "ingest", collector.url))
        [ingest] = wait_for(lambda: collector.named("ingest"))
        [claim] = collector.named("claim")
        [request] = collector.named("POST /api/v1/datasets")
        assert {one.trace for one in (ingest, claim, request)} == {TRACE}
        assert (request.parent, ingest.parent, claim.parent) == ("00f067aa0ba902b7", request.id, request.id)
        assert (request.service, ingest.service) == ("trainyard-api", "trainyard-worker")
        assert (request.about["http.response.status_code"], request.has_failed) == ("202", False)
        assert ingest.has_failed, "the script has no set to make"
    finally:
        for one in workers:
            one.terminate()
            one.wait(scaled(60))
        server.close()


@pytest.mark.timeout(300)
def test_a_run_carries_its_trace_to_its_attempt(redis_url: str, tmp_path: Path, collector: Collector):
    options = {"TRAINYARD_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    server = Server(redis_url, tmp_path, **options)
    server.start()
    running = None
    try:
        (server.storage.root / "incoming" / "set").mkdir(parents=True)
        server.http.post("/api/v1/datasets", json={"name": "set", "path": "set"})
        held = server.datasets.claim("ingest", "hand")
        assert held
        summary = {**SUMMARY, "content_hash": CONTENT_HASH}
        dataset_id = server.datasets.finish(held, "ready", summary=summary).id
        prepared = server.storage.dataset(dataset_id).version(CONTENT_HASH)
        prepared.mkdir(parents=True, exist_ok=True)
        (prepared / "script").write_text(STUBBORN)
        body = {"dataset_id": dataset_id, "device_class": "cpu"}
        made = server.http.post("/api/v1/runs", json=body, headers={"traceparent": SENT}).json()
        assert "trace_parent" not in made
        running = worker(server, "train", collector.url)
        wait_for(lambda: server.runs.get(made["id"]).epoch == 1)
        server.http.post(f"/api/v1/runs/{made['id']}/stop", json={"when": "now"})
        [attempt] = wait_for(lambda: collector.named("attempt"))
        [request] = collector.named("POST /api/v1/runs")
        [claim] = [one for one in collector.named("claim") if one.about["trainyard.id"] == made["id"]]
        assert {one.trace for one in (attempt, claim, request)} == {TRACE}
        assert (attempt.parent, claim.parent) == (request.id, request.id)
        assert (attempt.about["trainyard.run"], attempt.about["trainyard.attempt"]) == (made["id"], "1")
        assert attempt.nanoseconds > claim.nanoseconds > 0
        assert attempt.about["trainyard.status"] in ("stopped", "finishing")
        [other] = collector.named("POST /api/v1/runs/<run_id>/stop")
        assert other.trace != TRACE
    finally:
        if running:
            running.terminate()
            running.wait(scaled(60))
        server.close()


def test_nothing_is_traced_without_the_setting_or_without_the_packages(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    tracing.start_tracing("", "s")
    assert tracing._Present.provider is None
    monkeypatch.setattr(tracing, "find_spec", lambda name: None)
    tracing.start_tracing("http://127.0.0.1:9", "s")
    assert tracing._Present.provider is None
    assert "telemetry" in caplog.text
    with tracing.span("a", {"b": "c"}, parent=SENT) as found:
        found.set_attribute("d", 1)
        tracing.fail(found, "why")
        assert tracing.trace_parent() is None
    tracing.stop_tracing()


@pytest.mark.parametrize("parent", [None, "", "nonsense", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", SENT])
def test_what_strangers_send_as_their_trace_is_taken_or_left(parent: str | None, collector: Collector):
    tracing.start_tracing(collector.url, "s")
    try:
        with tracing.span("outer", {}, parent=parent):
            made = str(tracing.trace_parent())
            assert (made.split("-")[1] == TRACE) == (parent == SENT)
    finally:
        tracing.stop_tracing()
    [found] = collector.named("outer")
    assert made.startswith(f"00-{found.trace}-{found.id}-")


def test_a_collector_that_is_away_holds_nobody_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    tracing.start_tracing("http://127.0.0.1:9", "s")
    try:
        for _ in range(100):
            with tracing.span("lost", {}):
                pass
    finally:
        tracing.stop_tracing()


def test_the_setting():
    assert Settings.from_environment({}).otlp_endpoint == ""
    given = {"TRAINYARD_OTLP_ENDPOINT": "http://collector:4318"}
    assert Settings.from_environment(given) == replace(
        Settings.from_environment({}), otlp_endpoint="http://collector:4318"
    )
    for wrong in ("collector:4318", "grpc://x", "http://", "http://a b"):
        with pytest.raises(SettingsError, match="TRAINYARD_OTLP_ENDPOINT"):
            Settings.from_environment({"TRAINYARD_OTLP_ENDPOINT": wrong})
