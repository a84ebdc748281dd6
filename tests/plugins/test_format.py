"""A plug-in's format of data sets is read where it is named."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from trainyard.datasets.record import IngestOptions
from workers.ingest.pipeline import ingest


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    for number in range(4):
        image = np.random.default_rng(number).integers(0, 255, (40, 48, 3), dtype=np.uint8)
        mask = np.zeros((40, 48), np.uint8)
        mask[10:20, 10 : 20 + number] = 1
        for kind, pixels in (("images", image), ("masks", mask)):
            file = tmp_path / "set" / kind / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), pixels)
    return tmp_path / "set"


def read(upload: Path, **options: str):
    return ingest(
        upload, upload.parent / "out", IngestOptions(**options), lambda done, total: None, processes=1
    )


def test_it_is_read_and_named_in_the_summary(acme: None, upload: Path):
    found = read(upload, format="acme.pairs")
    assert found.summary is not None, found.problems
    assert (found.summary.images, found.summary.reading.format) == (4, "acme.pairs")


def test_it_is_not_taken_unasked(acme: None, upload: Path):
    found = read(upload)
    assert found.summary.reading.format == "pictures"


def test_one_that_no_plug_in_has_is_refused(upload: Path):
    (problem,) = read(upload, format="acme.pairs").problems
    assert problem.code == "format_unknown"
    assert "There is no format 'acme.pairs'" in problem.message
