"""The stack as a whole: it ends cleanly, goes on where it was, and stands beside another."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.redis import free_port
from tests.e2e.conftest import SMALLEST, Stack, start_stack, stop_stack
from trainyard.settings import REPOSITORY
from trainyard.store.connection import connect

pytestmark = pytest.mark.timeout(240)
PROCESSES = ("redis", "web", "worker", "ingest")


@pytest.fixture
def stacks():
    """Starts stacks that are stopped whatever happens."""
    started: list[Stack] = []

    def start(storage: Path, *more: str, redis_url: str | None = None, **settings: str) -> Stack:
        started.append(start_stack(storage, *PROCESSES, *more, redis_url=redis_url, **settings))
        return started[-1]

    yield start
    for stack in started:
        stop_stack(stack)


def run_module(*command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`python -m` of the command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_ctrl_c_ends_all_and_the_run_goes_on_with_the_next_start(stacks, tmp_path, synthetic_zip):
    first = stacks(tmp_path / "storage")
    dataset = first.upload(synthetic_zip, name="shapes", project="made")
    run = first.submit(dataset["id"], epochs=10, export={"onnx": False}, **SMALLEST)
    before = first.wait_run(run["id"], lambda r: r["epoch"] >= 2)
    first.interrupt()
    assert first.survivors() == []

    second = stacks(tmp_path / "storage")
    completed = second.wait_run(run["id"], lambda r: r["status"] == "completed")
    assert completed["fence"] == before["fence"] + 2, "one hold to train on, one to finish"
    rows = second.http.get(f"/api/v1/runs/{run['id']}/metrics").json()["items"]
    assert [row["epoch"] for row in rows] == list(range(1, 11))
    assert completed["step"] == 10 * 8


@pytest.mark.thorough
def test_two_stacks_side_by_side(stacks, tmp_path, synthetic_zip):
    one, two = stacks(tmp_path / "one"), stacks(tmp_path / "two")
    one.upload(synthetic_zip, name="shapes", project="made")
    assert len(one.http.get("/api/v1/datasets").json()["items"]) == 1
    assert two.http.get("/api/v1/datasets").json()["items"] == []


@pytest.mark.thorough
def test_a_redis_of_ones_own_is_used(stacks, tmp_path, synthetic_zip, redis_url):
    stack = stacks(tmp_path / "storage", redis_url=redis_url)
    dataset = stack.upload(synthetic_zip, name="shapes", project="made")
    assert dataset["status"] == "ready"
    assert connect(redis_url).exists(f"ty:dataset:{dataset['id']}")
    assert not (tmp_path / "storage.redis").exists()
    stack.interrupt()
    assert stack.survivors() == []


@pytest.mark.thorough
def test_a_second_stack_on_the_same_storage_is_refused(stacks, tmp_path):
    stacks(tmp_path / "storage")
    environment = {**os.environ, "TRAINYARD_STORAGE": str(tmp_path / "storage")}
    environment.pop("TRAINYARD_REDIS_URL", None)
    refused = run_module("deploy.stack", environment=environment)
    assert refused.returncode == 1
    assert "Another stack already runs" in refused.stderr


def test_a_port_that_is_in_use_is_refused_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment = {
            **os.environ,
            "TRAINYARD_STORAGE": str(tmp_path / "storage"),
            "TRAINYARD_PORT": str(free_port()),
            "TRAINYARD_FLOWER_PORT": str(free_port()),
            "TRAINYARD_REDIS_PORT": str(port),
        }
        environment.pop("TRAINYARD_REDIS_URL", None)
        refused = run_module("deploy.stack", environment=environment)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"Port {port}, for Redis, is in use by another program. "
        "Stop that program, or set TRAINYARD_REDIS_PORT to another port."
    ]
