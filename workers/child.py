"""Processes that do the heavy work, forked in milliseconds from a server that has its imports done.

A child gives all its memory back by ending, and one that is killed or crashes takes no worker along.
It talks over one pipe in JSON messages; the end of the pipe tells either side that the other is gone.
The forkserver only imports: nothing in it may ask CUDA anything, or its children could not use it.
"""

import importlib
import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]

ORPHANED = 76
"""Exit code of a child whose supervisor is gone."""


def start_server(preload: list[str]) -> None:
    """Start the forkserver of this process; it imports the modules in the background."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    forkserver.ensure_running()


class Link:
    """The child's end of the pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send one message; safe from any thread."""
        with self._lock:
            self._connection.send_bytes(json.dumps(message).encode())

    def listen(self, receive: Callable[[Message], None]) -> None:
        """Hand every message to `receive`, from a thread; the process ends when its supervisor does."""
        threading.Thread(target=self._listen, args=(receive,), daemon=True).start()

    def _listen(self, receive: Callable[[Message], None]) -> None:
        while True:
            try:
                message = json.loads(self._connection.recv_bytes())
            except (EOFError, OSError):
                os._exit(ORPHANED)
            receive(message)


class Child:
    """A process that runs the function `work(link, job)` of a module, seen from its supervisor.

    The module is given by name, so that the supervisor need not import what the work needs.
    """

    def __init__(self, module: str, job: Message) -> None:
        context = multiprocessing.get_context("forkserver")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(module, theirs, job), daemon=False)
        self._process.start()
        theirs.close()
        self._open = True

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
        try:
            self._connection.send_bytes(json.dumps(message).encode())
        except OSError:
            self._open = False

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def wait(self, seconds: float) -> int | None:
        """The exit code, negative for a signal; a child that outlives its messages by `seconds` is killed."""
        self._process.join(seconds)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()
        return self._process.exitcode


def _main(module: str, connection: Connection, job: Message) -> None:
    importlib.import_module(module).work(Link(connection), job)
