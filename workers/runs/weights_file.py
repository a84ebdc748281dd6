"""The file of encoder weights that a run's spec names."""

from pathlib import Path

from trainyard.catalog.names import WEIGHTS_FILE_PREFIX
from trainyard.errors import InvalidRequest, WeightsUnavailable
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import Storage


def weights_file(storage: Storage, spec: TrainingSpec) -> Path | None:
    """The file that the spec names; raises WeightsUnavailable where it has gone meanwhile."""
    named = spec.model.encoder_weights
    if not named.startswith(WEIGHTS_FILE_PREFIX):
        return None
    try:
        return storage.weights_file(named.removeprefix(WEIGHTS_FILE_PREFIX))
    except InvalidRequest as error:
        raise WeightsUnavailable(error.message, errors=error.errors) from error
