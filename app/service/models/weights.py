"""The use case of taking the weights of a checkpoint alone, which a worker reads out of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.service.requests.slots import IsGone
from app.service.requests.worker_answers import WorkerAnswers
from app.service.run_outputs.files import RunFiles
from trainyard.errors import StorageUnavailable
from trainyard.library.prediction import WeightsJob
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import new_prediction_id


class WeightsService:
    """Has weights written for as long as they are sent."""

    def __init__(self, run_files: RunFiles, answers: WorkerAnswers, storage: Storage) -> None:
        self._run_files = run_files
        self._answers = answers
        self._storage = storage

    @contextmanager
    def of(self, run_id: str, checkpoint: str, is_gone: IsGone) -> Iterator[Path]:
        """A file with them, which is there within the block.

        Raises NotFound, NoPredictWorker, TooManyPredictions, PredictionTimeout, and what the worker ran into.
        """
        path = self._run_files.checkpoint(run_id, checkpoint)
        folder = self._storage.prediction(new_prediction_id())
        file = path.relative_to(self._storage.run(run_id).path).as_posix()
        with self._answers.place(is_gone):
            try:
                self._answers.of(WeightsJob(id=folder.path.name, run_id=run_id, file=file), is_gone)
                yield folder.weights
            finally:
                with suppress(StorageUnavailable):  # housekeeping deletes it
                    remove_folder(folder.path)
