"""What may be asked for in a spec."""

from typing import Any

from app.service.requests.offers import OfferService
from trainyard.catalog import names as catalog
from trainyard.catalog.transforms import CHANCE, PARAMETERS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks import registry as tasks

SEARCH_LIMIT = 200
"""Encoders in one answer to a search."""


class CatalogueService:
    """Lists names, for forms and for people."""

    def __init__(self, experiments: Experiments, offers: OfferService) -> None:
        self._experiments = experiments
        self._offers = offers

    def architectures(self) -> list[catalog.Architecture]:
        """Every architecture with its rules."""
        return list(tasks.architectures().values())

    def encoders(self, search: str | None) -> tuple[list[str], int]:
        """smp's own encoders, or those of all that hold every word of `search`; and how many match."""
        if search is None:
            names = catalog.smp_encoder_names()
            return names, len(names)
        words = search.lower().split()
        found = sorted(name for name in catalog.encoder_names() if all(word in name for word in words))
        return found[:SEARCH_LIMIT], len(found)

    def experiments(self) -> list[dict[str, Any]]:
        """The ready specs, each composed over the defaults."""
        return [{"name": name, "spec": self.composed(name)} for name in self.experiment_names()]

    def experiment_names(self) -> list[str]:
        """Names of the ready specs."""
        return self._experiments.names()

    def composed(self, experiment: str | None) -> TrainingSpec:
        """The whole spec of an experiment, None for the defaults; raises InvalidRequest for other names."""
        return self._experiments.compose({}, experiment)

    def composed_for(self, task: str, form: str | None) -> TrainingSpec:
        """The defaults of a task, and of a form of it; raises InvalidRequest for a name that is none."""
        model = {"model": {"task": form}} if form else {}
        return self._experiments.compose({"task": task, **model})

    def presets(self) -> list[str]:
        """Names of the augmentation presets."""
        return self._experiments.presets()

    def names(self) -> dict[str, Any]:
        """The other names that a spec or a run takes."""
        return {
            "tasks": list(tasks.TASKS.values()),
            "losses": list(tasks.losses()),
            "optimizers": list(catalog.OPTIMIZERS),
            "schedules": list(catalog.SCHEDULES),
            "precisions": list(catalog.PRECISIONS),
            "fits": list(catalog.FITS),
            "encoder_weights": [*catalog.WEIGHTS, f"{catalog.WEIGHTS_FILE_PREFIX}<path>"],
            "transforms": list(catalog.TRANSFORMS),
            "transform_parameters": _transform_parameters(),
            "device_classes": list(catalog.DEVICE_CLASSES),
            "presets": self.presets(),
            "plugins": self._offers.all(),
        }


def _transform_parameters() -> dict[str, dict[str, str]]:
    """What each parameter of each transform may be, in words."""
    return {
        name: {parameter: rule.says for parameter, rule in {**rules, "p": CHANCE}.items()}
        for name, rules in PARAMETERS.items()
    }
