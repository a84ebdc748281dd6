"""Run within a copy, `python -m tests.mutants.lua_lane ASKED OUTCOMES`: try mutants of scripts.

Tests are imported once. Each mutant has a process of its own that is forked from there, in which scripts are
read with the change, and in which the tests run that ran one of the scripts that it may have a say in.
"""

import json
import os
import signal
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.lua_mutants import LuaMutant, users
from trainyard.store import connection

LUA = Path(connection.__file__).parent / "lua"
PLAIN = (
    "-x",
    "-q",
    "-m",
    "not long and not thorough",
    "-p",
    "no:cacheprovider",
    "-p",
    "tests.mutants.same_process",
)
LEAST_S = 30.0
"""A mutant whose tests go on for so long, and for ten times as long as without it, has stopped something."""


@dataclass
class Trace:
    """Which scripts each test ran, and how long it took, in seconds."""

    scripts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)
    running: str = ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins; scripts of its fixtures are its own."""
        self.running = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test has ended."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def tests(self, scripts: set[str]) -> list[str]:
        """Those that ran any of the scripts, in the order in which they ran."""
        return [test for test, ran in self.scripts.items() if ran & scripts]


def main() -> None:
    """Try what is asked for; writes the outcome of each mutant by its name."""
    asked: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    trace = _traced([*asked["tests"], *(f"--deselect={test}" for test in asked["left_out"])])
    sources = {path.stem: path.read_text() for path in LUA.glob("*.lua")}
    waiting = [LuaMutant(**one) for one in asked["mutants"]]
    outcomes: dict[str, str] = {}
    running: dict[int, tuple[LuaMutant, float]] = {}
    while waiting or running:
        while waiting and len(running) < asked["children"]:
            mutant = waiting.pop()
            tests = trace.tests(_scripts(mutant, sources))
            limit = max(LEAST_S, 10 * sum(trace.seconds[test] for test in tests))
            running[_forked(mutant, tests, sources)] = mutant, time.monotonic() + limit
        outcomes.update(_ended(running))
        time.sleep(0.02)
    Path(sys.argv[2]).write_text(json.dumps(outcomes))


def _traced(arguments: list[str]) -> Trace:
    """Run all tests as they are; SystemExit where one fails."""
    trace, source = Trace(), connection._source

    def noting(name: str) -> str:
        trace.scripts[trace.running].add(name)
        return source(name)

    connection._source = noting  # type: ignore[assignment]
    if pytest.main([*PLAIN, *arguments], plugins=[trace]) != pytest.ExitCode.OK:
        raise SystemExit("The tests fail without any mutant.")
    connection._source = source
    return trace


def _scripts(mutant: LuaMutant, sources: dict[str, str]) -> set[str]:
    """The scripts that the change may have a say in."""
    own = {name: source for name, source in sources.items() if name != "prelude"}
    return users(own, sources["prelude"], mutant.start) if mutant.script == "prelude" else {mutant.script}


def _forked(mutant: LuaMutant, tests: list[str], sources: dict[str, str]) -> int:
    """The id of a process, leader of its group, that ends as pytest does with the mutant in place."""
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        os.setsid()
        source, whole = sources[mutant.script], connection._source
        connection._source = lambda name: whole(name).replace(source, mutant.applied(source))  # type: ignore[assignment]
        status = int(pytest.main([*PLAIN, *tests])) if tests else int(pytest.ExitCode.NO_TESTS_COLLECTED)
    finally:
        os._exit(status)


def _ended(running: dict[int, tuple[LuaMutant, float]]) -> dict[str, str]:
    """The outcomes of those that have ended meanwhile, or had no end; they are taken out of `running`."""
    outcomes = {}
    for child, (mutant, until) in list(running.items()):
        is_late = time.monotonic() > until
        if is_late:
            os.killpg(child, signal.SIGKILL)
        ended, status = os.waitpid(child, 0 if is_late else os.WNOHANG)
        if ended:
            del running[child]
            meanings = {0: "survived", 1: "killed", 5: "no tests"}
            code = os.waitstatus_to_exitcode(status)
            outcomes[mutant.name] = "timeout" if is_late else meanings.get(code, f"ended with {code}")
    return outcomes


if __name__ == "__main__":
    main()
