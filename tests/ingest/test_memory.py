"""Memory does not grow with the set."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tests.ingest.made import Bench, encoded, mask, photo

PEAKS = """
import sys
from pathlib import Path
from trainyard.datasets import IngestOptions
from workers.ingest.ingest import ingest

def peak_kib():
    # getrusage would tell the peak of whoever started this program, if that is higher
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("VmHWM"))

for upload in sys.argv[2:]:
    result = ingest(Path(upload), Path(sys.argv[1]), IngestOptions(), lambda done, total: None)
    assert result.summary is not None, result.problems
    print(peak_kib())
"""


OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 50},
    "TIFF": {"compression": "tiff_lzw"},
}


def test_peak_memory_is_that_of_one_pair(bench: Bench) -> None:
    """Twelve pairs of 3 MB may take no more than two pairs do, give or take one pair."""
    images = [encoded(photo(seed, 1000, 1000), "PNG", compress_level=1) for seed in range(12)]
    labels = encoded(mask(0, 1, height=1000, width=1000))
    uploads = []
    for count in (2, 12):
        files = {f"images/{index}.png": images[index] for index in range(count)}
        files |= {f"masks/{index}.png": labels for index in range(count)}
        uploads.append(str(bench.zip(files).rename(bench.root / f"{count}.zip")))
    done = subprocess.run(
        [sys.executable, "-c", PEAKS, str(bench.folder), *uploads], capture_output=True, text=True, check=True
    )
    few, many = (int(line) / 1024 for line in done.stdout.split())
    assert many - few < 5, f"{few:.0f} MB, then {many:.0f} MB"
    assert many < 200


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_peak_memory_of_the_largest_pictures(bench: Bench, kind: str) -> None:
    """Fifty million pixels, turned by EXIF: the file, the pixels and what decodes them fit in 500 MB."""
    height, width = 7000, 7142
    files = {}
    for index in range(2):
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[::2] = 40 * index + 9
        small = encoded(pixels, kind, 6, **OPTIONS[kind])
        files |= {f"images/{index}.png": small, f"masks/{index}.png": encoded(pixels[..., 0] > 0)}
    done = subprocess.run(
        [sys.executable, "-c", PEAKS, str(bench.folder), str(bench.zip(files))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) / 1024 < 500
