"""Images per second of ingest beside a plain loop that decodes the same files with OpenCV.

    python -m bench.ingest [DATA] [--pairs N]

DATA is a folder with images/ and masks/ in it, or with folders that have them. The two take turns, A B A B,
so that a machine that grows slower or faster does so for both; what is printed is the median of the ratios
of neighbours, and their spread. Ingest reads a stored zip of the files and does all it does for a client:
checks, hashes, statistics and the prepared form on disk. As in the service, it runs in a process of its own.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2

from bench.measures.turns import exit_on_sigterm
from trainyard.datasets.record import IngestOptions
from workers.ingest.pipeline import ingest

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "camvid" / "train"


def files_of(data: Path) -> tuple[list[Path], list[Path]]:
    """The images and the masks below a folder."""
    images = sorted(path for path in data.rglob("images/*") if path.is_file())
    masks = sorted(path for path in data.rglob("masks/*") if path.is_file())
    return images, masks


def plain_loop(images: list[Path], masks: list[Path]) -> float:
    """Images per second of decoding every image and mask, and nothing else."""
    start = time.perf_counter()
    for path in images:
        cv2.imread(str(path), cv2.IMREAD_COLOR)
    for path in masks:
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return len(images) / (time.perf_counter() - start)


def ingested(upload: Path, folder: Path, images: int, processes: int) -> float:
    """Images per second of an ingest from the upload to a version on disk, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as child:
        seconds, problems = child.submit(_ingest, upload, folder, images, processes).result()
    assert not problems, problems
    return images / seconds


def _ingest(upload: Path, folder: Path, images: int, processes: int) -> tuple[float, str]:
    start = time.perf_counter()
    result = ingest(upload, folder, IngestOptions(), lambda done, total: None, processes=processes)
    seconds = time.perf_counter() - start
    done = result.summary is not None and result.summary.images == images
    return seconds, "" if done else str(result.problems)


def compare(images: list[Path], masks: list[Path], upload: Path, processes: int, pairs: int) -> None:
    """Print the median and the spread of both speeds and of their ratio."""
    loops, ingests = [], []
    for _ in range(pairs):
        loops.append(plain_loop(images, masks))
        with tempfile.TemporaryDirectory(dir=upload.parent) as folder:
            ingests.append(ingested(upload, Path(folder), len(images), processes))
    ratios = [one / other for one, other in zip(ingests, loops, strict=True)]
    print(
        f"{processes} process(es): ingest {statistics.median(ingests):.0f} images/s, "
        f"plain loop {statistics.median(loops):.0f} images/s, "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f} in {pairs} pairs)"
    )


def main() -> None:
    """Compare with one process and with two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--pairs", type=int, default=5)
    asked = parser.parse_args()
    exit_on_sigterm()
    cv2.setNumThreads(1)
    images, masks = files_of(asked.data)
    print(f"{asked.data}: {len(images)} images, {len(masks)} masks; {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as work:
        upload = Path(work) / "upload.zip"
        with zipfile.ZipFile(upload, "w") as archive:
            for path in (*images, *masks):
                archive.write(path, path.relative_to(asked.data))
        plain_loop(images, masks)  # fills the page cache
        for processes in (1, 2):
            compare(images, masks, upload, processes, asked.pairs)


if __name__ == "__main__":
    main()
