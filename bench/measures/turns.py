"""Sides of a comparison take turns, so that a machine that grows slower or faster does so for all.

A side is a process of its own, which holds what it has built and computes only when it is told to: it reads
a line, works for one turn and answers with a line of JSON. `take_turns` is its end, `Peer` the other.
"""

import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

Turn = dict[str, Any]


class Side(Protocol):
    """One that can be told to work for a turn; `images_per_second` is in what it answers."""

    def turn(self) -> Turn: ...


class Peer:
    """A side in a process: a module of this folder, run with these arguments and so many threads."""

    def __init__(self, module: str, *arguments: object, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"bench.{module}", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(threads),
            text=True,
        )

    def turn(self) -> Turn:
        self.begin()
        return self.end()

    def begin(self) -> None:
        """Let it work; `end` waits for what it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> Turn:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args} ended with exit code {self._process.wait()}.")
        answer: Turn = json.loads(line)
        return answer

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


class Anew:
    """A side that is another process in every turn, as each run of the service is."""

    def __init__(self, start: Callable[[], Peer]) -> None:
        self._start = start

    def turn(self) -> Turn:
        with self._start() as peer:
            return peer.turn()


def exit_on_sigterm() -> None:
    """Let SIGTERM end a benchmark as an error does: what it started is ended, what it wrote is removed."""

    def leave(*_: object) -> None:
        for child in multiprocessing.active_children():
            child.terminate()
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, leave)


def environment(threads: int) -> dict[str, str]:
    """This environment for a process that computes with so many threads."""
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "NO_ALBUMENTATIONS_UPDATE": "1"}


def take_turns(work: Callable[[], Turn]) -> None:
    """Answer every line of the standard input with a turn; what else is printed goes to standard error."""
    exit_on_sigterm()
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for _ in sys.stdin:
            print(json.dumps(work()), file=answers, flush=True)


def interleave(sides: Mapping[str, Side], rounds: int) -> dict[str, list[Turn]]:
    """Every side's turns, one in each round after a first one that counts for none."""
    turns: dict[str, list[Turn]] = {name: [] for name in sides}
    for done in range(rounds + 1):
        for name, side in sides.items():
            answer = side.turn()
            if done:
                turns[name].append(answer)
    return turns


def speeds(turns: Sequence[Turn]) -> list[float]:
    """Images per second of each turn."""
    return [turn["images_per_second"] for turn in turns]


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The ratios of neighbours."""
    return [one / other for one, other in zip(above, below, strict=True)]


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f} in {len(values)})"


def print_target(name: str, values: Sequence[float], *, at_least: float) -> None:
    """One line: what was reached, and what was wanted."""
    verdict = "reached" if statistics.median(values) >= at_least else "missed"
    print(f"{name}: {spread(values)}, wanted at least {at_least}: {verdict}", flush=True)


def print_limit(name: str, values: Sequence[float], *, at_most: float) -> None:
    """One line: what it took, and what it may take."""
    verdict = "kept" if statistics.median(values) <= at_most else "exceeded"
    print(f"{name}: {spread(values)}, wanted at most {at_most}: {verdict}", flush=True)
