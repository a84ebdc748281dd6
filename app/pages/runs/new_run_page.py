"""The form of a new run: an experiment first, then what differs from it. All of it is in the address."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from app.composition import services
from app.pages.early_head import page_response
from app.pages.runs.form_task import FORM, TASK, FormTask, dataset_of, task_of_form, tasks_of
from app.pages.runs.spec_form import SpecField, spec_fields, values_of
from trainyard.catalog.names import DEVICE_CLASSES, WEIGHTS, smp_encoder_names
from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.errors import NotFound, Unreadable
from trainyard.library.saved_experiment import SavedExperiment
from trainyard.runs.record import Run
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.registry import TASKS

LISTED_SETS = 200
_PRESET = "augmentation.preset"
BASIC = (
    TASK, FORM, "epochs", "model.architecture", "model.encoder", "model.encoder_weights", "data.image_size",
    "data.batch_size", "optimization.learning_rate", _PRESET, "early_stopping.patience",
)  # fmt: skip
"""Fields that are seen at once; the others are folded."""
SHORT = (
    "model.architecture", "epochs", "optimization.learning_rate", "data.image_size", "data.batch_size",
    "data.val_fraction",
)  # fmt: skip
"""What a study asks for, and all that its form has besides the data set."""
_TITLES = {
    _PRESET: "Augmentation",
    "early_stopping.patience": "Patience of early stopping",
    FORM: "Form of the task",
}
"""Of fields that are seen outside the part that they belong to."""
OF_THE_RUN = ("name", "project", "group", "tags", "notes", "priority", "max_hours", "device_class")
_SPEC = "spec."
_NOTHING = object()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A field with its title, its value and the experiment's; `listed` are values to choose from.

    Those that say which defaults are meant have in `unsaid` what an address means that leaves them out, and
    what a request means.
    """

    field: SpecField
    title: str
    value: Any
    base: Any
    listed: tuple[str, ...]
    unsaid: tuple[str, str] | None


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/runs/new", "new_run", show)


def show() -> Response:
    """The form, filled with what the address says; `from` names a run of which it is to be a copy.

    `draft` names a draft that is edited. Raises NotFound for either.
    """
    given = {name: text for name, text in request.args.items() if text}
    draft = services().drafts.get(given["draft"]) if "draft" in given else None
    if draft and len(given) == 1:
        given = {**given, **_of_draft(draft.request)}  # later on the address has all of it
    origin = services().runs.get(given["from"]) if "from" in given else None
    return page_response("runs/new_run.html", lambda: _found(given, origin), draft=draft, origin=origin)


def _found(given: Mapping[str, str], origin: Run | None) -> dict[str, Any]:
    dataset_id = given.get("dataset_id", origin.dataset_id if origin else "")
    datasets = _datasets(dataset_id)
    offered = _experiments(_project(given, origin, datasets, dataset_id))
    experiment = given.get("experiment", origin.experiment if origin else None)
    experiment = experiment if experiment in offered else None
    of_form = task_of_form(given, origin, dataset_of(datasets, dataset_id))
    base = _composed(experiment, offered, of_form)
    entries = list(_entries(base, None if experiment else of_form, origin, given))
    short = "short" in given
    shown = (*((TASK, FORM) if of_form.task.name != next(iter(TASKS)) else ()), *SHORT) if short else BASIC
    return {
        "datasets": datasets,
        "dataset_id": dataset_id,
        "tasks_of": tasks_of,
        "experiments": offered,
        "experiment": experiment,
        "short": short,
        "run": _of_the_run(origin) | {name: given[name] for name in OF_THE_RUN if name in given},
        "device_classes": list(DEVICE_CLASSES),
        "basic": [entry for name in shown for entry in entries if entry.field.name == name],
        "parts": _parts(entries, shown),
    }


def _project(
    given: Mapping[str, str], origin: Run | None, datasets: Sequence[Dataset], dataset_id: str
) -> str | None:
    """The project that the run will belong to: as asked, else the data set's; None while that is open."""
    asked = given.get("project", origin.project if origin else "")
    return asked or next((one.project for one in datasets if one.id == dataset_id), None)


