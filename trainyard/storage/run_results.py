"""What attempts at a run leave behind, beside its record, events and log."""

import shutil
from contextlib import suppress

from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder, remove_folder


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
