"""Jobs as messages to the processes that do them."""

from dataclasses import asdict
from pathlib import Path

from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import ExportSpec
from workers.process.child import Message
from workers.training.job import FinishingJob, SavedFile, TrainingJob

_PLAIN = ("run_id", "epochs", "threads", "content_hash", "device_class")
_PLAIN_OF_FINISHING = ("threads", "epoch", "step", "epochs", "content_hash", "device_class")
"""Fields that are JSON data already."""


def job_to_message(job: TrainingJob) -> Message:
    """The job as JSON data."""
    return {
        **{field: getattr(job, field) for field in _PLAIN},
        "spec": job.spec.to_dict(),
        "folder": str(job.folder),
        "prepared": str(job.prepared),
        "resume_from": [_file_to_message(file) for file in job.resume_from],
        "best": _file_to_message(job.best) if job.best else None,
        "weights_file": str(job.weights_file) if job.weights_file else None,
        "encoder_folder": str(job.encoder_folder) if job.encoder_folder else None,
        "init_checkpoint": str(job.init_checkpoint) if job.init_checkpoint else None,
    }


def job_from_message(data: Message) -> TrainingJob:
    """The reverse of `job_to_message`."""
    weights, init, encoder = (
        Path(data[name]) if data[name] else None
        for name in ("weights_file", "init_checkpoint", "encoder_folder")
    )
    return TrainingJob(
        run_id=data["run_id"],
        spec=read_spec(data["spec"]),
        epochs=data["epochs"],
        folder=Path(data["folder"]),
        prepared=Path(data["prepared"]),
        weights_file=weights,
        encoder_folder=encoder,
        threads=data["threads"],
        content_hash=data["content_hash"],
        device_class=data["device_class"],
        resume_from=tuple(_file_from_message(file) for file in data["resume_from"]),
        best=_file_from_message(data["best"]) if data["best"] else None,
        init_checkpoint=init,
    )


def finishing_job_to_message(job: FinishingJob) -> Message:
    """The job as JSON data."""
    return {
        **{field: getattr(job, field) for field in _PLAIN_OF_FINISHING},
        "folder": str(job.folder),
        "prepared": str(job.prepared),
        "export": asdict(job.export),
        "checkpoints": [_file_to_message(file) for file in job.checkpoints],
    }


def finishing_job_from_message(data: Message) -> FinishingJob:
    """The reverse of `finishing_job_to_message`."""
    return FinishingJob(
        **{field: data[field] for field in _PLAIN_OF_FINISHING},
        folder=Path(data["folder"]),
        prepared=Path(data["prepared"]),
        export=ExportSpec(**data["export"]),
        checkpoints=tuple(_file_from_message(file) for file in data["checkpoints"]),
    )


def _file_to_message(file: SavedFile) -> Message:
    return {"path": str(file.path), "epoch": file.epoch, "sha256": file.sha256}


def _file_from_message(data: Message) -> SavedFile:
    return SavedFile(path=Path(data["path"]), epoch=data["epoch"], sha256=data["sha256"])
