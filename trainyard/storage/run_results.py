"""What attempts at a run leave behind, beside its record, events and log.

Report, figures and exported files lie with the attempt that wrote them, and the record names the attempt
whose results are the run's. So whoever is late writes results that nobody sees. In the run's folder they have
second names.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from trainyard.storage.aliases import place_file
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder, remove_folder


def place_results(folder: RunFolder, attempt: int) -> None:
    """Let the run's report, figures and export be those of that attempt; raises StorageUnavailable.

    Where they are there no more, a newer attempt has begun.
    """
    own = folder.attempt(attempt)
    try:
        if not own.report_json.exists():
            return
        found = {file.relative_to(own.path) for file in result_files(own)}
        for name in found:
            place_file(own.path / name, folder.path / name)
        for file in result_files(folder):
            if file.relative_to(folder.path) not in found:
                file.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error("The results could not be put in place", error) from error


def result_files(folder: RunFolder) -> Iterator[Path]:
    """The files of a report, its figures and an export that are there, but those that are being written."""
    for file in (folder.report_json, folder.report_html):
        if file.exists():
            yield file
    for part in (folder.figures, folder.export):
        yield from (file for file in part.glob("*") if not file.name.startswith("."))


def clear_results(folder: RunFolder) -> None:
    """Remove what an earlier try at a run left, so that none of it is taken for the next one's: checkpoints,
    metrics, figures, reports, exports. The log is kept. Raises StorageUnavailable.
    """
    for made in (folder.saved, folder.checkpoints, folder.tensorboard, folder.figures, folder.export):
        remove_folder(made)
    try:
        for file in (folder.metrics_json, folder.metrics_csv, folder.report_json, folder.report_html):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error("An earlier try could not be cleared away", error) from error


def discard_work(folder: RunFolder) -> None:
    """Remove all but record, settings, events and log; what cannot be removed stays."""
    kept = (folder.record, folder.config, folder.events, folder.log.parent)
    for path in folder.path.iterdir() if folder.path.exists() else []:
        if path in kept or path.suffix == ".tmp":  # a record that is just being written
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
