"""One training worker of a cluster, seen from outside: its processes, and what can be done to them."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from trainyard.settings import REPOSITORY


class Worker:
    """`python -m workers train` in a session of its own, behind `prefix` (a command that becomes it)."""

    def __init__(
        self, name: str, environment: Mapping[str, str], log: Path, prefix: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self._environment = environment
        self._log = log
        self._prefix = prefix
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Start it, or start it anew."""
        self.is_spared = False  # something is being done to it already
        self.is_leaving = False  # it was told to
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, sys.executable, "-m", "workers", "train"],
                cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative for a signal."""
        return self._process.poll()

    def children(self) -> list[psutil.Process]:
        """What trains and what finishes: children of the forkserver, in groups of their own."""
        found = []
        for one in self._descendants():
            with suppress(ProcessLookupError):
                if os.getpgid(one.pid) == one.pid:
                    found.append(one)
        return found

    def kill_children(self) -> None:
        """SIGKILL what trains and what finishes."""
        _signal(self.children(), signal.SIGKILL)

    def finisher(self) -> psutil.Process | None:
        """What finishes: it lets others go first on the processor, which those that train do not."""
        for one in self.children():
            with suppress(psutil.NoSuchProcess):
                if one.nice() > psutil.Process(self._process.pid).nice():
                    return one
        return None

    def trainer(self) -> psutil.Process | None:
        """What trains, if anything does."""
        finisher = self.finisher()
        return next((one for one in self.children() if one != finisher), None)

    def kill_main(self) -> None:
        """SIGKILL the process that supervises; what it started must end by itself."""
        self._process.kill()

    def kill_all(self) -> None:
        """SIGKILL every process of it at once."""
        descendants = self._descendants()
        self._process.kill()
        _signal(descendants, signal.SIGKILL)

    def drain(self) -> None:
        """SIGTERM, as an orderly shutdown sends it."""
        self.is_leaving = True
        self._process.send_signal(signal.SIGTERM)

    def freeze_main(self) -> list[psutil.Process]:
        """SIGSTOP the process that supervises; returns what must be thawed."""
        return _frozen([psutil.Process(self._process.pid)])

    def freeze_all(self) -> list[psutil.Process]:
        """SIGSTOP every process of it; returns what must be thawed."""
        return _frozen([*self._descendants(), psutil.Process(self._process.pid)])

    def _descendants(self) -> list[psutil.Process]:
        try:
            found: list[psutil.Process] = psutil.Process(self._process.pid).children(recursive=True)
            return found
        except psutil.NoSuchProcess:
            return []


def thaw(processes: list[psutil.Process]) -> None:
    """SIGCONT."""
    _signal(processes, signal.SIGCONT)


def _frozen(processes: list[psutil.Process]) -> list[psutil.Process]:
    _signal(processes, signal.SIGSTOP)
    return processes


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
