"""Why an ingest process ended without a result."""

import signal

from trainyard.errors import ChildDied, EngineError, HostOutOfMemory, Segfault, TrainyardError
from workers.process.exit_diagnosis import FAULTS, RAISED
from workers.process.oom_kills import KernelKills


class IngestDeath:
    """Tells the death of an ingest process that begins now."""

    def __init__(self) -> None:
        self._kills = KernelKills()

    def cause(self, code: int | None) -> TrainyardError:
        """The error that its exit code, negative for a signal, stands for."""
        number = -code if code is not None and code < 0 else None
        if number == signal.SIGKILL and self._kills.have_risen():
            return HostOutOfMemory("The kernel killed the ingest process for want of memory.")
        if number in FAULTS:
            name = signal.Signals(number).name
            return Segfault(f"The ingest process was ended by {name} (exit code {code}).")
        kind = EngineError if code == RAISED else ChildDied
        return kind(f"The ingest process ended with exit code {code} and no result.")
