"""The stack as a whole: it ends cleanly, goes on where it was, and stands beside another."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Stack, start_stack, stop_stack, wait_for

pytestmark = pytest.mark.timeout(240)
PROCESSES = ("redis", "web", "worker", "ingest")


@pytest.fixture
def stacks():
    """Starts stacks that are stopped whatever happens."""
    started: list[Stack] = []

    def start(storage: Path) -> Stack:
        started.append(start_stack(storage, *PROCESSES))
        return started[-1]

    yield start
    for stack in started:
        stop_stack(stack)


def test_ctrl_c_ends_all_and_the_run_goes_on_with_the_next_start(stacks, tmp_path, synthetic_zip):
    first = stacks(tmp_path / "storage")
    dataset = first.upload(synthetic_zip, name="shapes", project="made")
    run = first.submit(dataset["id"], epochs=6, export={"onnx": False})
    before = first.wait_run(run["id"], lambda r: r["epoch"] >= 2)
    first.interrupt()
    assert first.survivors() == []

    second = stacks(tmp_path / "storage")
    completed = second.wait_run(run["id"], lambda r: r["status"] == "completed")
    assert completed["fence"] == before["fence"] + 1
    rows = second.http.get(f"/api/v1/runs/{run['id']}/metrics").json()["items"]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert completed["step"] == 6 * 8


def test_a_killed_training_process_fails_its_run_and_not_the_worker(stacks, tmp_path, synthetic_zip):
    import psutil

    stack = stacks(tmp_path / "storage")
    dataset = stack.upload(synthetic_zip, name="shapes", project="made")
    run = stack.submit(dataset["id"], epochs=500)
    stack.wait_run(run["id"], lambda r: r["epoch"] >= 1)
    log = stack.storage / "runs" / run["id"] / "logs" / "training.log"
    (child,) = [p for p in psutil.process_iter() if _writes(p, log)]
    child.kill()
    failed = wait_for(lambda: stack.run(run["id"]), lambda r: r["status"] == "failed", 30)
    assert failed["error"]["code"] == "child_died"
    assert "-9" in failed["error"]["message"]
    again = stack.submit(dataset["id"], epochs=1, export={"onnx": False})
    stack.wait_run(again["id"], lambda r: r["status"] == "completed")


def test_two_stacks_side_by_side(stacks, tmp_path, synthetic_zip):
    one, two = stacks(tmp_path / "one"), stacks(tmp_path / "two")
    one.upload(synthetic_zip, name="shapes", project="made")
    assert len(one.http.get("/api/v1/datasets").json()["items"]) == 1
    assert two.http.get("/api/v1/datasets").json()["items"] == []


def _writes(process, log: Path) -> bool:
    import psutil

    try:
        return any(Path(f"/proc/{process.pid}/fd/{fd}").resolve() == log for fd in (1, 2))
    except (psutil.Error, OSError):
        return False
