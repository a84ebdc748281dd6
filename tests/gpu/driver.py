"""What the driver's tool and the system say of GPUs and of who uses them, told without CUDA."""

import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ASK_S = 20.0
SAMPLE_S = 0.2
MEBIBYTE = 2**20


def ask(*queries: str, table: str = "gpu", gpu: str | None = None) -> list[list[str]]:
    """Rows of `nvidia-smi --query-TABLE`; none where there is no such tool or it has no answer."""
    command = ["nvidia-smi", f"--query-{table}={','.join(queries)}", "--format=csv,noheader,nounits"]
    if gpu is not None:
        command.append(f"--id={gpu}")
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [[cell.strip() for cell in line.split(",")] for line in said.stdout.splitlines() if line.strip()]


def used_bytes(gpu: str = "0") -> int:
    """Memory of a GPU that anybody uses; 0 where the driver does not say."""
    rows = ask("memory.used", gpu=gpu)
    return int(rows[0][0]) * MEBIBYTE if rows and rows[0][0].isdigit() else 0


def users() -> set[int]:
    """Processes that compute on a GPU by the driver; in a container their numbers may be the host's."""
    return {int(row[0]) for row in ask("pid", table="compute-apps") if row[0].isdigit()}


def uses_gpu(pid: int) -> bool:
    """Whether a process holds a GPU's device file, as every one does in which CUDA was made ready."""
    with suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # closed in the meantime
                name = file.readlink().name
                if name.startswith("nvidia") and name != "nvidiactl":
                    return True
    return pid in users()


def descendants(pid: int) -> list[int]:
    """A process and all that it has started, without those that have ended and are not waited for yet."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [one.pid for one in (process, *process.children(recursive=True)) if _lives(one)]
    return []


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def falls_to(bytes_: int, seconds: float, gpu: str = "0") -> float:
    """Seconds until a GPU's used memory is down to that; infinite where it does not come to it in time."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds:
        if used_bytes(gpu) <= bytes_:
            return waited
        time.sleep(SAMPLE_S)
    return float("inf")


class Load:
    """Samples of how busy a GPU was, in percent, and of its memory in use."""

    def __init__(self) -> None:
        self.percents: list[float] = []
        self.bytes: list[int] = []

    @property
    def busy(self) -> float:
        """The mean, from 0 to 1; 0 without a sample."""
        return statistics.mean(self.percents) / 100 if self.percents else 0.0

    def sample(self, gpu: str = "0") -> None:
        """Take one; nothing where the driver does not say."""
        rows = ask("utilization.gpu", "memory.used", gpu=gpu)
        if rows and all(cell.isdigit() for cell in rows[0]):
            self.percents.append(float(rows[0][0]))
            self.bytes.append(int(rows[0][1]) * MEBIBYTE)


@contextmanager
def watched() -> Iterator[Load]:
    """Sample the first GPU in a thread while the block runs."""
    load, is_over = Load(), threading.Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_S):
            load.sample()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield load
    finally:
        is_over.set()
        thread.join(ASK_S)
