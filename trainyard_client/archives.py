"""Folders as the archives that a server takes: data sets, and experiments that were trained without one."""

import fcntl
import hashlib
import json
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainyard_client.errors import NotFound, SettingsError

RECORD = "run.json"
PARTS = ("checkpoints", "logs", "tensorboard", "figures", "export")
FILES = (RECORD, "metrics.json", "events.jsonl", "report.json", "report.html")
"""What a server takes of an experiment's folder."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The folder of an experiment on this machine, and what its record says."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def dataset(self) -> Mapping[str, Any] | None:
        """What is known of the data set it was trained on, with its `source` and the `options` with which it
        was read; None where that is not known any more."""
        path = self.folder.parent / ".datasets" / str(self.record.get("dataset_id")) / "dataset.json"
        try:
            found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def key(self, fields: Mapping[str, Any]) -> str:
        """An Idempotency-Key for the experiment as it now stands, handed over with these fields."""
        said = [self.record.get("id"), self.record.get("revision"), dict(fields)]
        return f"import-{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]}"


def read_experiment(folder: Path) -> Experiment:
    """An experiment of `trainyard train`; raises NotFound."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotFound(f"{folder} holds no experiment: its {RECORD} cannot be read.") from error
    return Experiment(folder=folder.resolve(), record=record)


@contextmanager
def packed_experiment(experiment: Experiment) -> Iterator[Path]:
    """Its files as a tar, for as long as the block lasts.

    The same files make the same tar under the same name, so that an upload that broke off goes on with it.
    Raises SettingsError where it cannot be written.
    """
    folder = experiment.folder
    _refuse_trained(folder)
    path = folder / ".import.tar"
    files = [folder / name for name in FILES]
    files += [file for part in PARTS for file in sorted((folder / part).rglob("*"))]
    try:
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, dereference=True) as archive:
            for file in (one for one in files if one.is_file() and not one.name.startswith(".")):
                _add(archive, file, file.relative_to(folder).as_posix())
        newest = (folder / RECORD).stat().st_mtime_ns
        os.utime(path, ns=(newest, newest))
        yield path
    except OSError as error:
        raise SettingsError(f"{folder} cannot be packed: {error.strerror or error}.") from error
    finally:
        path.unlink(missing_ok=True)


def _refuse_trained(folder: Path) -> None:
    """Raise SettingsError while a process trains it."""
    with suppress(FileNotFoundError), (folder / ".lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(f"{folder.name} is being trained.", remedy="Wait for its end.") from error


def _add(archive: tarfile.TarFile, file: Path, name: str) -> None:
    """Whole, also where it is a second name of a file that is in the archive already."""
    with file.open("rb") as content:
        info = tarfile.TarInfo(name)
        facts = os.fstat(content.fileno())
        info.size, info.mtime = facts.st_size, int(facts.st_mtime)
        archive.addfile(info, content)


@contextmanager
def packed_dataset(data: Path) -> Iterator[Path]:
    """The file itself, or the folder packed into a zip for as long as the block lasts."""
    if data.is_file():
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="trainyard-") as folder:
        path = Path(folder) / f"{data.resolve().name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(one for one in data.rglob("*") if one.is_file()):
                archive.write(file, file.relative_to(data).as_posix())
        yield path
