"""Several processes give what one gives, and none of them stays behind."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ingest.made import Bench, codes, encoded, folders, mask, photo
from tests.waits import wait_for
from trainyard.datasets.record import IngestOptions
from trainyard.errors import ChildDied, StorageUnavailable
from workers.ingest.items import Read
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pipeline import ingest
from workers.ingest.reading import parallel
from workers.ingest.reading import set_reader as ingest_module
from workers.prepared.version import Uint8

SIZES = [(6 + 5 * (seed % 7), 40 - 3 * (seed % 5)) for seed in range(40)]
FILES = folders([mask(0, 1, 2, height=height, width=width) for height, width in SIZES])

ENDLESS = """
import sys, time
from pathlib import Path
from trainyard.datasets.record import IngestOptions
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.pipeline import ingest

def rasterize(self, read, image):
    (Path(sys.argv[3]) / str(__import__("os").getpid())).touch()
    time.sleep(600)

MaskTruth.rasterize = rasterize
ingest(Path(sys.argv[1]), Path(sys.argv[2]), IngestOptions(), lambda done, total: None, processes=3)
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def painting(monkeypatch: pytest.MonkeyPatch, before: Callable[[str], None]) -> None:
    """Call `before` with the file of each mask that is rasterized."""
    rasterize = MaskTruth.rasterize

    def rasterized(self: MaskTruth, read: Read, image: DecodedImage) -> Uint8:
        before(self.file)
        return rasterize(self, read, image)

    monkeypatch.setattr(MaskTruth, "rasterize", rasterized)


@pytest.mark.parametrize("options", [{}, {"max_side": 20}, {"label_map": {2: None}}])
def test_the_result_is_the_same_to_the_byte(bench: Bench, options: dict[str, Any]) -> None:
    results = []
    for processes in (1, 2, 5):
        result = bench.run(FILES, processes=processes, **options)
        results.append((result, contents(bench.version)))
    assert results[0][0].problems == ()
    assert all(other == results[0] for other in results[1:])


def test_images_larger_than_memory_allows_at_once_are_read_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = bench.run(FILES)
    monkeypatch.setattr(ingest_module, "LARGE_PIXELS", 1000)
    assert bench.run(FILES, processes=3) == expected


def test_problems_come_in_the_order_of_items(bench: Bench) -> None:
    files = dict(FILES)
    for name in ("3", "17", "18", "30"):
        files[f"images/{name}.png"] = b"broken"
    files["images/21.png"] = files["images/21.png"][:-80]  # its header gives it a place
    one, many = (bench.run(files, processes=processes) for processes in (1, 3))
    assert Counter(codes(one)) == {"image_unknown": 4, "image_broken": 1}
    assert one == many


def test_progress_is_told_while_others_read(bench: Bench) -> None:
    bench.run(FILES, processes=2)
    assert bench.progress == [(done, 40) for done in range(41)]


@pytest.mark.parametrize("processes", [1, 2])
def test_what_this_process_reads_next_is_told_before_it_does(bench: Bench, processes: int) -> None:
    told: list[str | None] = []
    files = {name: b"broken" if name == "images/0.png" else FILES[name] for name in FILES}
    ingest(
        bench.zip(files),
        bench.folder,
        IngestOptions(),
        lambda done, total: None,
        processes=processes,
        reads_next=told.append,
    )
    images = sorted(name for name in files if name.startswith("images/"))
    assert told == ([*images, None] if processes == 1 else [])


def test_a_set_that_is_too_large_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "MAX_PREPARED_PIXELS", 5000)
    for processes in (1, 3):
        assert codes(bench.run(FILES, processes=processes)) == ["set_too_large"]


def test_a_process_that_crashes_is_told_with_the_file_that_it_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(file: str) -> None:
        if file == "masks/20.png":
            os.kill(os.getpid(), signal.SIGKILL)

    painting(monkeypatch, crash)
    with pytest.raises(ChildDied, match=r"exit code -9 while it read images/20\.png"):
        ingest(bench.zip(FILES), bench.folder, IngestOptions(), lambda done, total: None, processes=3)
    assert list(bench.folder.iterdir()) == []


def test_a_full_disk_is_told_by_a_process(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: str) -> None:
        raise OSError(28, "No space left on device")

    painting(monkeypatch, fail)
    with pytest.raises(StorageUnavailable, match="No space left"):
        ingest(bench.zip(FILES), bench.folder, IngestOptions(), lambda done, total: None, processes=2)


def test_few_items_are_read_here_and_many_by_a_process_per_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert parallel.process_count(parallel.FEW_ITEMS - 1, None) == 1
    assert parallel.process_count(1000, None) == parallel.MAX_PROCESSES
    assert parallel.process_count(1000, 7) == 7


def test_no_process_outlives_the_one_that_is_killed(bench: Bench) -> None:
    pids = bench.root / "pids"
    pids.mkdir()
    command = [sys.executable, "-c", ENDLESS, str(bench.zip(FILES)), str(bench.folder), str(pids)]
    with subprocess.Popen(command) as parent:
        wait_for(lambda: len(list(pids.iterdir())) == 3)
        parent.kill()
    wait_for(lambda: not any(_runs(int(path.name)) for path in pids.iterdir()))


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_pictures_are_capped_in_proportion(bench: Bench) -> None:
    wide, tall = mask(0, 1, height=20, width=60), mask(0, 1, height=7, width=3)
    wide[:, 30:] = 2
    bench.run(folders([wide, tall, np.ones((1, 90), np.uint8)]), max_side=30)
    arrays = bench.arrays()
    assert {name: values.shape for name, (_, values) in arrays.items()} == {
        "0": (10, 30),
        "1": (7, 3),
        "2": (1, 30),
    }
    whole = photo(0, 20, 60).astype(float).reshape(10, 2, 30, 2, 3).mean((1, 3))
    assert np.abs(arrays["0"][0] - whole).max() <= 1
    assert set(np.unique(arrays["0"][1][:, 15:])) == {2}


def test_a_capped_set_is_another_version(bench: Bench) -> None:
    files = {**FILES, "images/0.png": encoded(photo(0, *SIZES[0]))}
    hashes = set()
    for cap in (None, 20, 10):
        summary = bench.run(files, max_side=cap).summary
        assert summary is not None
        hashes.add(summary.content_hash)
    assert len(hashes) == 3
