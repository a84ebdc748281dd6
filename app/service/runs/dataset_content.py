"""Data sets by what is in them: a run names the content it was trained on, whatever id that has here."""

import hashlib

from trainyard.datasets.record import Dataset
from trainyard.errors import InvalidRequest, NotFound
from trainyard.registry.datasets import DatasetRegistry

PAGE = 200


def with_content(datasets: DatasetRegistry, dataset_id: str, content_hash: str) -> Dataset:
    """The set of that id; raises NotFound, and InvalidRequest unless one of its versions has the content."""
    try:
        dataset = datasets.get(dataset_id)
    except NotFound as error:
        raise NotFound(error.message, errors={"dataset_id": ["no such data set"]}) from error
    if not _has(dataset, content_hash):
        raise InvalidRequest(
            f"Data set {dataset_id} has no version with the content that the run was trained on.",
            remedy="Upload the set with the options with which it was read there.",
            errors={"dataset_id": [f"a set with a version {content_hash}"]},
        )
    return dataset


def find_content(datasets: DatasetRegistry, content_hash: str, project: str | None) -> Dataset | None:
    """The newest set with a version of that content, of a project before others; None where there is none."""
    found = _newest(datasets, content_hash, project) if project else None
    return found or _newest(datasets, content_hash, None)


def unknown_dataset(content_hash: str) -> str:
    """The id of a set that is not here, the same for all runs of one content."""
    return f"ds-{hashlib.sha256(f'unknown {content_hash}'.encode()).hexdigest()[:12]}"


def _newest(datasets: DatasetRegistry, content_hash: str, project: str | None) -> Dataset | None:
    cursor = None
    while True:
        page = datasets.page(None, project, cursor, PAGE)
        for dataset in page.readable:
            if _has(dataset, content_hash):
                return dataset
        cursor = page.next_cursor
        if cursor is None:
            return None


def _has(dataset: Dataset, content_hash: str) -> bool:
    of_versions = [version.content_hash for version in dataset.versions]
    return content_hash in [*of_versions, dataset.summary.content_hash if dataset.summary else None]
