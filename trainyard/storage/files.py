"""The layout of shared storage.

    <storage>/datasets/<id>/  upload.zip annotation  prepared/<version>/  dataset.json
                              questions/<question>-<choice>.png
    <storage>/incoming/       the data root where no other is set: archives and folders that a data set may be
                              made of where they lie
    <storage>/runs/<id>/      run.json config.json metrics.json metrics.csv events.jsonl
                              checkpoints/{best,last,epoch=NNN}.ckpt  logs/training.log
                              tensorboard/  figures/  report.json  report.html
                              export/{model,model.fp16,model.int8}.onnx  export/card.json
                              .attempts/<fence>/  what each attempt writes, until it is put in place
                              origin/<run id>-<checkpoint>.ckpt of a fork
    <storage>/models/<id>/    model.json card.json  model.onnx and what else the run exported, its own files
    <storage>/drafts/<id>/    record.json of a run that was saved and not submitted
    <storage>/experiments/<id>/  record.json of settings that a project has saved under a name
    <storage>/webhooks/<id>/  record.json of a webhook, with its secret
    <storage>/uploads/<id>/   record.json and data of a file that comes in several requests
    <storage>/predictions/<id>/  images that a model is asked about and its answers, for as long as that takes
    <storage>/projects.json   what is set for each project
    <storage>/study-models.json  what clients of the study contract have added to the models and taken away
    <storage>/weights/        encoder weights that a spec may name as file:<path>

Ids are generated (`ids.py`); no user text becomes a path.
"""

import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import NotFound
from trainyard.storage.data_root import DataRoot
from trainyard.storage.errors import storage_error
from trainyard.storage.ids import check_id
from trainyard.storage.weights_folder import WeightsFolder