def _experiments(project: str | None) -> dict[str, SavedExperiment | None]:
    """What a run may begin with, by name: ready ones, and those that the project has saved."""
    found: dict[str, SavedExperiment | None] = dict.fromkeys(services().catalogue.experiment_names())
    if project is not None:
        saved = services().saved_experiments.page(project, None, LISTED_SETS).readable
        found |= {one.name: one for one in sorted(saved, key=lambda one: one.name)}
    return found


def _composed(
    experiment: str | None, offered: Mapping[str, SavedExperiment | None], of_form: FormTask
) -> TrainingSpec:
    """What the form begins with: the experiment, or the defaults of its task."""
    if experiment is None:
        return services().catalogue.composed_for(of_form.task.name, of_form.form)
    saved = offered[experiment]
    return (
        services().saved_experiments.composed(saved) if saved else services().catalogue.composed(experiment)
    )


def _entries(
    base_spec: TrainingSpec, of_form: FormTask | None, origin: Run | None, given: Mapping[str, str]
) -> Iterator[Entry]:
    """Of all fields; `of_form` is None where an experiment says what is trained."""
    base = values_of(base_spec.to_dict())
    present = values_of(origin.spec.to_dict()) if origin else base
    unsaid = _unsaid(of_form) if of_form else {}
    catalogue = services().catalogue
    presets = (*catalogue.presets(), *(["custom"] if present(_PRESET) == "custom" else []))
    listed = {
        "model.encoder": tuple(smp_encoder_names()),
        "model.encoder_weights": tuple(WEIGHTS),
        _PRESET: presets,
    }
    for field in spec_fields():
        value = _given(given.get(_SPEC + field.name), present(field.name))
        yield Entry(
            field=of_form.narrowed(field) if of_form else field,
            title=_TITLES.get(field.name, field.label),
            value=value,
            base=base(field.name),
            listed=listed.get(field.name, ()),
            unsaid=unsaid.get(field.name),
        )


def _unsaid(of_form: FormTask) -> dict[str, tuple[str, str]]:
    """What an address, and a request, mean that name neither task nor form of it."""
    form = services().catalogue.composed_for(of_form.task.name, None).model.task
    return {TASK: (of_form.unsaid, next(iter(TASKS))), FORM: (form, form)}


def _given(text: str | None, otherwise: Any) -> Any:
    """What the address has for a field, as JSON; what is none is left out, as a filter of a list would be."""
    if text is None:
        return otherwise
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return otherwise


def _of_draft(asked: Mapping[str, Any]) -> dict[str, str]:
    """What a draft asks for, as an address would have it."""
    found = {name: str(asked[name]) for name in ("dataset_id", "experiment", *OF_THE_RUN) if asked.get(name)}
    if asked.get("tags"):
        found["tags"] = ", ".join(asked["tags"])
    for field in spec_fields():
        value: Any = asked.get("spec") or {}
        for part in field.name.split("."):
            value = value.get(part, _NOTHING) if isinstance(value, dict) else _NOTHING
        if value is not _NOTHING:
            found[_SPEC + field.name] = json.dumps(value)
    return found


def _parts(entries: list[Entry], shown: tuple[str, ...]) -> dict[str, list[Entry]]:
    """The other entries by the part of the spec that they are in."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.field.name not in shown:
            found.setdefault(entry.field.part or "run", []).append(entry)
    return found


def _of_the_run(origin: Run | None) -> dict[str, Any]:
    if origin is None:
        return {}
    return {
        "name": f"Copy of {origin.name}"[:100],
        "project": origin.project,
        "group": origin.group or "",
        "tags": ", ".join(origin.tags),
        "notes": origin.notes,
        "priority": origin.priority or "",
        "max_hours": origin.max_hours or "",
        "device_class": origin.queue,
    }


def _datasets(wanted: str) -> list[Dataset]:
    """The newest ready sets, and the one that is wanted, whatever its status."""
    datasets = services().datasets
    found = list(datasets.page(DatasetStatus.READY, None, None, LISTED_SETS).readable)
    if wanted and wanted not in {one.id for one in found}:
        try:
            found.insert(0, datasets.get(wanted))
        except (NotFound, Unreadable):
            return found
    return found
