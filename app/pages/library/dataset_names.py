"""What data sets are called, for pages of runs."""

from collections.abc import Iterable, Mapping

from app.composition import services
from trainyard.errors import NotFound, Unreadable


def dataset_names(ids: Iterable[str]) -> Mapping[str, str]:
    """Names by id, of those that are still there."""
    found = {}
    for dataset_id in set(ids):
        try:
            found[dataset_id] = services().datasets.get(dataset_id).name
        except (NotFound, Unreadable):
            continue
    return found