DELETED = ".deleted"
"""End of the name of a folder while it is deleted, which begins with a dot."""
_HASH = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class DatasetFolder:
    """The files of one data set."""

    path: Path

    @property
    def upload(self) -> Path:
        """The archive, zip or tar: its content tells which."""
        return self.path / "upload.zip"

    @property
    def annotation(self) -> Path:
        """The annotation file that came beside the archive, where one did."""
        return self.path / "annotation"

    def receiving(self, number: int) -> Path:
        """A file of an upload while it comes, `number` from 0."""
        return self.path / f".upload-{number}.tmp"

    @property
    def prepared(self) -> Path:
        """The versions that training reads."""
        return self.path / "prepared"

    def version(self, content_hash: str) -> Path:
        """The folder of the prepared version with that content, whether or not it exists."""
        if not _HASH.match(content_hash):
            raise NotFound(f"No version of a data set is called {content_hash[:40]!r}.")
        return self.prepared / content_hash[:16]

    @property
    def previews(self) -> Path:
        """Pictures of the readings that a question leaves open."""
        return self.path / "questions"

    @property
    def record(self) -> Path:
        return self.path / "dataset.json"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def record(self) -> Path:
        return self.path / "run.json"

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def metrics_json(self) -> Path:
        return self.path / "metrics.json"

    @property
    def metrics_csv(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.path / "logs" / "training.log"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def overlays(self) -> Path:
        """Where an attempt draws validation images after its epochs: see `epoch_overlays.py`."""
        return self.path / "overlays"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def origin(self) -> Path:
        """Where a fork keeps the checkpoint of another run that it begins with."""
        return self.path / "origin"

    @property
    def saved(self) -> Path:
        """Where an attempt writes its checkpoints, each under a name that is used once."""
        return self.path / ".saved"

    @property
    def attempts(self) -> Path:
        return self.path / ".attempts"

    def attempt(self, fence: int) -> "RunFolder":
        """The folder of one attempt, with the same files."""
        return RunFolder(self.attempts / str(fence))

    @property
    def last_checkpoint(self) -> Path:
        return self.checkpoints / "last.ckpt"

    @property
    def best_checkpoint(self) -> Path:
        return self.checkpoints / "best.ckpt"

    def epoch_checkpoint(self, epoch: int) -> Path:
        """The file of that epoch, counted from 1, whether or not it exists."""
        return self.checkpoints / f"epoch={epoch:03d}.ckpt"

    @property
    def report_json(self) -> Path:
        return self.path / "report.json"

    @property
    def report_html(self) -> Path:
        return self.path / "report.html"

    @property
    def export(self) -> Path:
        return self.path / "export"

    @property
    def onnx(self) -> Path:
        return self.export / "model.onnx"

    @property
    def export_card(self) -> Path:
        return self.export / "card.json"


@dataclass(frozen=True)
class ModelFolder:
    """The files of one trained model."""

    path: Path

    @property
    def record(self) -> Path:
        return self.path / "model.json"

    @property
    def card(self) -> Path:
        """What a person or a program must know to use the exported files."""
        return self.path / "card.json"

    @property
    def onnx(self) -> Path:
        return self.path / "model.onnx"


@dataclass(frozen=True)
class PredictionFolder:
    """The files of what a worker is asked while a client waits: those of a prediction, by the place of their
    image, from 0; the weights that are wanted; an experiment that is taken in."""

    path: Path

    def image(self, place: int) -> Path:
        """An image as it was sent."""
        return self.path / f"{place}.image"

    @property
    def weights(self) -> Path:
        """The weights of a checkpoint alone."""
        return self.path / "weights.safetensors"

    @property
    def received(self) -> DatasetFolder:
        """Where the archive of an experiment lies that is handed over, as those of data sets do."""
        return DatasetFolder(self.path)

    @property
    def run(self) -> RunFolder:
        """What has been taken out of it, laid out as the run that it is to be."""
        return RunFolder(self.path / "run")

    def picture(self, place: int, form: str) -> Path:
        """What was made of it in that form."""
        return self.path / f"{place}.{form}.png"


@dataclass(frozen=True)
class RecordFolder:
    """The folder of what is a record and nothing else."""

    path: Path

    @property
    def record(self) -> Path:
        return self.path / "record.json"


@dataclass(frozen=True)
class WebhookFolder(RecordFolder):
    """What is told of a webhook, and what it was and is to be sent."""

    @property
    def deliveries(self) -> Path:
        """Each change of a delivery, a line of JSON."""
        return self.path / "deliveries.jsonl"


@dataclass(frozen=True)
class UploadFolder(RecordFolder):
    """A file that comes in several requests: what is said of it, and what there is of it."""

    @property
    def data(self) -> Path:
        return self.path / "data"


@dataclass(frozen=True)
class Storage:
    """Shared storage at a mounted path.

    `data_root` is the folder below which data sets are read in place, None for incoming/ of the storage.
    """

    root: Path
    data_root: Path | None = None

    def dataset(self, dataset_id: str) -> DatasetFolder:
        return DatasetFolder(self.root / "datasets" / check_id(dataset_id))

    def run(self, run_id: str) -> RunFolder:
        return RunFolder(self.root / "runs" / check_id(run_id))

    def model(self, model_id: str) -> ModelFolder:
        return ModelFolder(self.root / "models" / check_id(model_id))

    def draft(self, draft_id: str) -> RecordFolder:
        return RecordFolder(self.root / "drafts" / check_id(draft_id))

    def experiment(self, experiment_id: str) -> RecordFolder:
        return RecordFolder(self.root / "experiments" / check_id(experiment_id))

    @property
    def predictions(self) -> Path:
        """The folders of predictions under way."""
        return self.root / "predictions"

    def prediction(self, prediction_id: str) -> PredictionFolder:
        return PredictionFolder(self.predictions / check_id(prediction_id))

    def webhook(self, webhook_id: str) -> WebhookFolder:
        return WebhookFolder(self.root / "webhooks" / check_id(webhook_id))

    @property
    def uploads(self) -> Path:
        """The folders of uploads that come in several requests."""
        return self.root / "uploads"

    def upload(self, upload_id: str) -> UploadFolder:
        return UploadFolder(self.uploads / check_id(upload_id))

    @property
    def projects(self) -> Path:
        """What is set for each project."""
        return self.root / "projects.json"

    @property
    def access_keys(self) -> Path:
        """The access keys, as hashes."""
        return self.root / "access-keys.json"

    @property
    def audit(self) -> Path:
        """Refusals and acts of admins, one a line."""
        return self.root / "audit.jsonl"

    @property
    def study_models(self) -> Path:
        """Which models the study contract offers besides those of the beginning, or no more."""
        return self.root / "study-models.json"

    @property
    def data(self) -> DataRoot:
        """Where data sets lie that are read in place."""
        return DataRoot((self.data_root or self.root / "incoming").resolve())

    @property
    def weights(self) -> WeightsFolder:
        """Where weights and encoders lie that specs name."""
        return WeightsFolder((self.root / "weights").resolve())


def remove_folder(path: Path) -> None:
    """Delete a folder with all it holds, where it exists; raises StorageUnavailable.

    It is renamed first, so that nobody sees half of it and a writer that is late does not write into it.
    """
    leaving = path.with_name(f".{path.name}.{secrets.token_hex(4)}{DELETED}")
    try:
        path.rename(leaving)
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(f"{path.name} could not be deleted", error) from error
    remove_half_deleted(leaving)


def remove_half_deleted(path: Path) -> None:
    """Delete what is left of a folder that `remove_folder` has renamed; raises StorageUnavailable."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return  # another process was at it, too
    except OSError as error:
        raise storage_error(f"{path.name} could not be deleted", error) from error
