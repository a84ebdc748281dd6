"""The stack as a service: what dies comes back, what is stopped drains, and who joins finds its way."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis

from tests.chaos import step_log
from tests.e2e.conftest import Stack, start_stack, stop_stack
from tests.waits import scaled, wait_for
from trainyard.settings import REPOSITORY

pytestmark = pytest.mark.timeout(300)

Start = Callable[..., Stack]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts stacks that are stopped whatever happens."""
    started: list[Stack] = []

    def start(storage: Path, *processes: str, **settings: str) -> Stack:
        started.append(start_stack(storage, *processes, **settings))
        return started[-1]

    yield start
    for stack in started:
        stop_stack(stack)


def training_workers(stack: Stack) -> list[dict[str, Any]]:
    items = stack.http.get("/api/v1/workers").json()["items"]
    return [worker for worker in items if "ingest" not in worker["queues"]]


def own_redis(stack: Stack, password: str | None) -> redis.Redis:
    return redis.Redis(port=int(stack.environment["TRAINYARD_REDIS_PORT"]), password=password)


def test_redis_and_flower_are_behind_passwords_that_the_stack_keeps(start: Start, tmp_path: Path):
    storage = tmp_path / "storage"
    stack = start(storage, "redis", "web", "flower", FLOWER_BASIC_AUTH="")
    folder = tmp_path / "storage.stack"
    passwords = {name: (folder / name).read_text().strip() for name in ("redis-password", "flower-password")}
    assert [stat.S_IMODE((folder / name).stat().st_mode) for name in passwords] == [0o600, 0o600]

    with own_redis(stack, passwords["redis-password"]) as client:
        assert client.ping()
    with own_redis(stack, None) as client, pytest.raises(redis.AuthenticationError):
        client.ping()

    url = f"http://127.0.0.1:{stack.environment['TRAINYARD_FLOWER_PORT']}/workers"
    login = ("trainyard", passwords["flower-password"])
    page = wait_for(lambda: flower_answers(url, login), lambda code: code is not None)
    assert (page, flower_answers(url, None)) == (200, 401)

    shown = stack.log + "".join(stack.survivors())
    assert f"Redis: 127.0.0.1:{stack.environment['TRAINYARD_REDIS_PORT']}" in shown
    for password in passwords.values():
        assert password not in shown
    stack.interrupt()
    start(storage, "redis", "web", "flower", FLOWER_BASIC_AUTH="")
    assert passwords == {name: (folder / name).read_text().strip() for name in passwords}


def flower_answers(url: str, login: tuple[str, str] | None) -> int | None:
    try:
        return httpx.get(url, auth=login, timeout=scaled(30)).status_code
    except httpx.TransportError:
        return None


def test_a_process_that_dies_is_started_again(start: Start, tmp_path: Path):
    stack = start(tmp_path / "storage", "redis", "web", "worker")
    wait_for(lambda: training_workers(stack), bool)
    for name in ("worker", "web", "redis"):
        before = stack.pid(name)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda name=name: stack.pid(name), lambda pid, before=before: pid != before)
        assert f"exited: {name} (terminated by SIGKILL; not expected)" in stack.log
    first = psutil.Process(stack.pid("redis"))
    wait_for(lambda: stack.log.count("Server initialized"), lambda starts: starts >= 2)
    wait_for(lambda: ready(stack), lambda code: code == 200)
    wait_for(lambda: training_workers(stack), bool)
    assert first.is_running(), "it listens on its port once the server before has left it"
    stack.interrupt(60)
    assert stack.survivors() == []


def ready(stack: Stack) -> int | None:
    try:
        return stack.http.get("/readyz").status_code
    except httpx.TransportError:
        return None


def test_sigterm_lets_a_batch_of_nine_seconds_end(start: Start, tmp_path: Path, synthetic_zip: Path):
    site, steps = tmp_path / "site", tmp_path / "steps"
    steps.mkdir()
    step_log.install(site)
    slow = {
        "PYTHONPATH": f"{site}{os.pathsep}{REPOSITORY}",
        step_log.FOLDER_VARIABLE: str(steps),
        step_log.STEP_VARIABLE: "9",
    }
    stack = start(tmp_path / "storage", "redis", "web", "worker", "ingest", **slow)
    dataset = stack.upload(synthetic_zip, name="shapes", project="made")
    run = stack.submit(dataset["id"], epochs=2)
    wait_for(lambda: step_log.read_marks(steps), bool, 120)  # its first batch has begun
    stack.process.send_signal(signal.SIGTERM)
    stack.process.wait(scaled(90))
    assert stack.survivors() == []

    record = json.loads((stack.storage / "runs" / run["id"] / "run.json").read_text())
    assert (record["status"], record["crashes"]) == ("queued", 0)
    assert [attempt["reason"] for attempt in record["attempts"]] == ["drained"]
    assert record["checkpoints"]["last"]["step"] >= 1
    stopped = [
        line.split("stopped: ")[1].split()[0] for line in stack.log.splitlines() if " stopped: " in line
    ]
    assert stopped[-1] == "redis"
    assert sorted(stopped) == ["ingest", "redis", "web", "worker"]


@pytest.mark.thorough
def test_a_stack_that_is_killed_leaves_nothing_in_the_way_of_the_next(start: Start, tmp_path: Path):
    storage = tmp_path / "storage"
    stack = start(storage, "redis", "web", "worker")
    wait_for(lambda: training_workers(stack), bool)
    stack.process.kill()
    stack.process.wait()
    wait_for(stack.survivors, lambda left: left == [])
    start(storage, "redis", "web")


@pytest.mark.thorough
def test_one_line_lets_another_worker_join(start: Start, tmp_path: Path):
    stack = start(tmp_path / "storage", "redis", "web", "worker")
    wait_for(lambda: training_workers(stack), lambda found: len(found) == 1)
    with (tmp_path / "joined.log").open("wb") as log:
        joined = subprocess.Popen(
            [sys.executable, "-m", "deploy.stack", "worker"],
            cwd=REPOSITORY, env=stack.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: training_workers(stack), lambda found: len(found) == 2)
    finally:
        joined.send_signal(signal.SIGTERM)
        assert joined.wait(scaled(60)) == 0
    assert "stopped: worker (exit status 0)" in (tmp_path / "joined.log").read_text()


@pytest.mark.thorough
def test_a_command_finds_the_redis_of_the_stack(start: Start, tmp_path: Path):
    stack = start(tmp_path / "storage", "redis", "web")
    command = [sys.executable, "-m", "deploy.join", "python", "-m", "trainyard", "reindex"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=stack.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_who_joins_where_no_stack_was_started_is_told_so(tmp_path: Path):
    environment = {**os.environ, "TRAINYARD_STORAGE": str(tmp_path / "storage")}
    environment.pop("TRAINYARD_REDIS_URL", None)
    for module in (["deploy.join", "true"], ["deploy.stack", "worker"]):
        done = subprocess.run(
            [sys.executable, "-m", *module],
            cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("No stack was started here")
        assert "TRAINYARD_REDIS_URL" in line
    assert list(tmp_path.iterdir()) == []
