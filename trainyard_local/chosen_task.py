"""The task of an experiment: what its spec names, else what its data set has."""

from collections.abc import Mapping
from typing import Any

from trainyard.errors import InvalidRequest
from trainyard.spec.experiments import Experiments, merge
from trainyard.tasks.description import TaskDescription
from trainyard.tasks.registry import TASKS
from trainyard_local.dataset import LocalDataset


def fitted_to(
    dataset: LocalDataset, spec: Mapping[str, Any], experiment: str | None, configs: Experiments
) -> Mapping[str, Any]:
    """The spec with the task, the form and a loss for it, where neither it nor the experiment names them.

    Raises InvalidRequest for a task that cannot be learnt of the set.
    """
    named = merge(configs.read(experiment) if experiment is not None else {}, spec)
    task = _task(dataset, named.get("task"))
    chosen: dict[str, Any] = {"task": task.name}
    form = named.get("model", {}).get("task") or _form(task, dataset, configs)
    if "task" not in named.get("model", {}):
        chosen["model"] = {"task": form}
    if "losses" not in named.get("optimization", {}) and not _default_suits(task, form, configs):
        loss = next(name for name, one in task.losses.items() if form in one.tasks)
        chosen["optimization"] = {"losses": [{"name": loss, "weight": 1.0, "params": {}}]}
    return merge(spec, chosen)


def _task(dataset: LocalDataset, named: str | None) -> TaskDescription:
    kinds = dataset.summary.kinds
    fit = [task for kind in kinds for task in TASKS.values() if task.kind == kind]
    if named is None:
        return fit[0]
    found = next((task for task in fit if task.name == named), None)
    if found is None:
        names = ", ".join(task.name for task in fit)
        raise InvalidRequest(
            f"The images of the data set have {' and '.join(kinds)}, of which {named} cannot be learnt.",
            errors={"spec": {"task": [f"with this set one of: {names}"]}},
        )
    return found


def _form(task: TaskDescription, dataset: LocalDataset, configs: Experiments) -> str:
    """What the set is, where that is a form of the task, else that which the task has by default."""
    if dataset.summary.task in task.forms:
        return dataset.summary.task
    return configs.compose({"task": task.name}).model.task


def _default_suits(task: TaskDescription, form: str, configs: Experiments) -> bool:
    """Whether the losses that a spec has by default are for the form."""
    terms = configs.compose({"task": task.name}).optimization.losses
    return all(form in task.losses[term.name].tasks for term in terms)
