"""What a trained run owes besides its checkpoints: overlay, evaluation report, ONNX files."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trainyard.errors import CheckpointsLost
from trainyard.runs.events import Event, Notice, without_speed
from trainyard.storage.files import RunFolder
from workers.prepared.recorded import open_version
from workers.training.checkpoints.files import ABOUT
from workers.training.checkpoints.resume import newest_good
from workers.training.checkpoints.trained_network import TrainedNetwork, card_of, network_of
from workers.training.compute.devices import device_of_class
from workers.training.data.batches import split_samples
from workers.training.data.squares import plain_squares
from workers.training.export.onnx_files import ExportData, export_run
from workers.training.job import FinishingJob
from workers.training.prediction.overlay import write_overlay
from workers.training.report.run import report_on_run


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
    data = card.spec.data
    samples = split_samples(prepared.samples, data.val_fraction, card.spec.seed, data.split_index)
    train, val = (plain_squares(prepared, part, card.spec) for part in samples)
    trained = TrainedNetwork(network_of(checkpoint, card), card.rule)
    write_overlay(trained, val, card, folder.figures / "overlay.png")
    evaluation = report_on_run(
        trained,
        card,
        val,
        prepared,
        folder,
        epoch=epoch,
        train_images=len(samples[0]),
        device=device_of_class(job.device_class),
    )
    for notice in evaluation["notices"]:
        report(Notice(message=notice))
    if not card.spec.export.onnx:
        return None
    report(without_speed("export", epoch=job.epoch, epochs=job.epochs, step=job.step))
    return export_run(
        trained.network.float(),
        card,
        ExportData(val=val, calibration=train, content_hash=prepared.content_hash),
        folder,
        epoch=epoch,
        evaluation=evaluation,
        report=report,
    )
