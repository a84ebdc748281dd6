"""Loader processes keep no more batches ready than fit the shared memory."""

from pathlib import Path

import pytest

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import Notice
from workers.training.data import loaders as data_module
from workers.training.data.shared_memory import MOST_READY, free_shared_memory, loading_that_fits

MIB = 2**20
LARGE_BATCH = 64 * 512 * 512 * 4


@pytest.mark.parametrize(
    ("asked", "batch", "free", "processes", "ready"),
    [
        (0, LARGE_BATCH, 0, 0, MOST_READY),
        (8, LARGE_BATCH, None, 8, MOST_READY),
        (8, MIB, 2048 * MIB, 8, MOST_READY),
        (8, 2 * LARGE_BATCH, None, 8, 2),  # more would be gigabytes that wait
        (8, 8 * LARGE_BATCH, 2**40, 8, 2),
        (8, 16 * MIB, 2048 * MIB, 8, 3),
        (8, LARGE_BATCH, 2048 * MIB, 6, 1),
        (8, MIB, 64 * MIB, 8, 1),  # what Kubernetes gives a container
        (2, LARGE_BATCH, 64 * MIB, 0, MOST_READY),
        (1, MIB, 12 * MIB, 1, 1),
        (1, MIB, 11 * MIB, 0, MOST_READY),
        (4, MIB, 0, 0, MOST_READY),
    ],
)
def test_as_many_as_fit(asked: int, batch: int, free: int | None, processes: int, ready: int) -> None:
    found = loading_that_fits(asked, batch, free)
    assert (found.processes, found.ready) == (processes, ready)
    assert (found.notice is None) is (processes == asked)
    if free is not None and found.processes:
        assert (found.processes * found.ready + 2) * batch <= free / 4


def test_what_is_free_is_asked_of_the_system(tmp_path: Path) -> None:
    assert (free_shared_memory(tmp_path) or 0) > 0
    assert free_shared_memory(tmp_path / "absent") is None


def test_a_run_with_too_little_of_it_says_so_and_trains(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_module, "free_shared_memory", lambda: 1024)
    spec = tiny_spec(data={"image_size": 32, "batch_size": 4, "loader_workers": 2})
    assert run.fit(epochs=1, spec=spec).status == "completed"
    (said,) = [event.message for event in run.of(Notice)]
    assert said.startswith("2 loader processes were asked for and none used")
    assert "/dev/shm" in said
