"""Loader processes are halted and killed with the process that trains: a worker's child, or any other."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.waits import wait_for
from trainyard.settings import REPOSITORY

LOADS = """
import os, sys, time
from multiprocessing import get_context
from pathlib import Path
from tests.training.conftest import CONFIGS, tiny_spec
from trainyard.spec.experiments import Experiments
from workers.prepared.version import PreparedDataset
from workers.training.tasks.segmentation.data.batches import SegmentationData

def load(folder):
    os.setpgid(0, 0)
    data = {"image_size": 256, "batch_size": 1, "loader_workers": 2}
    spec = Experiments(CONFIGS).compose(tiny_spec(data=data))
    batches = iter(SegmentationData(PreparedDataset(Path(folder)), spec).train_dataloader())
    next(batches)
    print(os.getpid(), flush=True)
    time.sleep(600)  # and takes no batch any more

if __name__ == "__main__":
    if sys.argv[2] == "worker":
        child = get_context("forkserver").Process(target=load, args=sys.argv[1:2])
        child.start()
        child.join()
    else:
        load(sys.argv[1])
"""


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended."""
    found = []
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            if one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


@pytest.mark.variants(2)
@pytest.mark.parametrize("child_of", ["worker", "shell"])
@pytest.mark.parametrize("is_halted", [True, False])
def test_loaders_are_gone_with_what_trains(
    child_of: str, is_halted: bool, prepared: Path, tmp_path: Path
) -> None:
    """Also those that were halted with it, as of a run whose lease may have lapsed: they would never look
    for it again."""
    script = tmp_path / "loads.py"
    script.write_text(LOADS)
    command = [sys.executable, str(script), str(prepared), child_of]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        trains = int(process.stdout.readline())
        loaders = psutil.Process(trains).children(recursive=True)
        assert len(living(loaders)) == 2
        if is_halted:
            os.killpg(trains, signal.SIGSTOP)
            halted = {psutil.STATUS_STOPPED}
            wait_for(lambda: {one.status() for one in loaders}, lambda told: told == halted)
        os.kill(trains, signal.SIGKILL)
        wait_for(lambda: living(loaders), lambda left: not left)
        process.kill()
