"""Processes that do the heavy work, forked in milliseconds from a server that has its imports done.

A child gives all its memory back by ending, and one that is killed or crashes takes no worker along.
It talks over one pipe in JSON messages; the end of the pipe tells either side that the other is gone.
The forkserver only imports: nothing in it may ask CUDA anything, or its children could not use it.
"""

import importlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias

from trainyard.errors import ChildDied
from workers.process.parent_death import die_with_parent

Message: TypeAlias = dict[str, Any]

TRAINING_CHILD = "workers.runs.training_child"
FINISHING_CHILD = "workers.runs.finishing.finishing_child"
INGEST_CHILD = "workers.datasets.child"
PREDICT_CHILD = "workers.predict.child"
WEIGHTS_CHILD = "workers.predict.weights_child"
IMPORT_CHILD = "workers.imports.child"
"""Modules that children run; the forkserver of a worker imports those of its role."""
BEFORE_IMPORTS, AFTER_IMPORTS = "workers.process.before_imports", "workers.process.after_imports"

ORPHANED = 76
"""Exit code of a child whose supervisor is gone."""
FENCED = 77
"""Exit code of a child that was not told in time that it may go on."""
WATCH_S = 0.25
FENCE_SLACK_S = 0.5
"""How far past its time a child may be found: the supervisor stops it first if it can."""
UNTIL = "until"
SERVER_S = 600.0
"""How long the forkserver may take for its imports, on a machine under load with slow storage."""
KILLED_S = 30.0
"""How long the system may take to end a process that was killed."""


def start_server(preload: list[str]) -> None:
    """Start the forkserver of this process; it imports the modules in the background.

    It ends with this process, and not by a signal to the whole group before children could save their work.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([BEFORE_IMPORTS, *preload, AFTER_IMPORTS])
    resource_tracker.ensure_running()  # first, for it lets the signal through again
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # which the forkserver inherits
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def await_server() -> None:
    """Return once the forkserver has its imports done: nothing should be claimed that could not begin yet.

    Raises ChildDied where it does not come to that.
    """
    forkserver.ensure_running()
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if server == _Ready.server:
        return
    probe = multiprocessing.get_context("forkserver").Process(target=os.getpid)
    probe.start()
    probe.join(SERVER_S)
    if probe.exitcode is None:
        raise ChildDied(f"The server of child processes was not ready within {SERVER_S:.0f} s.")
    _Ready.server = server


class _Ready:
    """Which forkserver of this process has been found ready: one that died is followed by another."""

    server: int | None = None


class Link:
    """The child's end of the pipe. `until` is when, by the monotonic clock, this process must have ended."""

    def __init__(self, connection: Connection, until: float) -> None:
        self._connection = connection
        self._until = until
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send one message; safe from any thread."""
        with self._lock:
            self._connection.send_bytes(json.dumps(message).encode())

    def listen(self, receive: Callable[[Message], None]) -> None:
        """Hand every message to `receive`, from a thread that also ends this process when it must.

        That is so when its supervisor is gone, and when it was not told in time that it may go on: the
        supervisor may be frozen, and another worker may have the work by then.
        """
        threading.Thread(target=self._listen, args=(receive,), daemon=True).start()

    def _listen(self, receive: Callable[[Message], None]) -> None:
        while True:
            try:
                if self._connection.poll(WATCH_S):
                    self._take(json.loads(self._connection.recv_bytes()), receive)
                elif self._is_late and not self._connection.poll():  # a halt may lie between the two looks
                    os._exit(FENCED)
            except (EOFError, OSError):
                os._exit(ORPHANED)

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._until + FENCE_SLACK_S

    def _take(self, message: Message, receive: Callable[[Message], None]) -> None:
        if UNTIL in message:
            self._until = message[UNTIL]
        else:
            receive(message)


class Child:
    """A process that runs the function `work(link, job)` of a module, seen from its supervisor.

    The module is given by name, so that the supervisor need not import what the work needs.
    """

    def __init__(self, module: str, job: Message, until: float) -> None:
        context = multiprocessing.get_context("forkserver")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(module, theirs, job, until), daemon=False)
        self._process.start()
        self._pid = int(self._process.pid or -1)
        theirs.close()
        self._open = True

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._pid

    @property
    def is_open(self) -> bool:
        """Whether messages may still come."""
        return self._open

    def messages(self, seconds: float) -> Iterator[Message]:
        """What has come; waits up to `seconds` for the first message."""
        ready = wait([self._connection, self._process.sentinel], seconds)
        try:
            while self._connection.poll():
                yield json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            self._open = False
        if self._process.sentinel in ready and not self._connection.poll():
            self._open = False

    def send(self, message: Message) -> None:
        """Send a message; one to a child that has just ended goes nowhere."""
        with suppress(OSError):  # reading tells that it has ended, once all that it said is read
            self._connection.send_bytes(json.dumps(message).encode())

    def allow(self, until: float) -> None:
        """Let it compute until then, by the monotonic clock."""
        self.send({UNTIL: until})

    def pause(self) -> None:
        """Halt it and its loader processes where they stand."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it and its loader processes at once."""
        self._process.kill()
        self._signal(signal.SIGKILL)

    def wait(self, seconds: float) -> int | None:
        """The exit code, negative for a signal; a child that outlives its messages by `seconds` is killed.

        Nothing that it started is left. None where the system cannot end it: a process that is stuck in a
        driver, or in storage that does not answer, ends when that lets go of it, and computes no more.
        """
        self._process.join(seconds)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(KILLED_S)
        self._signal(signal.SIGKILL)
        self._connection.close()
        return self._process.exitcode

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it has ended, or is too young to have a group
            os.killpg(self._pid, number)


def _main(module: str, connection: Connection, job: Message, until: float) -> None:
    if time.monotonic() > until:  # born too late: the first thing it did might harm who has the work by now
        os._exit(FENCED)
    os.setpgid(0, 0)  # a group of its own, to be signalled with what it starts
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    _end_with_worker()
    importlib.import_module(module).work(Link(connection, until), job)


def _end_with_worker() -> None:
    """Be killed when the forkserver ends, even while halted; it ends with the worker.

    Every child inherits the descriptor by which the forkserver tells that somebody needs it, so it would
    live as long as a halted child does: this child lets go of it.
    """
    die_with_parent()
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]
