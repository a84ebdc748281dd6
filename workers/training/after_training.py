"""What a trained run owes besides its checkpoints, such as a report and ONNX files: its task writes it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trainyard.errors import CheckpointsLost
from trainyard.runs.events import Event, without_speed
from trainyard.runs.metric_summary import is_finite
from trainyard.storage.files import RunFolder
from workers.prepared.recorded import open_version
from workers.training.checkpoints.files import ABOUT
from workers.training.checkpoints.resume import newest_good
from workers.training.checkpoints.trained_network import card_of, with_weights_of
from workers.training.compute.devices import device_of_class
from workers.training.job import FinishingJob
from workers.training.report.board_summary import write_board_summary
from workers.training.tasks.learning_task import TrainedRun
from workers.training.tasks.registry import task_of


def finish(job: FinishingJob, report: Callable[[Event], None]) -> dict[str, Any] | None:
    """Write it with the best epoch's weights; returns the facts of model.onnx, None where none is wanted.

    Raises CheckpointsLost, DatasetChanged, StorageUnavailable, and ExportMismatch for an ONNX file that
    differs from the checkpoint.
    """
    report(without_speed("report", epoch=job.epoch, epochs=job.epochs, step=job.step))
    found = newest_good(job.checkpoints, report)
    if found is None:
        raise CheckpointsLost
    checkpoint, folder = found[1], RunFolder(job.folder)
    prepared = open_version(job.prepared, job.content_hash)
    epoch, card = int(checkpoint[ABOUT]["epoch"]), replace(card_of(checkpoint), depth=prepared.depth)
    card = replace(card, spec=replace(card.spec, export=job.export))
    task = task_of(card.spec)
    trained = TrainedRun(
        network=with_weights_of(checkpoint, task.empty_network(card.spec.model, card.classes)),
        card=card,
        prepared=prepared,
        folder=folder,
        epoch=epoch,
        device=device_of_class(job.device_class),
    )

    def exports() -> None:
        report(without_speed("export", epoch=job.epoch, epochs=job.epochs, step=job.step))

    facts = task.finish(trained, report, exports)
    write_board_summary(folder, card.spec, epoch, _scores(checkpoint[ABOUT]["best"] or {}))
    return facts


def _scores(best: Mapping[str, Any]) -> dict[str, float]:
    """What the best epoch came to over all classes, under names of their own beside its curves."""
    names = [name for name in best if name.startswith("val_") and "/" not in name]
    return {f"best/{name}": float(best[name]) for name in names if is_finite(best[name])}
