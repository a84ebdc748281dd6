"""Check 0: whether the machine has what a GPU worker needs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from tests.gpu.check import Finding, Setting, equal, holds, measured, none_of, not_shown
from tests.gpu.driver import ask
from workers.devices.cuda import cuda_facts, exercise, problem_of
from workers.process.environment import give_caches_a_home
from workers.training.data.shared_memory import free_shared_memory

LEAST_SHARED = 2 * 2**30
"""What compose gives a worker: enough for loader processes at 512 px."""


def preflight(setting: Setting) -> Iterator[Finding]:
    """Driver, PyTorch, kernels, arithmetic; compiler, caches, shared memory."""
    yield from _gpus() if setting.on_gpu else [not_shown("driver, kernels, arithmetic", "needs a GPU")]
    yield holds("C compiler (compile: true)", shutil.which("cc") is not None, shutil.which("cc") or "none")
    yield from _caches()
    free = free_shared_memory() or 0
    if setting.on_gpu:
        yield setting.at_least("GiB free in /dev/shm", free / 2**30, LEAST_SHARED / 2**30)
    else:
        yield measured("GiB free in /dev/shm", f"{free / 2**30:.1f}")


def _gpus() -> Iterator[Finding]:
    facts = cuda_facts()
    problem = problem_of(facts)
    yield holds(
        f"driver {facts.driver}, PyTorch {torch.__version__}, kernels for each GPU",
        problem is None,
        problem.message if problem else "",
    )
    if problem is None:
        yield none_of(
            f"{len(facts.gpus)} GPU(s) allocate, multiply and convolve", list(_faults(len(facts.gpus)))
        )
    rows = ask("name", "persistence_mode")
    yield equal("GPUs that nvidia-smi (NVML) describes", len(rows), len(ask("index")) or "at least 1")
    yield none_of("persistence mode is on", [name for name, mode in rows if mode != "Enabled"])


def _faults(count: int) -> Iterator[str]:
    for index in range(count):
        try:
            exercise(index)
        except RuntimeError as error:
            yield f"GPU {index}: {error}"


def _caches() -> Iterator[Finding]:
    """Libraries' caches lie in the home, or where the worker sends them because there is none."""
    environ = dict(os.environ)
    give_caches_a_home(environ)
    home = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/"), ".cache"))
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            yield holds("a cache that can be written", True, "yes")
    except OSError as error:
        yield holds("a cache that can be written", False, error)
