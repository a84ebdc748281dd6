"""The whole way: prepared form, statistics, hash, and nothing half-made."""

import resource
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.made import Bench, codes, encoded, folders, mask, photo
from trainyard.datasets.record import IngestOptions
from trainyard.errors import StorageUnavailable
from workers.ingest import pipeline as ingest_module
from workers.ingest.pipeline import ingest

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


def test_what_an_earlier_try_left_is_removed_and_versions_are_kept(bench: Bench) -> None:
    bench.run(folders(MASKS))
    first = bench.version
    leftover = bench.folder / ".prepared-0123"
    leftover.mkdir()
    (leftover / "images.bin").write_bytes(b"half")
    (bench.folder / ".unpacked-0123.tar").write_bytes(b"half")
    quietly = lambda done, total: None  # noqa: E731
    assert ingest(bench.zip(folders([mask(0)])), bench.folder, IngestOptions(), quietly).summary is None
    assert [path.name for path in bench.folder.iterdir()] == ["prepared"]
    second = ingest(bench.zip(folders(MASKS)), bench.folder, IngestOptions(max_side=5), quietly).summary
    assert second is not None
    assert {path.name for path in bench.prepared_folder.iterdir()} == {first.name, second.content_hash[:16]}


def test_a_version_of_the_same_content_is_kept_as_it_is(bench: Bench) -> None:
    bench.run(folders(MASKS))
    before = {path: path.stat().st_ino for path in bench.version.iterdir()}
    ingest(bench.zip(folders(MASKS)), bench.folder, IngestOptions(), lambda done, total: None)
    assert {path: path.stat().st_ino for path in bench.version.iterdir()} == before
    assert list(bench.folder.iterdir()) == [bench.prepared_folder]


def test_one_image_in_two_splits_is_left_out_of_training(bench: Bench) -> None:
    files = {}
    for split, seed in (("train", 0), ("train", 1), ("train", 2), ("test", 2), ("val", 3)):
        files[f"{split}/images/{seed}.png"] = encoded(photo(seed))
        files[f"{split}/masks/{seed}.png"] = encoded(mask(0, 1))
    result = bench.run(files)
    assert codes(result, "warning") == ["image_in_two_splits"]
    assert "test/images/2.png" in result.problems[0].message
    assert result.problems[0].file == "train/images/2.png"
    splits = {sample.name: sample.split for sample in bench.prepared.samples}
    assert splits["train/2"] == "unused"
    assert splits["test/2"] == "test"


def test_names_that_differ_by_case_alone_are_a_warning(bench: Bench) -> None:
    files = {f"images/{name}.png": encoded(photo(seed)) for seed, name in enumerate(("a", "A", "b"))}
    files |= {name.replace("images", "masks"): encoded(mask(0, 1)) for name in files}
    result = bench.run(files)
    assert [(p.code, p.file) for p in result.problems] == [("names_alike", "images/A.png")]


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (("road", "Traffic light", "traffic_light"), "'Traffic light' (value 1), 'traffic_light' (value 2)"),
        (("road", "class_1", "class_11"), None),
        (("_", "-", "+"), None),
    ],
)
def test_classes_of_nearly_the_same_name_are_a_warning(
    bench: Bench, names: tuple[str, ...], alike: str | None
) -> None:
    result = bench.run(folders([mask(0, 1, 2), mask(2, 1, 0)]), classes=dict(enumerate(names)))
    told = [problem.message for problem in result.problems if problem.code == "classes_alike"]
    assert told == ([f"2 classes have nearly the same name: {alike}."] if alike else [])


def test_samples_say_which_classes_they_have(bench: Bench) -> None:
    bench.run(folders([mask(0, 5, 9), mask(5), mask(0, 9)]), ignore_value=9)
    assert {sample.name: sample.classes for sample in bench.prepared.samples} == {
        "0": (0, 1),
        "1": (1,),
        "2": (0,),
    }


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


def test_a_set_of_too_many_images_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "MAX_IMAGES", 2)
    assert bench.run(folders([mask(0, 1), mask(1, 0)])).summary is not None
    assert codes(bench.run(folders([mask(0, 1), mask(1, 0), mask(1, 1)]))) == ["set_too_large"]
