"""What attempts at a run leave behind, beside its record, events and log."""

import shutil

from trainyard.storage import RunFolder


def clear_results(folder: RunFolder) -> None:
    """Remove checkpoints, metrics, figures, reports and exports, so that none is taken for a later attempt's.

    What cannot be removed stays: whatever comes next replaces it file by file.
    """
    for results in (folder.checkpoints, folder.tensorboard, folder.figures, folder.export):
        shutil.rmtree(results, ignore_errors=True)
    for file in (folder.metrics_json, folder.metrics_csv, folder.report_json, folder.report_html):
        file.unlink(missing_ok=True)


def discard_work(folder: RunFolder) -> None:
    """Remove the results, and the checkpoint that a fork began with."""
    clear_results(folder)
    shutil.rmtree(folder.origin, ignore_errors=True)
