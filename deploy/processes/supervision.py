"""Keeps the processes of a stack running: starts those again that die, and stops all in order."""

import configparser
import io
import os
import pwd
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from supervisor import events
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor

from deploy.redis import die_with_parent

STEADY_S = 10
"""A process that ends sooner is started again only after a pause, one second longer each time."""
GRACE_S = 60
"""How long a process may take to stop: a worker has 15 s to drain, then it writes what is left."""
NEVER_GIVE_UP = 1_000_000
REDIS = "redis"
ENDED = (events.ProcessStateExitedEvent, events.ProcessStateBackoffEvent, events.ProcessStateStoppedEvent)
MAX_LINE = 64 * 1024


def keep_running(commands: Mapping[str, str]) -> None:
    """Run the commands, by name, until SIGTERM, SIGINT or SIGHUP; returns when all of them have ended.

    Output goes to ours, line by line under the name.
    """
    options = StackOptions()
    options.configfile = io.StringIO(configuration(commands))
    options.realize([])
    options.first, options.test = True, False
    try:
        StackSupervisor(options, OutputLines(max(map(len, commands)))).main()
    except ExitNow:
        pass  # how its loop says that all have ended
    finally:
        options.close_logger()


def configuration(commands: Mapping[str, str]) -> str:
    """supervisord.conf of these commands.

    Groups start in the order of their priority and stop in the opposite one, each when the one before is
    gone: Redis goes last, so that workers can give back what they hold.
    """
    parser = configparser.RawConfigParser()
    parser["supervisord"] = {
        "nodaemon": "true",
        "logfile": os.devnull,  # what supervisor says goes to standard output
        "logfile_maxbytes": "0",
        "nocleanup": "true",  # there are no log files of its own making to delete from /tmp
        "minprocs": "1",
        **_user(),
    }
    others = [name for name in commands if name != REDIS]
    if others:
        parser["group:service"] = {"programs": ",".join(others), "priority": "2"}
    for name, command in commands.items():
        parser[f"program:{name}"] = {"command": command.replace("%", "%%"), "priority": "1", **_PROGRAM}
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


_PROGRAM = {
    "autorestart": "true",
    "startsecs": str(STEADY_S),
    "startretries": str(NEVER_GIVE_UP),
    "stopwaitsecs": str(GRACE_S),
    "killasgroup": "true",  # after the grace; SIGTERM goes to the process alone, which tells its children
    "redirect_stderr": "true",
    "stdout_logfile": "NONE",
    "stdout_events_enabled": "true",
}


def _user() -> dict[str, str]:
    """As root supervisor wants to be told that this is meant."""
    return {"user": pwd.getpwuid(0).pw_name} if os.getuid() == 0 else {}


class OutputLines:
    """Writes the output of the processes to standard output as whole lines, each under its process's name."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._unfinished: dict[str, bytes] = {}

    def add(self, event: Any) -> None:
        """Take what a process has written; a line is kept until its end comes."""
        name = event.process.config.name
        *lines, rest = (self._unfinished.pop(name, b"") + event.data).split(b"\n")
        if len(rest) > MAX_LINE:
            lines, rest = [*lines, rest], b""
        if rest:
            self._unfinished[name] = rest
        self._write(name, lines)

    def finish(self, event: Any) -> None:
        """Write the last line of a process that has ended without an end of line."""
        name = event.process.config.name
        if name in self._unfinished:
            self._write(name, [self._unfinished.pop(name)])

    def _write(self, name: str, lines: list[bytes]) -> None:
        prefix = f"{name:<{self._width}} | ".encode()
        try:
            sys.stdout.buffer.write(b"".join(prefix + line + b"\n" for line in lines))
            sys.stdout.buffer.flush()
        except OSError:
            pass  # a full disk or a reader that is gone costs lines of the log, not the stack


def end_group(event: Any) -> None:
    """End what a process has left behind: it would hold a port or a GPU that the next needs."""
    pid = event.process.pid
    if pid > 0:  # 0, of one that could not be started, would mean our own group
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


class StackOptions(ServerOptions):  # type: ignore[misc]
    """supervisor's, without a pid file: more than one may serve the same storage."""

    def setpgrp(self) -> None:
        """What each process does first: none is left behind by a stack that is killed."""
        super().setpgrp()
        die_with_parent()

    def write_pidfile(self) -> None:
        """Nobody reads it."""


class StackSupervisor(Supervisor):  # type: ignore[misc]
    """supervisor, with the processes' output on standard output.

    Its own way there, /dev/fd/1 as a log file, cannot be opened where that is a socket, as under systemd.
    """

    def __init__(self, options: ServerOptions, output: OutputLines) -> None:
        super().__init__(options)
        self._output = output

    def runforever(self) -> None:
        """The loop; subscriptions made before it are cleared."""
        events.subscribe(events.ProcessLogEvent, self._output.add)
        events.subscribe(ENDED, self._output.finish)
        events.subscribe(ENDED, end_group)
        super().runforever()
