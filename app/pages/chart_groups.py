"""Which metrics are drawn in one chart: those of the loss, of the runs' tasks, and the learning rate."""

from collections.abc import Iterable, Sequence
from typing import Any

from trainyard.tasks.registry import TASKS


def charts_of(tasks: Iterable[str], of_classes: Sequence[str] = ()) -> list[dict[str, Any]]:
    """As the page's scripts take them, for runs of these tasks; `of_classes` are scores of single classes."""
    known = [TASKS[name] for name in dict.fromkeys(tasks) if name in TASKS]
    charts = [_chart("loss", "Loss", ("train_loss", "val_loss"))]
    charts += [_chart(one.names[-1], one.title, one.names) for task in known for one in task.charts]
    charts.append(_chart("lr", "Learning rate", ("lr",)))
    if of_classes:
        charts.append(_chart("classes", "IoU of each class", of_classes))
    return charts


def _chart(key: str, title: str, names: Sequence[str]) -> dict[str, Any]:
    return {"key": key, "title": title, "names": names}
