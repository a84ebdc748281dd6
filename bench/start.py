"""Seconds from submitting a run to its first optimizer step, beside `python script.py`.

    python -m bench.start [DATA] [--rounds N] [--threads N]

Warm: the worker is there. Cold: the run waits, and the worker is started at that moment. The script counts
from its start to its end after one step. They take turns; ratios are of neighbours.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.data.camvid import DATA, pack
from bench.machines.service import Service, uploaded, wait_for_step
from bench.measures.turns import environment, exit_on_sigterm, print_limit, ratios, spread
from bench.sides.engine import same_job

WARM = 0.4
COLD = 1.0
"""The most that either may take, as a share of the script's time."""
IMAGES = 160
PRELOAD_S = 30.0
"""How long a worker is given to import what its children need before it counts as warm."""


def script(data: Path, threads: int) -> float:
    """Seconds of the script."""
    start = time.monotonic()
    command = [sys.executable, "-m", "bench.sides.first_step", str(data)]
    subprocess.run(command, env=environment(threads), check=True, capture_output=True)
    return time.monotonic() - start


class Submitted:
    """Runs of one data set in a service whose worker is started apart."""

    def __init__(self, served: Service, archive: Path) -> None:
        self._served = served
        self._client = served.client
        self._dataset_id = uploaded(served.client, archive)

    def cold(self) -> float:
        """Seconds from the start of a worker to the first step of the run that waits for it."""
        run_id = self._submit()
        start = time.monotonic()
        with self._served.running("worker"):
            return self._first_step(run_id, start)

    def warm(self) -> float:
        """Seconds from submission to first step with a worker that has its imports done."""
        with self._served.running("worker"):
            time.sleep(PRELOAD_S)
            start = time.monotonic()
            return self._first_step(self._submit(), start)

    def _submit(self) -> str:
        return self._client.runs.submit(self._dataset_id, spec=same_job(8), name="bench").id

    def _first_step(self, run_id: str, start: float) -> float:
        wait_for_step(self._client, run_id)
        seconds = time.monotonic() - start
        self._client.runs.stop(run_id)
        self._client.runs.wait(run_id)
        return seconds


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    exit_on_sigterm()
    scripts, colds, warms = [], [], []
    with tempfile.TemporaryDirectory() as work:
        archive = pack(asked.data, Path(work) / "camvid.zip", {"train": IMAGES, "val": 16})
        served = Service(Path(work), asked.threads)
        with served.client, served.redis(), served.running("web", "ingest"):
            runs = Submitted(served, archive)
            for _ in range(asked.rounds):
                scripts.append(script(asked.data, asked.threads))
                colds.append(runs.cold())
                warms.append(runs.warm())
    for name, values in (("script", scripts), ("cold", colds), ("warm", warms)):
        print(f"{name}: {spread(values)} s")
    print_limit("warm / script", ratios(warms, scripts), at_most=WARM)
    print_limit("cold / script", ratios(colds, scripts), at_most=COLD)


if __name__ == "__main__":
    main()
