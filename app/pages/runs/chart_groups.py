"""Which metrics are drawn in one chart: those of the loss, of the runs' tasks, and the learning rate."""

from collections.abc import Iterable, Sequence
from typing import Any

from trainyard.tasks.registry import TASKS


def charts_of(tasks: Iterable[str], classes: Sequence[str] = (), of_classes: int = 0) -> list[dict[str, Any]]:
    """As the page's scripts take them, for runs of these tasks.

    `classes` are drawn one by one, and told to be the first of so many where there are more.
    """
    known = [TASKS[name] for name in dict.fromkeys(tasks) if name in TASKS]
    charts = [_chart("loss", "Loss", ("train_loss", "val_loss"))]
    charts += [_chart(one.names[-1], one.title, one.names) for task in known for one in task.charts]
    charts.append(_chart("lr", "Learning rate", ("lr",)))
    for task in known:
        if task.class_scores and classes:
            begin, title = task.class_scores
            more = f" (the first {len(classes)} of {of_classes})" if of_classes > len(classes) else ""
            charts.append(_chart("classes", f"{title}{more}", [f"{begin}{name}" for name in classes]))
    return charts


def charts_of_run(task: str, classes: Sequence[str], of_classes: int) -> list[dict[str, Any]]:
    """As `charts_of`, with what tells of the devices that it trains on."""
    return [
        *charts_of([task], classes, of_classes),
        _chart("device", "How busy its devices are", ("device_utilization",)),
        _chart("memory", "Memory of a device in use, GB", ("device_memory_gb",)),
        _chart("speed", "Images a second", ("images_per_second",)),
    ]


def _chart(key: str, title: str, names: Sequence[str]) -> dict[str, Any]:
    return {"key": key, "title": title, "names": names}
