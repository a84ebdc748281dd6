"""Memory does not grow with the set."""

import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest

from tests.ingest.made import Bench, encoded, folders, mask, photo
from tests.ingest.tiffs import chunk

PEAKS = """
import multiprocessing, resource, sys
from pathlib import Path
from trainyard.datasets.record import IngestOptions
from workers.ingest.pipeline import ingest

def run(upload):
    result = ingest(Path(upload), Path(sys.argv[1]), IngestOptions(), lambda done, total: None)
    assert result.summary is not None, result.problems

for upload in sys.argv[2:]:
    # forked: the peak of a program that is started begins with that of the one that starts it
    child = multiprocessing.get_context("fork").Process(target=run, args=(upload,))
    child.start()
    child.join()
    assert child.exitcode == 0
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""

OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 50, "orientation": 6},
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


@pytest.mark.variants(1)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_peak_memory_of_the_largest_pictures(bench: Bench, kind: str) -> None:
    """Fifty million pixels, read by OpenCV and turned, or by Pillow: all that they need fits in 500 MB."""
    height, width = 7000, 7142
    files = {}
    for index in range(2):
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[::2] = 40 * index + 9
        small = encoded(pixels, kind, **OPTIONS[kind])
        files |= {f"images/{index}.png": small, f"masks/{index}.png": encoded(pixels[..., 0] > 40 * index)}
    done = subprocess.run(
        [sys.executable, "-c", PEAKS, str(bench.folder), str(bench.zip(files))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) / 1024 < 500


def test_a_picture_that_would_take_too_much_is_refused(bench: Bench) -> None:
    files = folders([mask(0, 1), mask(1, 0)])
    files["images/0.png"] = encoded(np.zeros((7000, 7000, 3), np.uint8), "TIFF", 6, compression="tiff_lzw")
    result = bench.run(files)
    assert [(p.code, p.file) for p in result.problems] == [("image_too_large", "images/0.png")]


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["colours", pytest.param("16 bits", marks=pytest.mark.long)])
def test_peak_memory_of_pictures_above_the_pixel_limit(bench: Bench, kind: str) -> None:
    """A scan of 100 million pixels, whose pixels alone would fill the memory: read smaller, it fits."""
    height, width = 8736, 11648
    bits, bands = (8, 3) if kind == "colours" else (16, 3)
    files = {}
    for index in range(2):
        files[f"images/{index}.png"] = plain_png(width, height, bands, bits, index + 1)
        files[f"masks/{index}.png"] = plain_png(width, height, 1, 8, 1 - index)
    program = PEAKS.replace("IngestOptions()", "IngestOptions(max_side=2048)")
    done = subprocess.run(
        [sys.executable, "-c", program, str(bench.folder), str(bench.zip(files))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) / 1024 < 500


def plain_png(width: int, height: int, bands: int, bits: int, value: int) -> bytes:
    """A PNG of one value, made without its pixels in memory."""
    row = b"\0" + bytes([value]) * (width * bands * bits // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">LLBBBBB", width, height, bits, 0 if bands == 1 else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
