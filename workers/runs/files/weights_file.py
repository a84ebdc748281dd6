"""The files of an encoder that a run's spec names."""

from collections.abc import Callable
from pathlib import Path

from trainyard.catalog.encoder_sources import CONFIG_FILE
from trainyard.errors import InvalidRequest, WeightsUnavailable
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import Storage


def weights_file(storage: Storage, spec: TrainingSpec) -> Path | None:
    """The file that the spec names; raises WeightsUnavailable where it has gone meanwhile."""
    return _present(storage.weights.file, spec.model.weights_file)


def encoder_folder(storage: Storage, spec: TrainingSpec) -> Path | None:
    """The folder that the spec names; raises as `weights_file`."""
    return _present(lambda name: storage.weights.folder_with(name, CONFIG_FILE), spec.model.encoder_folder)


def _present(place_of: Callable[[str], Path], named: str | None) -> Path | None:
    if named is None:
        return None
    try:
        return place_of(named)
    except InvalidRequest as error:
        raise WeightsUnavailable(error.message, errors=error.errors) from error
