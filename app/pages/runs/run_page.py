"""The page of one run: where it stands, how it came there, what may be done with it, what it left."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from app.composition import services
from app.pages.early_head import page_response
from app.pages.runs.chart_groups import charts_of_run
from app.service.run_outputs.files import Artifact
from app.service.runs.comparison import dotted
from app.service.runs.runs import RunState
from trainyard.datasets.record import Dataset
from trainyard.errors import NotFound, Unreadable
from trainyard.runs.imported import LOCAL
from trainyard.runs.record import ACTIVE, TO_TRAIN, AttemptRecord, Run, RunStatus
from trainyard.store.processes.worker_record import DeviceFigures
from trainyard.tasks.registry import TASKS

CLASSES_DRAWN = 20
_PICTURES_SHOW = {
    "segmentation": "In each row the image, its truth, and what the run sees",
    "detection": "On the left the truth, on the right what the run finds",
    "classification": "Each image with its truth and what the run takes it for",
}
"""How pictures of validation images are to be read, by the run's task."""
_COLORS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""Escape codes in a log, which a terminal takes for colours."""
LOG_LINES = 200
"""Of the log, for the first paint; what comes after is fetched by its offset."""
_GOOD_ENDS = frozenset({"trained", "completed"})
_QUIET_ENDS = frozenset({"stopped", "cancelled", "drained", "fenced", "retargeted"})
_WORDS = {
    "trained": "trained to the target",
    "completed": "completed",
    "stopped": "stopped, work kept",
    "cancelled": "cancelled",
    "drained": "its worker shut down; saved and given back",
    "fenced": "its worker could not tell that it still held the run",
    "retargeted": "more epochs were asked for",
    "worker_lost": "its worker was lost",
}
"""What the reason of an attempt's end means; any other is the code of an error."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """An attempt on the time line: `look` is now, good, quiet or bad; `words` say how it ended."""

    attempt: AttemptRecord
    look: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Acts:
    """What may be done with a run as it is; what may not is None, or the reason why."""

    stop: bool
    cancel: bool
    epochs: bool
    front: bool
    resume: bool
    retry: bool
    fork: bool
    register: bool
    export: bool
    delete: bool
    why_not_resume: str | None


@dataclass(frozen=True, kw_only=True)
class Parity:
    """A score on the validation images by the exported file, and by the network that it was made of, and of
    what else the two may differ."""

    title: str
    exported: float
    trained: float
    difference: str


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/runs/<run_id>", "run", show)


def show(run_id: str) -> Response:
    """The page; raises NotFound."""
    state = services().runs.state(run_id)
    return page_response("runs/run.html", lambda: _found(state), run=state.run, state=state)


def _found(state: RunState) -> dict[str, Any]:
    found, run = services(), state.run
    checkpoints = found.run_files.checkpoints(run.id)
    hidden, hides_pictures = found.hidden_pictures, found.hidden_pictures.covers(run.project)
    artifacts = [
        one for one in found.run_files.artifacts(run.id) if not hidden.covers_file(run.project, one.path)
    ]
    log = found.run_logs.tail(run.id, LOG_LINES)
    dataset = _dataset(run)
    return {
        "stage": _stage(state),
        "monitor": run.spec.checkpoints.monitor,
        "dataset": dataset.name if dataset else None,
        "acts": _acts(run, bool(checkpoints)),
        "steps": [_step(one, run) for one in run.attempts],
        "checkpoints": checkpoints,
        "artifacts": artifacts,
        "hides_pictures": hides_pictures,
        "epoch_overlays": [] if hides_pictures else found.run_files.overlays(run)[::-1],
        "overlay": _named(artifacts, "figures/overlay.png"),
        "report": _named(artifacts, "report.html"),
        "settings": dict(dotted(run.spec.to_dict())),
        "charts": charts_of_run(run.spec.task, _drawn_classes(dataset), _class_count(dataset)),
        "pictures_show": _PICTURES_SHOW[run.spec.task],
        "parity": _parity((run.result or {}).get("export") or {}),
        "exported_elsewhere": _was_exported_elsewhere(run),
        "figures": _figures(run),
        "log": _COLORS.sub("", log.content.decode("utf-8", "replace")),
        "log_offset": log.next_offset,
    }


def _stage(state: RunState) -> str:
    """In a few words: a pending stop or cancel is said before what the worker last said."""
    if state.run.status not in ACTIVE:
        return str(state.run.status)
    if state.signals.cancel:
        return "cancelling"
    if state.signals.stop:
        return "stopping, saving" if state.signals.stop == "now" else "stopping after this epoch"
    if state.run.status == RunStatus.RUNNING and state.progress:
        return str(state.progress["stage"])
    return "waiting" if state.waiting else str(state.run.status)


def _acts(run: Run, has_checkpoint: bool) -> Acts:
    is_cancelled = run.status == RunStatus.CANCELLED
    has_ended, has_export = run.status not in ACTIVE, bool((run.result or {}).get("export"))
    return Acts(
        stop=run.status in TO_TRAIN,
        cancel=not has_ended,
        epochs=not has_ended,
        front=run.status == RunStatus.QUEUED,
        resume=has_ended and not is_cancelled,
        retry=run.status == RunStatus.FAILED,
        fork=has_checkpoint,
        register=run.status == RunStatus.COMPLETED and has_export,
        export=run.status == RunStatus.COMPLETED and not has_export,
        delete=has_ended,
        why_not_resume="It was cancelled: what it had trained is gone." if is_cancelled else None,
    )


def _step(attempt: AttemptRecord, run: Run) -> Step:
    if attempt.ended_at is None:
        look = "now" if run.status in ACTIVE else "quiet"
        return Step(attempt=attempt, look=look, words="in work" if look == "now" else "its end is not known")
    reason = attempt.reason or ""
    look = "good" if reason in _GOOD_ENDS else "quiet" if reason in _QUIET_ENDS else "bad"
    return Step(attempt=attempt, look=look, words=_WORDS.get(reason, reason or "ended"))


def _dataset(run: Run) -> Dataset | None:
    try:
        return services().datasets.get(run.dataset_id)
    except (NotFound, Unreadable):
        return None


def _drawn_classes(dataset: Dataset | None) -> list[str]:
    """Names of the set's first classes; one with a comma cannot be in a list of metrics."""
    summary = dataset.summary if dataset else None
    names = [one.name for one in summary.classes if "," not in one.name] if summary else []
    return names[:CLASSES_DRAWN]


def _class_count(dataset: Dataset | None) -> int:
    summary = dataset.summary if dataset else None
    return len(summary.classes) if summary else 0


def _figures(run: Run) -> Sequence[DeviceFigures]:
    """What the devices do that the run is on."""
    if run.owner is None:
        return ()
    return next((one.figures for one in services().cluster.workers() if one.id == run.owner), ())


def _was_exported_elsewhere(run: Run) -> bool:
    """Whether its exported files are those that came with it."""
    return run.imported is not None and any(
        one.worker == LOCAL and one.attempt == run.results_of for one in run.attempts
    )


def _parity(export: Mapping[str, Any]) -> Parity | None:
    for task in TASKS.values():
        name, title = task.parity or ("", "")
        exported, trained = export.get(name), export.get(f"torch_{name}")
        if exported is not None and trained is not None:
            return Parity(title=title, exported=exported, trained=trained, difference=task.difference)
    return None


def _named(artifacts: list[Artifact], path: str) -> Artifact | None:
    return next((one for one in artifacts if one.path == path), None)
