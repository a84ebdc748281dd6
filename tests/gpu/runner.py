"""Runs checks, each in a process of its own: one that crashes or hangs has failed, and leaves nothing."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.gpu.check import CUDA, Check, Device, Finding
from tests.gpu.results import Result
from tests.waits import Limit
from trainyard.settings import REPOSITORY

LEAVE_S = 10.0
"""How long the processes of a check may outlive it."""
END_S = 10.0
"""How long a check that is told to end may take to end what it has started."""
LOOK_S = 5.0
CPU_PATIENCE = 4
"""How many times as long a check may take in its form for a CPU: few cores start processes slowly."""
LAST_LINES = 6
_BECOME_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How checks are run; `folder` is for what they write, and empty again after each."""

    device: Device
    seed: int
    threads: int
    folder: Path


def adopt_orphans() -> None:
    """Become the parent of whatever this process's descendants leave, so that it is found and ended."""
    ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)


def run_check(check: Check, plan: Plan) -> Result:
    """Run it to its end, or to the end of its time."""
    began = time.monotonic()
    others = frozenset(psutil.Process().children())
    place = plan.folder / f"check-{check.number}"
    findings = plan.folder / f"check-{check.number}.jsonl"
    log = plan.folder / f"check-{check.number}.log"
    patience = 1 if plan.device == CUDA else CPU_PATIENCE
    (place / "tmp").mkdir(parents=True)
    try:
        with _started(check, plan, place, findings, log, others) as process:
            trouble = _trouble(process, patience * check.limit_s, log, measured=plan.device != CUDA)
        if left := _end_descendants(patience * LEAVE_S, others):
            trouble = trouble or f"it left processes: {', '.join(left)}"
        return Result(
            check=check,
            findings=tuple(_read(findings)),
            trouble=trouble,
            seconds=round(time.monotonic() - began, 1),
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _started(
    check: Check, plan: Plan, place: Path, findings: Path, log: Path, others: Collection[psutil.Process]
) -> Iterator[subprocess.Popen[bytes]]:
    """The check's process; whatever happens, none of those it started is left. `others` are not its."""
    command = [sys.executable, "-m", "tests.gpu.check_process", check.work]
    options = {
        "--device": plan.device,
        "--folder": place,
        "--findings": findings,
        "--seed": plan.seed,
        "--threads": plan.threads,
    }
    command += [str(part) for option in options.items() for part in option]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=_environment(plan, place / "tmp"),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            _end_descendants(0, others)


def _environment(plan: Plan, temporary: Path) -> dict[str, str]:
    """This one without anything that would reach the network, another service, or a GPU of no concern."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRAINYARD_")}
    own = {
        "TMPDIR": str(temporary),
        "OMP_NUM_THREADS": str(plan.threads),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "HF_HUB_OFFLINE": "1",
        "NO_ALBUMENTATIONS_UPDATE": "1",
    }
    hidden = {} if plan.device == CUDA else {"CUDA_VISIBLE_DEVICES": ""}
    return {**kept, **own, **hidden}


def _trouble(process: subprocess.Popen[bytes], limit_s: float, log: Path, *, measured: bool) -> str | None:
    """Why it is no answer, None where it is one. Where the machine's slowness is `measured`, which takes a
    moment of it now and then, seconds are those of an idle one."""
    try:
        code = _ended(process, limit_s) if measured else process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
        return f"it took longer than {limit_s:.0f} s"
    if code == 0:
        return None
    last = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"exit code {code}: {' | '.join(last[-LAST_LINES:])}"


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int:
    limit = Limit(seconds)
    while not limit.has_passed:
        try:
            return process.wait(min(LOOK_S, max(0.0, limit.left())))
        except subprocess.TimeoutExpired:
            continue
    raise subprocess.TimeoutExpired(process.args, seconds)


def _end_descendants(seconds: float, others: Collection[psutil.Process]) -> list[str]:
    """Wait for what this process's descendants have left, and end it; returns the command lines ended.

    Spared are the children that were there before the check, `others`, and theirs: what a program that runs
    the suite, as its tests do, has started besides.
    """
    own = [child for child in psutil.Process().children() if child not in others]
    _, alive = psutil.wait_procs([*own, *_below(own)], timeout=seconds)
    ended = []
    for one in alive:
        try:
            ended.append(" ".join(one.cmdline())[-80:] or one.name())
            one.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=LEAVE_S)
    return ended


def _below(some: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    for one in some:
        try:
            yield from one.children(recursive=True)
        except psutil.NoSuchProcess:
            continue


def _read(findings: Path) -> Iterator[Finding]:
    if findings.exists():
        for line in findings.read_text().splitlines():
            yield Finding(**json.loads(line))
