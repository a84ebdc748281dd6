"""Makes pictures and uploads for the tests of ingest."""

import io
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainyard.datasets.record import IngestOptions, Problem
from trainyard.storage.files import DatasetFolder
from workers.ingest.archive import ArchiveLimits
from workers.ingest.pipeline import DEFAULT_LIMITS, IngestResult, ingest
from workers.prepared.version import PreparedDataset

Array = NDArray[Any]

SIDE = 48


def encoded(pixels: Array | Image.Image, kind: str = "PNG", orientation: int = 0, **options: Any) -> bytes:
    """A picture file; `orientation` goes into its EXIF data unless 0."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    if orientation:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(seed: int = 0, height: int = 6, width: int = 8) -> Array:
    """Noise, (H, W, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def mask(*values: int, height: int = 6, width: int = 8, dtype: Any = np.uint8) -> Array:
    """A mask whose rows take the values in turn, (H, W)."""
    rows = np.resize(np.array(values, dtype), height)
    return np.repeat(rows[:, None], width, axis=1)


def drawn(number: int, value: int) -> Array:
    """A mask of SIDE x SIDE pixels with one object, of another size for each number."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[8 : 20 + number, 8:30] = value
    return mask


def upload(path: Path, files: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> Path:
    """A zip of these files."""
    entries = files.items() if isinstance(files, Mapping) else files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def folders(masks: Sequence[Array | Image.Image], **others: bytes) -> dict[str, bytes]:
    """images/0.png, masks/0.png and so on for these masks, with noise for images of the same size."""
    files = dict(others)
    for index, values in enumerate(masks):
        width, height = values.size if isinstance(values, Image.Image) else values.shape[1::-1]
        files[f"images/{index}.png"] = encoded(photo(index, height, width))
        files[f"masks/{index}.png"] = encoded(values)
    return files


class Bench:
    """A data set's folder in which uploads are tried."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "storage" / "ds"
        self.progress: list[tuple[int, int]] = []
        self.result: IngestResult | None = None

    def zip(self, files: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> Path:
        return upload(self.root / "upload.zip", files)

    def run(
        self,
        files: Mapping[str, bytes] | Sequence[tuple[str, bytes]] | Path,
        limits: ArchiveLimits = DEFAULT_LIMITS,
        annotation: tuple[Path, str] | None = None,
        processes: int | None = None,
        **options: Any,
    ) -> IngestResult:
        """Ingest them into an empty folder, and check what holds for every upload."""
        path = files if isinstance(files, Path) else self.zip(files)
        shutil.rmtree(self.folder, ignore_errors=True)
        before = self.everything()
        report = lambda done, total: self.progress.append((done, total))  # noqa: E731
        result = ingest(
            path,
            self.folder,
            IngestOptions(**options),
            report,
            limits,
            annotation=annotation,
            processes=processes,
        )
        failed = any(problem.severity == "error" for problem in result.problems)
        if result.questions:
            shutil.rmtree(self.folder / "questions", ignore_errors=True)
            assert result.summary is None
            failed = True
        assert (result.summary is None) == failed, result.problems
        assert all(problem.message and problem.remedy for problem in result.problems)
        self.result = result
        assert [entry.name for entry in self.folder.iterdir()] == ([] if failed else ["prepared"])
        assert failed or list((self.folder / "prepared").iterdir()) == [self.version]
        outside = {entry for entry in self.everything() - before if not entry.is_relative_to(self.folder)}
        assert outside <= {self.folder.parent}, "files outside the data set's folder"
        return result

    def everything(self) -> set[Path]:
        return set(self.root.rglob("*"))

    @property
    def prepared(self) -> PreparedDataset:
        return PreparedDataset(self.version)

    @property
    def prepared_folder(self) -> Path:
        return DatasetFolder(self.folder).prepared

    @property
    def version(self) -> Path:
        """The folder of what was prepared last."""
        assert self.result is not None
        assert self.result.summary is not None, self.result.problems
        return DatasetFolder(self.folder).version(self.result.summary.content_hash)

    def arrays(self) -> dict[str, tuple[Array, Array]]:
        """Image and mask of each prepared sample, copied, by name."""
        data = self.prepared
        return {s.name: (data.image(s).copy(), data.mask(s).copy()) for s in data.samples}


def codes(result: IngestResult, severity: str = "error") -> list[str]:
    """The codes of the problems of that severity, each as often as it was found."""
    return [one.code for one in result.problems if one.severity == severity for _ in range(one.count)]


def named(problems: Iterable[Problem]) -> list[tuple[str, str | None]]:
    """The code of each problem with each of the files that it names."""
    return [
        (one.code, example and example.partition(": ")[0])
        for one in problems
        for example in (one.examples or (one.file,))
    ]
