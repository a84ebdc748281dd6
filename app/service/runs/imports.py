"""The use case of experiments that were trained without a service, and are handed over to one."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.service.datasets.resumable_uploads import ResumableUploads, WholeFile
from app.service.datasets.uploads import ArrivedFile, StoredFile, Upload
from app.service.requests.keyed import fingerprint, keyed_id, refuse_other
from app.service.requests.rollback import rollback_on_error
from app.service.requests.slots import IsGone
from app.service.requests.worker_answers import WorkerAnswers
from app.service.runs.dataset_content import find_content, unknown_dataset, with_content
from app.service.runs.runs import REQUEST_LABEL
from trainyard.access import present_access, require_project
from trainyard.datasets.record import Dataset
from trainyard.decoding import decoder
from trainyard.errors import InvalidRequest, NotFound, StorageUnavailable
from trainyard.library.import_job import ClaimedRun, ImportJob
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.config_file import write_config
from trainyard.runs.imported import Imported, experiment_alias
from trainyard.runs.record import ForkedFrom, Run, RunStatus
from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import new_prediction_id, new_run_id
from trainyard.storage.json_files import write_json
from trainyard.store.processes.locks import Locks
from trainyard.store.resources.aliases import NameStore

ANSWER_S = 600.0
"""How long a worker may take for an experiment, its waiting included."""
UNPACKED = 4
"""So many times the bytes of an upload may its files have together."""
LOCK_S = 60.0
PROJECT = "default"
_decode = decoder(ClaimedRun, own={TrainingSpec: read_spec})


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What a client says of an experiment; None leaves it to its files, or to the data set that it was
    trained on, where that is here.

    `file` is a whole upload, in place of a file that comes with the request.
    """

    file: WholeFile | None = None
    name: str | None = None
    project: str | None = None
    notes: str = ""
    tags: Sequence[str] = ()
    group: str | None = None
    dataset_id: str | None = None


