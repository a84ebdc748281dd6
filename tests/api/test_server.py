"""The server process itself: `python -m app`, over real HTTP."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.api.server import MAX_UPLOAD_MB, Server, environment
from tests.waits import scaled
from trainyard.registry.event_log import publish
from trainyard.runs.events import EpochEnd, StatusChanged
from trainyard.settings import MEBIBYTE, REPOSITORY

UPLOAD_MB = 48


def archive(path: Path, megabytes: int) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for index in range(megabytes):
            file.writestr(f"images/{index}.png", os.urandom(MEBIBYTE))
    return path


def send(server: Server, path: Path) -> httpx.Response:
    with path.open("rb") as file:
        files = {"file": ("set.zip", file)}
        return server.http.post("/api/v1/datasets", data={"name": "big"}, files=files)


def test_an_upload_is_never_held_in_memory(server: Server, tmp_path: Path):
    assert send(server, archive(tmp_path / "small.zip", 1)).status_code == 202
    before = server.memory()
    path = archive(tmp_path / "big.zip", UPLOAD_MB)
    response = send(server, path)
    assert response.status_code == 202, response.text
    assert server.storage.dataset(response.json()["id"]).upload.stat().st_size == path.stat().st_size
    assert server.memory() - before < UPLOAD_MB * MEBIBYTE / 2


def test_too_large_an_upload_is_refused_however_it_is_sent(server: Server, tmp_path: Path):
    announced = send(server, archive(tmp_path / "huge.zip", MAX_UPLOAD_MB + 8))
    assert announced.status_code == 413
    assert announced.json()["code"] == "payload_too_large"

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
        for _ in range(MAX_UPLOAD_MB + 1):
            yield bytes(MEBIBYTE)
        yield b"\r\n--x--\r\n"

    content_type = {"Content-Type": "multipart/form-data; boundary=x"}
    chunked = server.http.post("/api/v1/datasets", content=body(), headers=content_type)
    assert chunked.status_code == 413
    datasets = server.storage.root / "datasets"
    assert not datasets.exists() or list(datasets.iterdir()) == []


def test_events_arrive_live_and_a_signal_ends_stream_and_server(server: Server, tmp_path: Path):
    assert send(server, archive(tmp_path / "set.zip", 1)).status_code == 202
    body = {"dataset_id": server.ready_set()}
    run_id = server.http.post("/api/v1/runs", json=body).json()["id"]
    held = server.runs.claim("cpu", "hand")
    assert held
    folder = server.storage.run(run_id)
    with server.http.stream("GET", f"/api/v1/runs/{run_id}/events") as response:
        lines = response.iter_lines()
        assert _next_event(lines)["status"] == "queued"
        publish(server.runs.live, folder, run_id, EpochEnd(epoch=1, step=5, metrics={"val_miou": 0.5}))
        assert _next_event(lines)["metrics"] == {"val_miou": 0.5}
        server.process.terminate()
        assert not [line for line in lines if line.startswith("data:")], "the stream ends"
    assert server.process.wait(scaled(20)) == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()
    assert "SIGKILL" not in (tmp_path / "server.log").read_text()


def test_a_stream_of_an_ended_run_closes(server: Server, tmp_path: Path):
    assert send(server, archive(tmp_path / "set.zip", 1)).status_code == 202
    run_id = server.http.post("/api/v1/runs", json={"dataset_id": server.ready_set()}).json()["id"]
    held = server.runs.claim("cpu", "hand")
    assert held
    run = server.runs.finish(held, "completed")
    ended = StatusChanged(status=run.status, revision=run.revision)
    publish(server.runs.live, server.storage.run(run_id), run_id, ended)
    text = server.http.get(f"/api/v1/runs/{run_id}/events").text
    assert text.count("event: status") == 2


def test_it_does_not_serve_other_machines_without_keys(redis_url: str, tmp_path: Path):
    ended = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=REPOSITORY,
        env=environment(TRAINYARD_HOST="0.0.0.0", TRAINYARD_REDIS_URL=redis_url),  # noqa: S104
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )
    assert ended.returncode == 2
    assert "TRAINYARD_API_KEY_HASHES" in ended.stderr


def _next_event(lines: Iterator[str]) -> dict:
    return json.loads(next(line for line in lines if line.startswith("data:")).removeprefix("data:"))
