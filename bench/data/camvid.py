"""CamVid for the benchmarks: its files, and the form that training reads."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from trainyard.datasets.record import IngestOptions
from trainyard.storage.files import DatasetFolder
from trainyard.storage.json_files import read_json
from workers.ingest.pipeline import ingest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "camvid"
"""Where CamVid lies: train/, val/ and test/, each with images/ and masks/, and classes.json."""

VOID = 11
"""The mask value that counts as no class."""

CLASSES = "classes.json"

WHOLE = {"train": None, "val": None, "test": None}
"""All images of all splits."""


def class_names(data: Path) -> list[str]:
    """The names of the eleven classes, in the order of their mask values."""
    return [info["name"] for info in read_json(data / CLASSES)["classes"]]


def image_files(data: Path, split: str) -> list[tuple[Path, Path]]:
    """The images of a split with their masks, by name."""
    masks = {path.stem: path for path in (data / split / "masks").iterdir()}
    return [(image, masks[image.stem]) for image in sorted((data / split / "images").iterdir())]


def pack(data: Path, archive: Path, counts: Mapping[str, int | None]) -> Path:
    """A stored zip of the first images of each split, as many as `counts` says (None takes all), and of
    classes.json, which names the classes and the value to ignore."""
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(data / CLASSES, CLASSES)
        for split, count in counts.items():
            for files in image_files(data, split)[:count]:
                for file in files:
                    packed.write(file, file.relative_to(data))
    return archive


def prepare(archive: Path, folder: Path) -> Path:
    """Ingest a packed CamVid, its splits kept, into a folder; returns the prepared version."""
    result = ingest(archive, folder, IngestOptions(), lambda done, total: None)
    if result.summary is None:
        raise SystemExit(f"CamVid cannot be ingested: {result.problems}")
    return DatasetFolder(folder).version(result.summary.content_hash)
