"""What a completed run owes besides its checkpoints: overlay, evaluation report, ONNX files."""

from collections.abc import Callable
from typing import Any

from trainyard.errors import StorageUnavailable
from trainyard.runs.events import Event, Notice
from workers.prepared.version import PreparedDataset
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.data.squares import plain_squares
from workers.training.engine.attempt import Attempt
from workers.training.export.onnx_files import ExportData, export_run
from workers.training.prediction.overlay import write_overlay
from workers.training.report.run import report_on_run


def finish(attempt: Attempt, report: Callable[[Event], None]) -> dict[str, Any] | None:
    """Write them with the best epoch's weights; returns the facts of model.onnx, None where none is wanted.

    Raises StorageUnavailable, and ExportMismatch for an ONNX file that differs from the checkpoint.
    """
    file = attempt.saved.best or attempt.saved.newest
    if file is None:
        raise StorageUnavailable("The run left no checkpoint.")
    best = read_checkpoint(file.path)
    epoch = int(best[ABOUT]["epoch"])
    attempt.module.finish_with(best)
    module = attempt.module.cpu().eval()
    write_overlay(module, attempt.data.val, attempt.card, attempt.folder.figures / "overlay.png")
    prepared = PreparedDataset(attempt.job.prepared)
    evaluation = report_on_run(
        module, attempt.card, attempt.data, prepared, attempt.folder, epoch, attempt.device
    )
    for notice in evaluation["notices"]:
        report(Notice(message=notice))
    if not attempt.card.spec.export.onnx:
        return None
    data = ExportData(
        val=attempt.data.val,
        calibration=plain_squares(prepared, attempt.data.train.samples, attempt.card.spec),
        content_hash=prepared.content_hash,
    )
    return export_run(
        module.network.float(),
        attempt.card,
        data,
        attempt.folder,
        epoch=epoch,
        evaluation=evaluation,
        report=report,
    )
