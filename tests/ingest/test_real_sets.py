"""Real sets give the classes and pixel shares that their README states."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.made import Bench
from trainyard.datasets.record import DatasetSummary
from workers.prepared.version import IGNORE_INDEX

# percent of pixels of the classes 0 to 10 and, last, of the ignored value
CAMVID = {
    "train": [16.8, 23.3, 1.0, 31.7, 4.5, 9.7, 1.2, 1.1, 5.9, 0.6, 0.3, 3.9],
    "val": [9.2, 26.0, 0.6, 29.0, 8.7, 16.3, 0.9, 3.1, 1.7, 0.7, 2.2, 1.7],
    "test": [17.1, 24.6, 1.2, 25.8, 9.3, 11.3, 1.0, 1.2, 4.0, 0.6, 0.2, 3.8],
}


def zipped(bench: Bench, root: Path, *names: str) -> Path:
    """The upload that a user would make of these folders and files of a set."""
    path = bench.root / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            entries = sorted((root / name).iterdir()) if (root / name).is_dir() else [root / name]
            for entry in entries:
                archive.write(entry, f"{root.name}/{entry.relative_to(root)}")
    return path


def shares(summary: DatasetSummary | None) -> dict[int, float]:
    """Percent of all pixels, ignored ones included, by mask value."""
    assert summary is not None
    return {info.value: 100 * info.share * (1 - summary.ignore_share) for info in summary.classes}


@pytest.mark.parametrize(
    ("name", "masks", "images", "expected"),
    [
        ("nuclei", "masks", 71, {0: 85.8, 1: 14.2}),
        ("pets", "masks", 150, {0: 58.1, 255: 41.9}),
        ("pets", "trimaps", 150, {1: 29.3, 2: 58.1, 3: 12.6}),
        ("wbc", "masks", 150, {0: 69.7, 128: 18.3, 255: 12.0}),
    ],
)
def test_shares(
    bench: Bench, shared_data: Path, name: str, masks: str, images: int, expected: dict[int, float]
) -> None:
    result = bench.run(zipped(bench, shared_data / name, "images", masks))
    assert result.problems == ()
    assert result.summary is not None
    assert result.summary.images == images
    assert shares(result.summary) == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize(("name", "last"), [("nuclei", "nucleus"), ("pets", "pet"), ("wbc", "nucleus")])
def test_classes_json_of_the_sets(bench: Bench, shared_data: Path, name: str, last: str) -> None:
    result = bench.run(zipped(bench, shared_data / name, "images", "masks", "classes.json"))
    assert result.problems == ()
    assert result.summary is not None
    assert [result.summary.classes[0].name, result.summary.classes[-1].name] == ["background", last]


def test_the_pet_without_a_mask_pixel_is_counted(bench: Bench, shared_data: Path) -> None:
    """Abyssinian_34 is a GIF called .jpg with an empty mask; Abyssinian_5 an RGBA PNG."""
    result = bench.run(zipped(bench, shared_data / "pets", "images", "masks"))
    assert result.summary is not None
    assert [info.images for info in result.summary.classes] == [150, 149]
    arrays = bench.arrays()
    assert arrays["Abyssinian_34"][1].max() == 0
    assert arrays["Abyssinian_34"][0].std() > 10
    assert arrays["Abyssinian_5"][0].std() > 10


def test_camvid_shares_in_each_split(bench: Bench, shared_data: Path) -> None:
    folders = [f"{split}/{role}" for split in CAMVID for role in ("images", "masks")]
    result = bench.run(zipped(bench, shared_data / "camvid", *folders), ignore_value=11)
    assert result.problems == ()
    assert result.summary is not None
    assert result.summary.splits == {"train": 367, "val": 101, "test": 233}
    assert [info.value for info in result.summary.classes] == list(range(11))
    prepared = bench.prepared
    for split, expected in CAMVID.items():
        pixels = np.zeros(256, np.int64)
        for sample in prepared.samples:
            if sample.split == split:
                pixels += np.bincount(prepared.mask(sample).reshape(-1), minlength=256)
        measured = 100 * pixels / pixels.sum()
        assert measured[[*range(11), IGNORE_INDEX]] == pytest.approx(expected, abs=0.2)
