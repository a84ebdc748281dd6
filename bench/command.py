"""How long the command `trainyard` takes to answer: `--help`, and a list of a service on this machine.

    python -m bench.command [--rounds N]

Each call is a process of its own, as a user's. Beside the seconds on the clock stand those of the processor,
which other work on the machine lengthens less; limits are of the median on the clock.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.api import a_run
from bench.machines.service import Service
from bench.measures.turns import environment, exit_on_sigterm
from trainyard.registry.runs import RunRegistry
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.store.connection import connect

HELP_S, LIST_S = 0.15, 0.4
"""The most that either may take."""
RECORDS = 30


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and of the processor."""

    wall: float
    processor: float


def timed(*words: str, url: str = "") -> Took:
    """One call; raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", "trainyard_client", *words]
    variables = {**environment(1), "TRAINYARD_URL": url}
    start = time.monotonic()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=variables, stdout=quiet, stderr=quiet) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Took(time.monotonic() - start, used.ru_utime + used.ru_stime)


def told(name: str, calls: list[Took], limit: float) -> bool:
    """Print a row; whether the median on the clock is under the limit."""
    wall = sorted(one.wall for one in calls)
    median, processor = statistics.median(wall), statistics.median(one.processor for one in calls)
    is_under = median < limit
    print(
        f"{name:22} median {median:.3f} s  quickest {wall[0]:.3f} s  processor {processor:.3f} s  "
        f"limit {limit} s: {'under' if is_under else 'OVER'}"
    )
    return is_under


def _fill(service: Service) -> None:
    """Runs that have ended, as many as a list shows."""
    client = connect(service.redis_url)
    runs = RunRegistry(client, Storage(service.storage))
    spec = Experiments(CONFIGS).compose({})
    for number in range(RECORDS):
        runs.adopt(a_run(number, spec))
    client.close()


def main() -> None:
    """Print both; ends with status 1 where one is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.command", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    exit_on_sigterm()
    timed("--help")  # the first reads files that the next find in memory
    is_well = told("trainyard --help", [timed("--help") for _ in range(rounds)], HELP_S)
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), threads=1)
        with service.redis(), service.running("web"):
            _fill(service)
            url = f"http://127.0.0.1:{service.port}"
            timed("run", "ls", url=url)
            calls = [timed("run", "ls", url=url) for _ in range(rounds)]
            is_well &= told("trainyard run ls", calls, LIST_S)
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
