"""Storage that fills up or becomes read-only while a real process trains, on a small volume made for it."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.training.conftest import CONFIGS, draw_set, tiny_spec
from trainyard.lease import Ownership
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run, RunStatus
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json
from trainyard.store.connection import connect
from workers.runs.supervisor import RunSupervisor
from workers.training.checkpoints.files import ABOUT, read_checkpoint

CONTENT_HASH = "c0de" * 16
VOLUME = "256m"
EPOCHS = 10_000


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of 256 MiB, room for several checkpoints, which only the superuser can make."""
    place = tmp_path / "volume"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={VOLUME}", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no volume can be mounted here: {made.stderr.decode().strip()}")
    yield place
    while subprocess.run(["umount", place], capture_output=True, check=False).returncode == 0:
        continue  # the volume, and the read-only view of it where there is one


def fill(volume: Path) -> None:
    """Leave no byte free."""
    with (volume / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(volume).f_bavail == 0


def protect(volume: Path) -> None:
    """Make it read-only for whoever opens a file from now on."""
    subprocess.run(["mount", "--bind", volume, volume], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", volume], check=True)


def mend(volume: Path) -> None:
    """Undo either."""
    if (volume / "ballast").exists():
        (volume / "ballast").unlink()
    else:
        subprocess.run(["umount", volume], check=True)


@pytest.fixture
def claimed(volume: Path, redis_url: str) -> tuple[Run, RunRegistry, Storage]:
    """A run of very many epochs, with all it needs on the volume."""
    storage = Storage(volume)
    runs = RunRegistry(connect(redis_url), storage)
    spec = Experiments(CONFIGS).compose(tiny_spec(data={"image_size": 32, "batch_size": 2}))
    run = Run(
        id="run-0123456789ab", project="p", name="n", dataset_id="ds-0123456789ab",
        dataset_hash=CONTENT_HASH, spec=spec, created_at=0, epochs=EPOCHS, labels={},
        queue="train",
    )  # fmt: skip
    draw_set(storage.dataset(run.dataset_id).version(CONTENT_HASH), 4, 2, content_hash=CONTENT_HASH)
    runs.submit(run)
    held = runs.claim("train", "me")
    assert held is not None
    return held, runs, storage


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("break_it", "code", "attempts"),
    [(fill, "disk_full", 1), (protect, "storage_unavailable", 3)],
    ids=["full", "read-only"],
)
def test_the_run_fails_by_name_and_can_go_on(
    claimed, volume: Path, break_it, code: str, attempts: int
) -> None:
    held, runs, storage = claimed
    folder = storage.run(held.id)

    def break_after_an_epoch() -> None:
        while not folder.last_checkpoint.with_name("last.ckpt.json").exists():
            time.sleep(0.05)
        break_it(volume)

    breaking = threading.Thread(target=break_after_an_epoch)
    breaking.start()
    while held is not None:  # storage that is away gets the attempts of any trouble with infrastructure
        ownership = Ownership(runs.rules, time.monotonic())
        RunSupervisor(runs, storage, 1, threading.Event(), held, ownership).supervise()
        held = runs.claim("train", "me")
    breaking.join()

    failed = runs.get("run-0123456789ab")
    assert (failed.status, failed.error["code"]) == (RunStatus.FAILED, code), failed.error
    assert failed.error["cause"] == "infrastructure"
    assert len(failed.attempts) == attempts
    peak = failed.error["peak_memory"]["process_bytes"]
    if attempts == 1:
        assert peak > 100_000_000
    else:
        assert peak is None  # the last of them came to no process
    assert failed.epoch >= 1
    mend(volume)
    assert read_checkpoint(folder.last_checkpoint)[ABOUT]["epoch"] >= 1
    runs.repair_mirrors()
    assert read_json(folder.record) == runs.to_json(failed)
    left = [name for _, _, names in os.walk(folder.path) for name in names if ".tmp" in name]
    assert left == []
