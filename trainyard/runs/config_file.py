"""A run's config.json: everything that repeating the run needs, beside its results."""

from trainyard.runs.record import Run
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json


def write_config(folder: RunFolder, run: Run) -> None:
    """Write it whole, or raise StorageUnavailable."""
    write_json(
        folder.config,
        {"spec": run.spec.to_dict(), "dataset": {"id": run.dataset_id, "content_hash": run.dataset_hash}},
    )
