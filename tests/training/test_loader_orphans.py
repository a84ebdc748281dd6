"""Loader processes end with the one that trains, however that ends."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from tests.waits import wait_for
from trainyard.settings import REPOSITORY

LOADS = """
import sys
from pathlib import Path
from tests.training.conftest import CONFIGS, tiny_spec
from trainyard.spec.experiments import Experiments
from workers.prepared.version import PreparedDataset
from workers.training.tasks.segmentation.data.batches import SegmentationData

data = {"image_size": 256, "batch_size": 1, "loader_workers": 2}
spec = Experiments(CONFIGS).compose(tiny_spec(data=data))
loader = SegmentationData(PreparedDataset(Path(sys.argv[1])), spec).train_dataloader()
batches = iter(loader)
next(batches)
print("loads", flush=True)
sys.stdin.read()  # and takes no batch any more
"""


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            if one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


def test_loaders_of_a_process_that_is_killed_are_gone_at_once(prepared: Path) -> None:
    """Also those that were halted with it, as a run is whose lease may have lapsed: they would never look
    for it again."""
    command = [sys.executable, "-c", LOADS, str(prepared)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=REPOSITORY, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"loads\n"
        loaders = psutil.Process(process.pid).children(recursive=True)
        assert len(living(loaders)) >= 2
        for one in living(loaders):
            one.suspend()
        process.kill()
    wait_for(lambda: living(loaders), lambda left: not left, seconds=3)
