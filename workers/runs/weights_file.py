"""The file of encoder weights that a run's spec names."""

from pathlib import Path

from trainyard.errors import InvalidRequest, WeightsUnavailable
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import Storage


def weights_file(storage: Storage, spec: TrainingSpec) -> Path | None:
    """The file that the spec names; raises WeightsUnavailable where it has gone meanwhile."""
    named = spec.model.weights_file
    if named is None:
        return None
    try:
        return storage.weights_file(named)
    except InvalidRequest as error:
        raise WeightsUnavailable(error.message, errors=error.errors) from error
