"""Why a process that worked on a run ended without a result, and what a failure takes along for readers."""

import signal
from pathlib import Path
from typing import Any

from trainyard.errors import (
    ChildDied,
    CudaOutOfMemory,
    DeviceFault,
    EngineError,
    HostOutOfMemory,
    LoaderDied,
    Segfault,
    TrainyardError,
)
from trainyard.runs.failures import failure
from trainyard.storage.log_tail import failure_lines
from workers.process.child import Message
from workers.process.error_texts import meaning_of
from workers.process.oom_kills import KernelKills
from workers.process.peak_memory import peak_memory

RAISED = 1
"""Exit code of a Python process that ended with an exception."""
FAULTS = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT})
"""What ends a process whose compiled code went wrong; its Python traceback is in the log (faulthandler)."""
LAST_WORDS = 50
"""Lines of the log that may tell why a process aborted: CUDA and NCCL do so where nothing can be raised."""


class PostMortem:
    """Watches a process that works on a run while it lives, and tells its death."""

    def __init__(self, log: Path, process: str = "training process") -> None:
        """`process` is what the one that is watched is called, such as `training process`."""
        self._log = log
        self._process = process
        self._kills = KernelKills()
        self._peak: int | None = None

    def watch(self, pid: int) -> None:
        """Look again how much memory it takes: that cannot be asked of the dead."""
        self._peak = peak_memory(pid) or self._peak

    def cause_of_death(self, code: int | None) -> TrainyardError:
        """The error that an exit code, negative for a signal, stands for."""
        number = -code if code is not None and code < 0 else None
        if number == signal.SIGKILL and self._kills.have_risen():
            return HostOutOfMemory(f"The kernel killed the {self._process} for want of memory.{self._size()}")
        lines = failure_lines(self._log)
        if number == signal.SIGABRT and (error := self._abort(code, lines[-LAST_WORDS:])) is not None:
            return error
        if number in FAULTS:
            name, frame = signal.Signals(number).name, _crashed_in(lines)
            return Segfault(f"The {self._process} was ended by {name} (exit code {code}){frame}.")
        said = "".join(f" Its log ends: {line}" for line in lines[-1:])
        kind = EngineError if code == RAISED else ChildDied
        return kind(f"The {self._process} ended with exit code {code} and no result.{said}")

    def explained(self, error: Message) -> Message:
        """The error that the child told of; a loader process that the kernel killed tells of memory."""
        if error["code"] != LoaderDied.code or not self._kills.have_risen():
            return error
        told = HostOutOfMemory(
            f"The kernel killed a loader process for want of memory.{self._size()} {error['message']}"
        )
        return {**error, **told.to_dict()}

    def failure(self, error: Message, attempt: int) -> dict[str, Any]:
        """The error as a run's record shows it; the child may have told its device's peak beside it."""
        content = {**error}
        device = content.pop("device_peak_bytes", None)
        return failure(content, attempt, self._log, self._peak, device)

    def _abort(self, code: int | None, lines: list[str]) -> TrainyardError | None:
        """What an aborted process says it was aborted for, if that was memory or the device.

        Memory of the device counts as its fault, which is tried again: nobody has tried smaller batches here.
        """
        for line in reversed(lines):
            if (kind := meaning_of(line)) is not None:
                found = DeviceFault if kind is CudaOutOfMemory else kind
                told = f"was aborted (exit code {code}); its log says: {line.strip()}"
                return found(f"The {self._process} {told}")
        return None

    def _size(self) -> str:
        return f" It had taken {self._peak / 2**30:.1f} GiB." if self._peak else ""


def _crashed_in(lines: list[str]) -> str:
    """Where Python was at the crash, by faulthandler's traceback in the log; empty without one."""
    begun = [place for place, line in enumerate(lines) if line.startswith("Fatal Python error")]
    frames = [line.strip() for line in lines[begun[-1] :] if line.startswith("  File ")] if begun else []
    return f", in {frames[0]}" if frames else ""
