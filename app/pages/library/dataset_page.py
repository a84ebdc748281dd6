"""The page of a data set: how it was read, what it leaves open, what is wrong with it, what is in it."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from app.composition import services
from app.pages.early_head import page_response
from app.pages.library.dataset_versions import version_rows
from app.service.datasets.samples import SampleInfo
from trainyard.datasets.record import Dataset, DatasetStatus, Problem, Question
from trainyard.errors import NotFound, StorageUnavailable
from trainyard.tasks.registry import TASKS

SAMPLES = 12
"""For the first paint and for whoever runs no scripts."""
SIZES = 6
"""Sizes of images that are named, the most frequent ones."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of ingest: what it is, and whether it is done, now, or still to come."""

    words: str
    look: str


@dataclass(frozen=True, kw_only=True)
class Open:
    """What waits for an answer, or was refused: of the set itself, or of the latest change to it."""

    questions: tuple[Question, ...]
    problems: tuple[Problem, ...]
    label_map: dict[int, int | None] | None
    error: dict[str, Any] | None
    is_of_change: bool


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/datasets/<dataset_id>", "dataset", show)


def show(dataset_id: str) -> Response:
    """The page; raises NotFound."""
    dataset = services().datasets.get(dataset_id)
    return page_response("library/dataset.html", lambda: _found(dataset), dataset=dataset)


def _found(dataset: Dataset) -> dict[str, Any]:
    summary = dataset.summary
    sizes = sorted(summary.sizes.items(), key=lambda one: -one[1]) if summary else []
    return {
        "summary": summary,
        "steps": _steps(dataset),
        "open": _open(dataset),
        "may_retry": _may_retry(dataset),
        "samples": _samples(dataset),
        "hides_pictures": services().hidden_pictures.covers(dataset.project),
        "versions": version_rows(dataset) if len(dataset.versions) > 1 else [],
        "most": max((one.share for one in summary.classes), default=0) if summary else 0,
        "sizes": sizes[:SIZES],
        "other_sizes": len(sizes[SIZES:]),
        "objects_of": _objects(dataset),
        "trains": [task.name for task in TASKS.values() if summary and task.kind in summary.kinds],
    }


def _objects(dataset: Dataset) -> dict[int, int]:
    """How many objects there are of each class, by its value."""
    found = dataset.summary.objects if dataset.summary else None
    return {} if found is None else {one.value: one.objects for one in found.classes}


def _steps(dataset: Dataset) -> list[Step]:
    """Where an ingest is; once it has ended, its outcome is told elsewhere."""
    status = dataset.status
    is_read = status not in (DatasetStatus.QUEUED, DatasetStatus.INGESTING)
    is_begun = status != DatasetStatus.QUEUED
    of = f" {dataset.images_done} of {dataset.images_total}" if dataset.images_total else ""
    last = {DatasetStatus.QUESTION: "A question is open", DatasetStatus.FAILED: "It cannot be used"}
    return [
        Step(words="Taken in", look="good"),
        Step(words="An ingest worker has it", look="good" if is_begun else "now"),
        Step(
            words=f"Images read and checked{'' if is_read else of}",
            look="good" if is_read else "now" if is_begun else "",
        ),
        Step(
            words=last.get(status, "Ready to train"),
            look={
                DatasetStatus.READY: "good",
                DatasetStatus.QUESTION: "now",
                DatasetStatus.FAILED: "bad",
            }.get(status, ""),
        ),
    ]


def _open(dataset: Dataset) -> Open:
    refused = dataset.refused_change
    if refused is not None:
        return Open(
            questions=refused.questions,
            problems=refused.problems,
            label_map=refused.proposed_label_map,
            error=refused.error,
            is_of_change=True,
        )
    return Open(
        questions=dataset.questions,
        problems=(),
        label_map=dataset.proposed_label_map,
        error=dataset.error,
        is_of_change=False,
    )


def _may_retry(dataset: Dataset) -> bool:
    refused = dataset.refused_change
    return dataset.status == DatasetStatus.FAILED or (refused is not None and not refused.questions)


def _samples(dataset: Dataset) -> list[SampleInfo] | None:
    """The first ones; None where the version that the record names is missing in storage."""
    if dataset.summary is None or not dataset.summary.images:
        return []
    try:
        found, _ = services().samples.page(dataset.id, None, None, 0, SAMPLES)
    except (NotFound, StorageUnavailable):
        return None
    return found
