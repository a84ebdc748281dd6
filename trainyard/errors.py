"""One tree of errors: each has a stable `code`, a `cause` (who can act) and a `remedy` (what to do)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

Cause = Literal["user", "infrastructure"]


class TrainyardError(Exception):
    """Trainyard could not do what was asked."""

    code: ClassVar[str] = "internal"
    cause: ClassVar[Cause] = "infrastructure"
    remedy: str = "Look at the log of the process that answered; report it if it persists."

    def __init__(
        self,
        message: str | None = None,
        *,
        remedy: str | None = None,
        errors: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.remedy = remedy or type(self).remedy
        self.errors = dict(errors or {})
        super().__init__(self.message)

    def to_dict(self) -> dict[str, Any]:
        """The error as it is stored in a record and shown to a client."""
        return {
            "code": self.code,
            "cause": self.cause,
            "message": self.message,
            "remedy": self.remedy,
            "errors": self.errors,
        }


class UserError(TrainyardError):
    """The request cannot be met as it stands."""

    code = "invalid_request"
    cause = "user"
    remedy = "Change the request as `errors` says and send it again."


class InvalidRequest(UserError):
    """A field of the request is missing, unknown or out of range."""


class NotFound(UserError):
    """There is no such thing here."""

    code = "not_found"
    remedy = "Check the id; list what exists with a GET on the collection."


class Conflict(UserError):
    """The present state does not allow this."""

    code = "conflict"
    remedy = "Read the present state first; it says what may be done."


class PayloadTooLarge(UserError):
    """The upload is larger than this server takes."""

    code = "payload_too_large"
    remedy = "Send a smaller archive, or ask the operator to raise TRAINYARD_MAX_UPLOAD_MB."


class BodyTooLarge(PayloadTooLarge):
    """The body is larger than a request may be that is no upload."""

    remedy = "Send less in one request; images and annotations are uploaded as files with POST /datasets."


class Unauthorized(UserError):
    """A valid API key is needed."""

    code = "unauthorized"
    remedy = "Send the header `Authorization: Bearer <key>`."


class Forbidden(UserError):
    """This server does not take such a request."""

    code = "forbidden"
    remedy = "Call the API from a program, or from a page of this server."


class TooManyRequests(UserError):
    """More requests have come from here than this server takes."""

    code = "too_many_requests"
    remedy = "Wait for the seconds that the header Retry-After tells, and send fewer at a time."

    def __init__(self, message: str | None = None, *, retry_after_s: int) -> None:
        """`retry_after_s`: whole seconds after which another request is taken."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadDataset(UserError):
    """The uploaded data set cannot be used for training."""

    code = "bad_dataset"
    remedy = "Mend the files named in `problems` and upload the set again."


class DatasetQuestion(UserError):
    """The files of the data set can be read in several ways."""

    code = "dataset_question"
    remedy = "Answer the `questions` with POST /datasets/{id}/answers, or upload with the options they name."


class WeightsUnavailable(UserError):
    """The encoder weights that were asked for cannot be had here."""

    code = "weights_unavailable"
    remedy = (
        "Use encoder_weights `none` or `packaged`, name a weights file in storage, "
        "or give the worker access to the model hub."
    )


class PluginMissing(TrainyardError):
    """A run names what a plug-in offers, and the worker that has it now has no such plug-in."""

    code = "plugin_missing"
    remedy = "Set TRAINYARD_PLUGINS for the workers of this device class (docs/plugins.md), and resume."


class InvalidModel(UserError):
    """This combination of architecture, encoder and sizes cannot be built."""

    code = "invalid_model"
    remedy = "Choose another encoder, size or batch size for this architecture."


class NanLoss(UserError):
    """The loss became NaN or infinite."""

    code = "nan_loss"
    remedy = "Lower the learning rate, or look at the files named in the message."


class MaskIdOutOfRange(UserError):
    """A mask holds a value that is no class of the set."""

    code = "mask_id_out_of_range"
    remedy = "Mend the mask named in the message, or give its value a class or the ignored one; ingest again."


class DatasetChanged(UserError):
    """The version of the data set that the run was submitted for is not what lies in storage any more."""

    code = "dataset_changed"
    remedy = "Ingest the data set again and submit a new run of it."


class TimeLimit(UserError):
    """The run has trained for as long as it may."""

    code = "time_limit"
    remedy = "Give the run a higher `max_hours` and resume it: it goes on from the checkpoint just saved."


class Revoked(UserError):
    """The attempt was revoked, in Flower or by `celery control revoke`."""

    code = "revoked"
    remedy = "POST /runs/{id}/retry writes report and exported files again; what was trained is kept."


class SettingsError(UserError):
    """A setting from the environment is unusable."""

    code = "bad_settings"
    remedy = "Correct the environment variable named in the message."


class StoreUnavailable(TrainyardError):
    """Redis does not answer."""

    code = "store_unavailable"
    remedy = "Nothing was lost; try again when Redis is back."


class HousekeepingStalled(TrainyardError):
    """The housekeeping of this server has not come round for a minute."""

    code = "housekeeping_stalled"
    remedy = "Look at the server's log, its storage and its Redis; start it again if it does not recover."


class TooManyStreams(TrainyardError):
    """This server follows as many live streams as it can."""

    code = "too_many_streams"
    remedy = "Close other streams, or read the state with GET /runs/{id}; then try again."


class TooManyUploads(TrainyardError):
    """This server receives as many uploads as it can."""

    code = "too_many_uploads"
    remedy = "Nothing was received; try again when another upload has ended."


