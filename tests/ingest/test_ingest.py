"""The whole way: prepared form, statistics, hash, and nothing half-made."""

import resource
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.made import Bench, encoded, folders, mask, photo
from trainyard.datasets import IngestOptions
from trainyard.errors import StorageUnavailable
from workers.ingest.ingest import ingest

MASKS = [mask(0, 1, 1), mask(0, 1, height=9, width=5), mask(1, 0)]


def test_the_prepared_form_holds_what_was_sent(bench: Bench) -> None:
    result = bench.run(folders(MASKS))
    assert result.problems == ()
    for name, (image, values) in bench.arrays().items():
        sent = MASKS[int(name)]
        assert np.array_equal(image, photo(int(name), *sent.shape))
        assert np.array_equal(values, sent)
    prepared = bench.prepared
    assert result.summary is not None
    assert prepared.content_hash == result.summary.content_hash
    assert prepared.mean == result.summary.mean
    assert sorted(sample.split for sample in prepared.samples) == ["train", "train", "val"]


def test_the_statistics_are_those_of_all_pixels(bench: Bench) -> None:
    result = bench.run(folders(MASKS), ignore_value=9)
    summary = result.summary
    assert summary is not None
    pixels = np.concatenate([photo(i, *m.shape).reshape(-1, 3) for i, m in enumerate(MASKS)]) / 255
    labels = np.concatenate([m.reshape(-1) for m in MASKS])
    assert summary.mean == pytest.approx(pixels.mean(0))
    assert summary.std == pytest.approx(pixels.std(0))
    assert [c.pixels for c in summary.classes] == np.bincount(labels).tolist()
    assert [c.share for c in summary.classes] == pytest.approx([(labels == v).mean() for v in (0, 1)])
    assert [c.images for c in summary.classes] == [3, 3]
    assert summary.sizes == {"8x6": 2, "5x9": 1}
    assert summary.images == 3
    assert summary.ignore_share == 0


def test_shares_are_of_labelled_pixels_and_the_ignored_share_of_all(bench: Bench) -> None:
    summary = bench.run(folders([mask(0, 1, 9), mask(0, 0, 9)]), ignore_value=9).summary
    assert summary is not None
    assert [c.share for c in summary.classes] == pytest.approx([0.75, 0.25])
    assert summary.ignore_share == pytest.approx(1 / 3)


def test_the_hash_is_of_the_content(bench: Bench) -> None:
    files = folders(MASKS)

    def hashed(sent: dict[str, bytes], **options: int) -> str:
        summary = bench.run(sent, **options).summary
        assert summary is not None
        return summary.content_hash

    first = hashed(files)
    assert hashed(dict(reversed(files.items()))) == first
    assert hashed({f"top/{name}": data for name, data in files.items()}) == first
    assert hashed({**files, "masks/0.png": encoded(MASKS[0], "TIFF")}) == first
    assert hashed({**files, "images/0.png": encoded(photo(5, 6, 8))}) != first
    assert hashed({**files, "masks/0.png": encoded(mask(0, 0, 1))}) != first
    assert len({first, *(hashed(files, seed=seed) for seed in range(1, 9))}) > 1


def test_progress_reaches_the_total(bench: Bench) -> None:
    bench.run(folders(MASKS))
    assert bench.progress == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_an_earlier_try_is_replaced(bench: Bench) -> None:
    bench.run(folders(MASKS))
    leftover = bench.folder / ".prepared-0123"
    leftover.mkdir()
    (leftover / "images.bin").write_bytes(b"half")
    assert bench.run(folders([mask(0)])).summary is None  # Bench.run: and the folder is empty


def test_a_caller_that_gives_up_leaves_nothing(bench: Bench) -> None:
    class GaveUp(Exception):
        pass

    def progress(done: int, _: int) -> None:
        if done == 2:
            raise GaveUp

    with pytest.raises(GaveUp):
        ingest(bench.zip(folders(MASKS)), bench.folder, IngestOptions(), progress)
    assert list(bench.folder.iterdir()) == []


def test_a_full_disk_is_a_fault_of_the_storage(bench: Bench) -> None:
    big = mask(0, 1, height=300, width=300)
    path = bench.zip(folders([big, big]))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(StorageUnavailable):
            ingest(path, bench.folder, IngestOptions(), lambda done, total: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(bench.folder.iterdir()) == []


def test_storage_that_is_not_there_is_a_fault_of_the_storage(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        ingest(tmp_path / "absent.zip", bench.folder, IngestOptions(), lambda done, total: None)
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(StorageUnavailable):
        ingest(bench.zip(folders(MASKS)), blocked / "ds", IngestOptions(), lambda done, total: None)
