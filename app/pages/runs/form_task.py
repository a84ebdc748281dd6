"""What the form of a new run is to train: it lays out that task's defaults and offers its names alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.pages.runs.spec_form import SpecField
from trainyard.datasets.record import Dataset
from trainyard.runs.record import Run
from trainyard.tasks.description import TaskDescription
from trainyard.tasks.registry import TASKS

TASK, FORM = "task", "model.task"
"""Fields by which the server finds the defaults."""


@dataclass(frozen=True, kw_only=True)
class FormTask:
    """A task, and the form of it that was asked for, if any; the task of an address that names none."""

    task: TaskDescription
    form: str | None
    unsaid: str

    def narrowed(self, field: SpecField) -> SpecField:
        """The field with what this task has of its choices."""
        own = {
            FORM: self.task.forms,
            "model.architecture": self.task.architectures,
            "early_stopping.monitor": self.task.monitors,
            "checkpoints.monitor": self.task.monitors,
        }.get(field.name)
        kept = field.choices if own is None else tuple(one for one in field.choices if one in own)
        return replace(field, choices=kept or field.choices)


def task_of_form(given: Mapping[str, str], origin: Run | None, dataset: Dataset | None) -> FormTask:
    """As the address says, else as the run that is copied, else what the data set can train."""
    asked = _text(given.get(f"spec.{TASK}"))
    fallback = origin.spec.task if origin else _trained_by(dataset)
    task = TASKS[asked if asked in TASKS else fallback if fallback in TASKS else next(iter(TASKS))]
    form = _text(given.get(f"spec.{FORM}")) or (origin.spec.model.task if origin else None)
    return FormTask(task=task, form=form if form in task.forms else None, unsaid=_trained_by(dataset))


def tasks_of(dataset: Dataset) -> list[str]:
    """Names of the tasks that a data set can train, the usual one first; all while it is not known."""
    kinds = dataset.summary.kinds if dataset.summary else None
    return [task.name for task in TASKS.values() if kinds is None or task.kind in kinds]


def dataset_of(datasets: Iterable[Dataset], dataset_id: str) -> Dataset | None:
    """The one of that id."""
    return next((one for one in datasets if one.id == dataset_id), None)


def _trained_by(dataset: Dataset | None) -> str:
    found = tasks_of(dataset) if dataset else []
    return found[0] if found else next(iter(TASKS))


def _text(given: str | None) -> str | None:
    """A name that the address has as JSON."""
    try:
        found = json.loads(given) if given else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, str) else None
