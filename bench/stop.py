"""Seconds from asking a run to stop until its checkpoint is on disk and its process is gone.

    python -m bench.stop [DATA] [--rounds N] [--threads N]

They may be those of one batch and two more.
"""

import argparse
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench.data.camvid import DATA, pack
from bench.machines.service import POLL_S, Service, service, uploaded, wait_for_step
from bench.measures.turns import exit_on_sigterm, print_limit
from bench.sides.engine import same_job
from trainyard.storage.files import RunFolder, Storage

BATCH_SIZE = 8
BEYOND_A_BATCH_S = 2.0
SETTLE_S = 5.0
"""How long a run trains before it is asked to stop."""


def stopped(served: Service, dataset_id: str) -> float:
    """Seconds that the stop of one run took beyond one batch."""
    runs = served.client.runs
    run_id = runs.submit(dataset_id, spec=same_job(BATCH_SIZE, epochs=99)).id
    wait_for_step(served.client, run_id)
    time.sleep(SETTLE_S)
    progress = runs.get(run_id).progress
    assert progress, "it is past its first step"
    assert progress.images_per_second, "it is past its first step"
    batch_s = BATCH_SIZE / progress.images_per_second
    folder = Storage(served.storage).run(run_id)
    asked_at, start = time.time(), time.monotonic()
    runs.stop(run_id)
    while not is_saved(folder, asked_at) or is_alive(folder):
        time.sleep(POLL_S)
    seconds = time.monotonic() - start
    runs.wait(run_id)
    return seconds - batch_s


def is_saved(folder: RunFolder, since: float) -> bool:
    """Whether last.ckpt was written after that time."""
    return folder.last_checkpoint.exists() and folder.last_checkpoint.stat().st_mtime >= since


def is_alive(folder: RunFolder) -> bool:
    """Whether any process still has a file of the run as its output, as the training process has its log."""
    for outputs in Path("/proc").glob("[0-9]*/fd/1"):
        with suppress(OSError):  # it has ended, or is another user's
            if outputs.readlink().is_relative_to(folder.path):
                return True
    return False


def main() -> None:
    """Stop a few runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    exit_on_sigterm()
    with tempfile.TemporaryDirectory() as work, service(Path(work), asked.threads) as served:
        archive = pack(asked.data, Path(work) / "camvid.zip", {"train": 160, "val": 8})
        dataset_id = uploaded(served.client, archive)
        seconds = [stopped(served, dataset_id) for _ in range(asked.rounds)]
    print_limit("seconds beyond one batch", seconds, at_most=BEYOND_A_BATCH_S)


if __name__ == "__main__":
    main()
