"""Checks 8 and 9: what dies leaves nothing on the device, and what was paused goes on."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos.worker import Worker, thaw
from tests.gpu.check import Finding, Setting, equal, holds, measured, none_of, not_shown
from tests.gpu.driver import descendants, falls_to, used_bytes
from tests.gpu.engine import largest_difference
from tests.gpu.sets import upload
from tests.gpu.stack import LEASE_S, Stack, lost_attempts, running_stack

RUN_S = 200.0
SLACK = 256 * 2**20
"""By how much the memory of an idle card may differ, in bytes."""
BACK_S = 3.0
"""How long the memory of a killed process may take to come back."""
SAME = 1e-3
_NEIGHBOUR = (
    "import sys, time, torch\n"
    "free, _ = torch.cuda.mem_get_info()\n"
    "held = torch.empty(int(free * float(sys.argv[1])), dtype=torch.uint8, device='cuda')\n"
    "ones = torch.ones(2048, 2048, device='cuda')\n"
    "print('holds', flush=True)\n"
    "while True:\n    ones @ ones; torch.cuda.synchronize(); time.sleep(0.001)\n"
)


@contextmanager
def neighbour(part: float) -> Iterator[None]:
    """Another process that computes on the GPU and holds that part of its free memory."""
    command = [sys.executable, "-c", _NEIGHBOUR, str(part)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "holds":
                raise RuntimeError("The neighbour could not take memory.")
            yield
        finally:
            process.kill()


def kills(setting: Setting) -> Iterator[Finding]:
    """SIGKILL for the training process, and then for its worker, with loader processes."""
    size, train = setting.size((256, 160), (64, 48))
    archive = upload(setting.folder / "set.zip", train, 8, size, seed=setting.seed)
    loaders = setting.size(8, 2)
    with running_stack(setting) as stack:
        dataset = stack.upload(archive)
        baseline = used_bytes()
        worker = stack.worker()
        data = {"image_size": size, "batch_size": 4, "loader_workers": loaders}
        before = _found_batch(stack, dataset, size)
        run_id = stack.submit(dataset, epochs=setting.size(30, 8), data=data, export={"onnx": False})
        yield from _child_killed(setting, stack, worker, run_id, baseline)
        yield from _worker_killed(setting, stack, worker, run_id, baseline)
        stack.worker()
        run = stack.completed(run_id, RUN_S)
        yield equal("attempts that were lost before it completed", len(lost_attempts(run)), 2)
        yield equal("batch that `auto` finds before and after", _found_batch(stack, dataset, size), before)


def _found_batch(stack: Stack, dataset: dict[str, Any], size: int) -> int:
    data = {"image_size": size, "batch_size": "auto"}
    run = stack.completed(stack.submit(dataset, epochs=1, data=data, export={"onnx": False}), RUN_S)
    return int(run["spec"]["data"]["batch_size"])


def _child_killed(
    setting: Setting, stack: Stack, worker: Worker, run_id: str, baseline: int
) -> Iterator[Finding]:
    stack.stepped(run_id, 2, RUN_S)
    child = worker.trainer()
    if child is None:
        raise RuntimeError("The worker has no training process.")
    family = descendants(child.pid)
    child.kill()
    yield from _is_gone(setting, "the training process", family, baseline)


def _worker_killed(
    setting: Setting, stack: Stack, worker: Worker, run_id: str, baseline: int
) -> Iterator[Finding]:
    stack.wait(run_id, lambda run: run["fence"] >= 2 and run["status"] == "running", RUN_S)
    stack.stepped(run_id, 2, RUN_S)
    child = worker.trainer()
    family = descendants(child.pid) if child else []
    worker.kill_main()
    yield from _is_gone(setting, "the worker", family, baseline)


def _is_gone(setting: Setting, what: str, family: list[int], baseline: int) -> Iterator[Finding]:
    """The processes at once, and the memory that they had on the card."""
    if setting.on_gpu:
        # The server of children keeps a worker's card busy with nothing: all memory is to be back.
        back = falls_to(baseline + SLACK, 4 * BACK_S)
        yield setting.at_most(f"{what} killed: seconds until the card's memory is back", back, BACK_S)
    end = time.monotonic() + 2 * BACK_S
    while (left := [str(pid) for pid in family if descendants(pid)]) and time.monotonic() < end:
        time.sleep(0.1)
    yield none_of(f"{what} killed: none of its {len(family)} processes is left", left)


def pauses(setting: Setting) -> Iterator[Finding]:
    """Redis stands still until the guard halts the run; then its worker does, until it has lost the run."""
    size, train = setting.size((256, 160), (64, 48))
    archive = upload(setting.folder / "set.zip", train, 8, size, seed=setting.seed)
    spec = {
        "epochs": setting.size(30, 5),
        "precision": "32",
        "data": {"image_size": size, "batch_size": 4},
        "compute": {"deterministic": True},
        "export": {"onnx": False},
    }
    with running_stack(setting) as stack:
        dataset = stack.upload(archive)
        worker = stack.worker(TRAINYARD_THREADS="1")  # its sums are then made in one order
        plain = stack.submit(dataset, **spec)
        stack.completed(plain, RUN_S)
        paused = stack.submit(dataset, **spec)
        yield from _paused(setting, stack, worker, paused)
        yield _unchanged(setting, stack, "paused", paused, plain)
        fenced = stack.submit(dataset, **spec)
        yield from _fenced(setting, stack, worker, fenced)
        yield _unchanged(setting, stack, "fenced", fenced, plain)


def _unchanged(setting: Setting, stack: Stack, name: str, run_id: str, plain: str) -> Finding:
    stack.completed(run_id, RUN_S)
    difference = largest_difference(stack.rows(run_id), stack.rows(plain), "val_loss")
    return setting.at_most(f"{name}: validation loss beside the undisturbed run's", difference, SAME)


def _paused(setting: Setting, stack: Stack, worker: Worker, run_id: str) -> Iterator[Finding]:
    stack.stepped(run_id, 2, RUN_S)
    child = worker.trainer()
    stack.redis.send_signal(signal.SIGSTOP)
    try:
        halted = False
        end = time.monotonic() + setting.size(30.0, 1.5 * LEASE_S)
        if setting.on_gpu:
            with neighbour(0.1):
                time.sleep(max(0.0, end - time.monotonic()))
                halted = child is not None and child.status() == "stopped"
        else:
            while not halted and time.monotonic() < end:
                halted = child is not None and child.is_running() and child.status() == "stopped"
                time.sleep(0.2)
    finally:
        stack.redis.send_signal(signal.SIGCONT)
    yield holds("the guard halts a run whose lease may lapse", halted)
    if not setting.on_gpu:
        yield not_shown("a neighbour on the card meanwhile", "needs a GPU")


def _fenced(setting: Setting, stack: Stack, worker: Worker, run_id: str) -> Iterator[Finding]:
    """The worker stands still until another one has its run; what it writes afterwards counts for nothing."""
    stack.stepped(run_id, 2, RUN_S)
    frozen = worker.freeze_main()
    try:
        stack.worker(TRAINYARD_THREADS="1")
        run = stack.wait(run_id, lambda run: run["fence"] >= 2 and run["status"] == "running", RUN_S)
    finally:
        thaw(frozen)
    yield measured("fenced: the run's second attempt went on from epoch", run["attempts"][-1]["from_epoch"])
