"""Alert rules and the dashboard, by a real Prometheus that scrapes a real server."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import yaml

from deploy.redis import free_port
from tests.api.conftest import archive
from tests.api.server import Server
from tests.waits import scaled, wait_for
from trainyard.settings import REPOSITORY
from trainyard.store.processes.worker_record import DeviceFigures, WorkerState
from trainyard.store.processes.workers import WorkerStore

FOLDER = REPOSITORY / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "grafana.json").read_text())
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="there is no Prometheus here; on Debian: apt-get install prometheus",
)


class Prometheus:
    """What a Prometheus of one's own knows."""

    def __init__(self, port: int) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=scaled(30))

    def get(self, path: str, **parameters: str) -> Any:
        answer = self._http.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def value(self, expression: str) -> float | None:
        found = self.get("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    def is_up(self) -> bool:
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def firing(self) -> dict[str, dict[str, str]]:
        """The alerts that fire, with their annotations."""
        alerts = self.get("alerts")["alerts"]
        return {one["labels"]["alertname"]: one["annotations"] for one in alerts if one["state"] == "firing"}


@pytest.fixture(scope="module")
def server(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    running = Server(redis_server, tmp_path_factory.mktemp("server"))
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def prometheus(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It scrapes each second, and its copy of the rules waits for nothing."""
    folder = tmp_path_factory.mktemp("prometheus")
    rules = [{**rule, "for": "0s"} for rule in RULES]
    (folder / "alerts.yml").write_text(yaml.safe_dump({"groups": [{"name": "trainyard", "rules": rules}]}))
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    [job] = config["scrape_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{server.http.base_url.port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    with subprocess.Popen(command) as process:
        found = Prometheus(port)
        try:
            wait_for(found.is_up)
            wait_for(lambda: found.value('up{job="trainyard"}') == 1)
            yield found
        finally:
            process.terminate()


def gpu_worker(**values: Any) -> WorkerState:
    told: dict[str, Any] = {
        "id": "w", "host": "h", "pid": 1, "device": "d", "memory_bytes": 8, "started_at": 1.0, "devices": 1,
        "queues": ("gpu",),
        "figures": (DeviceFigures(name="d", memory_used_bytes=6, memory_total_bytes=8, utilization=0.5,
                                  temperature_c=95),),
    }  # fmt: skip
    return WorkerState(**{**told, **values})


@needs_prometheus
def test_alerts_fire_when_they_are_meant_to_in_simulated_time():
    done = subprocess.run(
        ["promtool", "test", "rules", str(FOLDER / "alerts_test.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_prometheus
def test_every_panel_of_the_dashboard_finds_its_figures(server: Server, prometheus: Prometheus):
    """Each name that it asks for is one of /metrics, and Prometheus understands what is done with it."""
    WorkerStore(server.client).beat(gpu_worker())
    names = {
        line.split()[2] for line in server.http.get("/metrics").text.splitlines() if line.startswith("# TYPE")
    }
    panels = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
    assert len(panels) > 15
    for expression in [target["expr"] for panel in panels for target in panel["targets"]]:
        prometheus.get("query", query=expression)
        asked = {word for word in expression.replace("(", " ").replace("{", " ").replace("[", " ").split()
                 if word.startswith("trainyard_")}  # fmt: skip
        assert asked
        for name in asked:
            plain = name.rstrip(")")
            for ending in ("_bucket", "_count", "_sum"):
                plain = plain.removesuffix(ending)
            assert {plain, plain.removesuffix("_total")} & names, name


@needs_prometheus
def test_alerts_fire_and_go_out_again(server: Server, prometheus: Prometheus):
    workers = WorkerStore(server.client)
    server.http.post(
        "/api/v1/datasets", data={"name": "a", "project": "p"}, files={"file": ("a.zip", archive())}
    )
    wait_for(lambda: "TrainyardQueueUnserved" in prometheus.firing())
    assert "ingest" in prometheus.firing()["TrainyardQueueUnserved"]["summary"]
    workers.beat(gpu_worker(queues=("ingest", "gpu"), is_stalled=True))

    def beats_and_fires() -> bool:
        workers.beat(gpu_worker(queues=("ingest", "gpu"), is_stalled=True))
        return {"TrainyardWorkerStalled", "TrainyardGpuHot"} <= prometheus.firing().keys()

    wait_for(beats_and_fires)
    assert "TrainyardQueueUnserved" not in prometheus.firing()
    assert "95" in prometheus.firing()["TrainyardGpuHot"]["summary"]
    workers.leave("w")
    server.stop()
    wait_for(lambda: "TrainyardApiDown" in prometheus.firing())
    assert not {"TrainyardWorkerStalled", "TrainyardGpuHot"} & prometheus.firing().keys()
    server.start()
    wait_for(lambda: "TrainyardApiDown" not in prometheus.firing())


def test_each_alert_says_what_to_do():
    for rule in RULES:
        assert rule["alert"].startswith("Trainyard")
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "action"}
        assert f"`{rule['alert']}`" in Path(REPOSITORY / "docs" / "operations.md").read_text()
