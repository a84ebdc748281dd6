"""Experiments without a service: a data set is read and a network trained in this process.

    from trainyard_local import Experiment

    experiment = Experiment.new("data/nuclei", spec={"epochs": 3})
    result = experiment.train()
    print(result.best_value, result.folder)

What is named here is imported at its first use: the engine, and torch with it, takes seconds. docs/local.md
has the whole, and how it compares with a trainer of one's own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainyard_local.checkpoints import Checkpoints as Checkpoints
    from trainyard_local.dataset import LocalDataset as LocalDataset
    from trainyard_local.dataset import read_dataset as read_dataset
    from trainyard_local.experiment import Experiment as Experiment
    from trainyard_local.registries import DATASETS as DATASETS
    from trainyard_local.registries import MODELS as MODELS
    from trainyard_local.result import TrainingResult as TrainingResult

_MODULES = {
    "Checkpoints": "checkpoints",
    "DATASETS": "registries",
    "Experiment": "experiment",
    "LocalDataset": "dataset",
    "MODELS": "registries",
    "TrainingResult": "result",
    "read_dataset": "dataset",
}
__all__ = [
    "DATASETS",
    "MODELS",
    "Checkpoints",
    "Experiment",
    "LocalDataset",
    "TrainingResult",
    "read_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"trainyard_local has no {name}")
    return getattr(import_module(f"trainyard_local.{_MODULES[name]}"), name)