class UploadBusy(TooManyUploads):
    """Another request is writing to this upload."""

    code = "upload_busy"
    remedy = "Try again in some seconds, from the offset that GET /uploads/{id} tells."


class TooManyBoards(Conflict):
    """There are as many boards as may be."""

    code = "too_many_boards"
    remedy = "Close one with DELETE /boards/{id}; one at which nobody looks is closed after 15 minutes."


class TooManyPredictions(TrainyardError):
    """This server waits for as many predictions as it can."""

    code = "too_many_predictions"
    remedy = "Try again when another has been answered, or send several images in one request."


class NoPredictWorker(TrainyardError):
    """No worker that predicts has given a sign of life lately."""

    code = "no_predict_worker"
    remedy = "Start one: `python -m workers ingest` predicts, `python -m workers predict` does nothing else."


class NoImportWorker(TrainyardError):
    """No worker that takes in experiments has given a sign of life lately."""

    code = "no_import_worker"
    remedy = "Start one, `python -m workers ingest`, and send the experiment again."


class ImportTimeout(TrainyardError):
    """The experiment was not taken in in time."""

    code = "import_timeout"
    remedy = "Send it again when workers have less to do, or without the checkpoints of single epochs."


class PredictionTimeout(TrainyardError):
    """The prediction was not done in time."""

    code = "prediction_timeout"
    remedy = (
        "Send fewer or smaller images, try again when workers have less to do, "
        "or ask the operator to raise TRAINYARD_PREDICT_S."
    )


class StorageUnavailable(TrainyardError):
    """The shared storage cannot be read or written."""

    code = "storage_unavailable"
    remedy = "Check that the storage volume is mounted, writable and not full."


class DiskFull(StorageUnavailable):
    """The shared storage has no room left."""

    code = "disk_full"
    remedy = "Make room on the storage volume, or raise its quota; a run can go on from its last checkpoint."


class BrokenFile(StorageUnavailable):
    """A file of the shared storage does not hold what it should."""

    remedy = "Restore the file from a backup, or delete what it belongs to."


class NewerFormat(StorageUnavailable):
    """A file was written by a newer Trainyard than this one."""

    code = "newer_format"
    remedy = "Upgrade this installation; it leaves the file as it is."


class Unreadable(TrainyardError):
    """Something stored is of a form that this Trainyard cannot read."""

    code = "unreadable"
    remedy = "Delete it, or read it with the release of Trainyard that wrote it; nothing else is affected."

    def __init__(self, problem: str, path: tuple[object, ...] = ()) -> None:
        """`path` leads to the place within the data."""
        self.problem = problem
        self.path = path
        place = ".".join(str(part) for part in path)
        super().__init__(f"{place}: {problem}." if place else f"{problem}.")

    def within(self, place: object) -> "Unreadable":
        """The same, told of one level further out."""
        return type(self)(self.problem, (place, *self.path))


class NewerRecord(Unreadable):
    """A record was written by a newer Trainyard than this one."""

    code = "newer_format"
    remedy = "Upgrade this installation; until then those of its processes that are newer have it."


class OutOfMemory(TrainyardError):
    """There is not enough memory for this run, not even with the smallest batch."""

    remedy = "Choose smaller images, a smaller encoder, or a worker with more memory."


class CudaOutOfMemory(OutOfMemory):
    """The device has not enough memory for this run, not even with the smallest batch."""

    code = "cuda_out_of_memory"
    cause = "user"


class HostOutOfMemory(OutOfMemory):
    """The worker's machine, or the memory limit of its container, has no memory left."""

    code = "host_out_of_memory"
    remedy = "Give the worker more memory, or choose smaller batches and fewer loader processes."


class DeviceFault(TrainyardError):
    """The worker's GPU, or its driver, does not do its work."""

    code = "device_fault"
    remedy = "Nothing for the run: it is tried again. Look at the worker's GPU and driver (docs/gpu.md)."


class LoaderDied(TrainyardError):
    """A process that loads images ended without a word: killed, or out of shared memory."""

    code = "loader_died"
    remedy = (
        "Give the worker more shared memory (of a container: --shm-size, in Compose shm_size) and memory, "
        "or lower data.loader_workers; 0 loads in the training process and needs no shared memory."
    )


class OwnershipLost(TrainyardError):
    """This worker no longer owns the record it works on."""

    code = "ownership_lost"
    remedy = "Nothing to do: the present owner carries on."


class WorkerLost(TrainyardError):
    """The worker gave no sign of life until its lease lapsed."""

    code = "worker_lost"
    remedy = "Look at the worker's machine and log; send the run again."


class ExportMismatch(TrainyardError):
    """The exported ONNX model does not compute what the trained model computes."""

    code = "export_mismatch"
    remedy = "Use the checkpoints; report the architecture, encoder and image size."


class CheckpointsLost(TrainyardError):
    """Of the checkpoints of a trained run none is there as it was saved."""

    code = "checkpoints_lost"
    remedy = "Look after the storage volume, then resume the run: it trains again from what is left."


class ChildDied(TrainyardError):
    """The process that did the work ended without a result."""

    code = "child_died"
    remedy = "Read the end of the log; send the run again."


class Segfault(ChildDied):
    """The process that did the work was ended by a fault in compiled code."""

    code = "segfault"
    remedy = "Read the traceback at the end of the log; report it with the versions if it happens again."


class EngineError(ChildDied):
    """The training code raised an error that it should not raise."""

    code = "engine_error"
    remedy = "Report it with the traceback at the end of the log; nothing about the run is lost."
