"""The tasks that a spec may name, and what they offer together."""

from collections.abc import Mapping
from itertools import chain

from trainyard.catalog.names import Architecture, Loss
from trainyard.errors import InvalidRequest
from trainyard.plugins.offers import falls
from trainyard.tasks.classification import CLASSIFICATION
from trainyard.tasks.description import Direction, TaskDescription
from trainyard.tasks.detection import DETECTION
from trainyard.tasks.segmentation import SEGMENTATION

TASKS: dict[str, TaskDescription] = {task.name: task for task in (SEGMENTATION, CLASSIFICATION, DETECTION)}
"""By name; the first is what a spec that names none is for."""


def task_named(name: str) -> TaskDescription:
    """The task of a stored spec or a file; raises InvalidRequest where this release has none of that name."""
    if name not in TASKS:
        raise InvalidRequest(
            f"This release trains no task {name!r}.",
            remedy="Use the release that it was made with.",
            errors={"spec": {"task": [f"one of: {', '.join(TASKS)}"]}},
        )
    return TASKS[name]


def forms() -> tuple[str, ...]:
    """What `model.task` may be, in any task."""
    return tuple(dict.fromkeys(chain.from_iterable(task.forms for task in TASKS.values())))


def architectures() -> Mapping[str, Architecture]:
    """Those of all tasks, by name."""
    return {name: one for task in TASKS.values() for name, one in task.architectures.items()}


def losses() -> Mapping[str, Loss]:
    """Those of all tasks, by name: what two tasks call the same is described as the earlier one takes it."""
    found: dict[str, Loss] = {}
    for task in TASKS.values():
        for name, one in task.losses.items():
            found.setdefault(name, one)
    return found


def monitors() -> Mapping[str, Direction]:
    """The metrics of all tasks that may decide, and which way is better."""
    return {name: way for task in TASKS.values() for name, way in task.monitors.items()}


def direction_of(metric: str) -> Direction:
    """Which way a metric of any task, or of a plug-in, is better."""
    return monitors().get(metric) or ("min" if falls(metric) else "max")


def needs_of(name: str) -> Architecture:
    """What an architecture asks of its input; no more than others of one that only a stored spec knows."""
    return architectures().get(name) or Architecture(name=name, size_multiple=1)


def rounded_size(architecture_name: str, size: int) -> int:
    """The least legal image size, in pixels, that is not below `size`."""
    return needs_of(architecture_name).rounded(size)