class ImportService:
    """Has a worker look at what is sent, and makes a run of it that has ended."""

    def __init__(
        self,
        runs: RunRegistry,
        datasets: DatasetRegistry,
        storage: Storage,
        uploads: ResumableUploads,
        answers: WorkerAnswers,
        locks: Locks,
        imported: NameStore,
        max_upload_bytes: int,
        device_class: str,
    ) -> None:
        """`imported` knows the runs that experiments have become. `device_class` is that on which a run
        trains that is gone on with."""
        self._runs = runs
        self._datasets = datasets
        self._storage = storage
        self._uploads = uploads
        self._answers = answers
        self._locks = locks
        self._imported = imported
        self._max_upload_bytes = max_upload_bytes
        self._device_class = device_class

    @contextmanager
    def receiving(self) -> Iterator[Upload]:
        """Where an archive may come; what lies there is gone at the end."""
        self._runs.require_store()
        folder = self._storage.prediction(new_prediction_id())
        upload = Upload(folder.path.name, folder.received, self._max_upload_bytes, lambda _: None)
        try:
            yield upload
        finally:
            upload.close()
            with suppress(StorageUnavailable):  # housekeeping deletes it
                remove_folder(folder.path)

    def take(
        self,
        upload: Upload,
        request: ImportRequest,
        sent: ArrivedFile | None,
        key: str | None,
        is_gone: IsGone,
    ) -> tuple[bool, Run]:
        """Accept the experiment in the archive: whether it is new, and its run, which has ended.

        The same `key` in the same project, or the same whole upload, finds the same run. Raises
        InvalidRequest for what cannot be taken in, Conflict where `key` came with another request, Forbidden,
        NotFound, and as `WorkerAnswers`.
        """
        if (sent is None) == (request.file is None):
            said = ["an archive under `file`, or `upload_id` and `sha256` of a whole upload"]
            raise InvalidRequest("Give either a file or an upload.", errors={"file": said})
        project = request.project or PROJECT
        run_id = _run_id(project, request, key)
        if (earlier := self._found(run_id)) is not None:
            self._forget_upload(request)
            return False, _same_request(earlier, _fingerprint(request, sent))
        upload.keep(sent or self._whole(request, project), None)
        with self._answers.place(is_gone):
            job = ImportJob(id=upload.dataset_id, max_bytes=UNPACKED * self._max_upload_bytes)
            claimed = _decode(self._answers.of(job, is_gone))
        with self._locks.held(run_id, LOCK_S):
            if (earlier := self._found(run_id)) is not None:
                return False, _same_request(earlier, _fingerprint(request, sent))
            run = self._accepted(upload, self._run(run_id, claimed, request, sent))
        self._forget_upload(request)
        return True, run

    def _forget_upload(self, request: ImportRequest) -> None:
        """What has come in pieces is needed no more."""
        if request.file is not None:
            with suppress(NotFound, StorageUnavailable):  # housekeeping deletes it
                self._uploads.abandon(request.file.upload_id)

    def _whole(self, request: ImportRequest, project: str) -> StoredFile:
        assert request.file is not None  # noqa: S101 - the caller has looked
        return self._uploads.whole(request.file, project)

    def _accepted(self, upload: Upload, run: Run) -> Run:
        """Put the files in their place and accept the record, or leave nothing of either."""
        require_project(run.project)
        laid_out, folder = self._storage.prediction(upload.dataset_id).run, self._storage.run(run.id)
        write_config(laid_out, run)
        write_json(laid_out.record, self._runs.to_json(run))  # by which housekeeping knows what was left
        with rollback_on_error(self._runs, run.id, folder.path):
            remove_folder(folder.path)  # of a request that ended before its record was there
            try:
                folder.path.parent.mkdir(parents=True, exist_ok=True)
                laid_out.path.rename(folder.path)
            except OSError as error:
                raise storage_error("The experiment could not be placed", error) from error
            _, stored = self._runs.adopt(run)
        if run.imported:
            self._imported.bind(run.imported.alias(run.project), run.id)
        self._runs.announce_status(stored)
        return stored

    def _run(self, run_id: str, claimed: ClaimedRun, request: ImportRequest, sent: ArrivedFile | None) -> Run:
        dataset = self._dataset(claimed.dataset_hash, request)
        now = time.time()
        imported = Imported(
            run_id=claimed.run_id,
            name=claimed.name,
            revision=claimed.revision,
            created_at=claimed.created_at,
            by=present_access().who,
        )
        project = request.project or (dataset.project if dataset else PROJECT)
        return Run(
            id=run_id,
            project=project,
            name=request.name or claimed.name,
            notes=request.notes,
            tags=tuple(request.tags),
            group=request.group,
            dataset_id=dataset.id if dataset else unknown_dataset(claimed.dataset_hash),
            status=RunStatus(claimed.status),
            queue=self._device_class,
            created_at=now,
            ended_at=now,
            metrics_of=claimed.fence,
            results_of=claimed.fence if claimed.has_results else 0,
            imported=imported,
            forked_from=self._origin(claimed.forked_from, project),
            labels={REQUEST_LABEL: _fingerprint(request, sent)},
            **{name: getattr(claimed, name) for name in _TAKEN_OVER},
        )

    def _origin(self, claimed: ForkedFrom | None, project: str) -> ForkedFrom | None:
        """What it was forked from, as the run that has become of that, where it is here, too."""
        known = claimed and self._imported.resolve(experiment_alias(project, claimed.run_id))
        return replace(claimed, run_id=known) if claimed and known else claimed

    def _dataset(self, content_hash: str, request: ImportRequest) -> Dataset | None:
        """The set that has the content as one of its versions; raises NotFound, and InvalidRequest where the
        one that is named has not."""
        if request.dataset_id is not None:
            return with_content(self._datasets, request.dataset_id, content_hash)
        return find_content(self._datasets, content_hash, request.project)

    def _found(self, run_id: str) -> Run | None:
        try:
            return self._runs.repair(run_id)
        except NotFound:
            self._runs.refuse_forgotten(run_id)
            return None


_TAKEN_OVER = (
    "dataset_hash", "experiment", "spec", "epochs", "epoch", "step", "used_seconds", "fence", "attempts",
    "checkpoints", "notices", "metrics", "best_row", "last_row", "result",
)  # fmt: skip


def _same_request(run: Run, sent: str) -> Run:
    """The run; raises Conflict where another request made it."""
    refuse_other(run.id, run.status, run.labels.get(REQUEST_LABEL), sent)
    return run


def _run_id(project: str, request: ImportRequest, key: str | None) -> str:
    if key:
        return keyed_id("run", project, key)
    return keyed_id("run", "upload", request.file.upload_id) if request.file else new_run_id()


def _fingerprint(request: ImportRequest, sent: ArrivedFile | None) -> str:
    asked: dict[str, Any] = asdict(replace(request, file=None))
    content = request.file.sha256.lower() if request.file else str(sent.checksum if sent else "")
    return fingerprint({**asked, "tags": list(request.tags), "content": content})
