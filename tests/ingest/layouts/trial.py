"""Sends a layout through ingest, answers what is asked, and judges what comes of it."""

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path
from typing import Any

from tests.ingest.layouts.judge import READY, Kind, Verdict, judge
from tests.ingest.layouts.layout import Layout
from trainyard.datasets.record import IngestOptions, Problem, Question
from trainyard.storage.files import DatasetFolder
from workers.ingest.pipeline import IngestResult, ingest
from workers.prepared.version import PreparedDataset

MOST_ANSWERS = 12
"""Ways to answer the questions of one ingest that are tried."""
DEEPEST = 3
"""Times that answers may lead to further questions."""
_BY_VALUE = ("classes", "label_map")


@dataclass(frozen=True)
class Trial:
    """A verdict with what was said: problems, questions, and what each way to answer led to."""

    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()
    answers: tuple[str, ...] = ()


def try_layout(layout: Layout, *, answer: bool = True) -> Trial:
    """Ingest the layout; with `answer`, one way to answer what is asked has to lead to the truth."""
    with tempfile.TemporaryDirectory(prefix="layout-") as folder:
        upload = Path(folder) / "upload.zip"
        with zipfile.ZipFile(upload, "w") as archive:
            for name, data in layout.files.items():
                archive.writestr(name, data)
        first = _ingested(layout, upload, IngestOptions(), answered=False)
        if first.verdict.kind is not Kind.ASKED or not answer:
            return first
        ways = list(_answered(layout, upload, IngestOptions(), first.questions, DEEPEST))
        return replace(
            first, verdict=_of_answers(first.verdict, [one for _, one in ways]), answers=_lines(ways)
        )


def _ingested(layout: Layout, upload: Path, options: IngestOptions, *, answered: bool) -> Trial:
    folder = upload.parent / "set"
    try:
        result = ingest(upload, folder, options, lambda done, total: None, processes=1)
    except Exception as crash:  # noqa: BLE001 - any crash is a fault to be told with its layout
        return Trial(Verdict(Kind.WRONG, f"crash: {type(crash).__name__}: {crash}"))
    return Trial(_verdict(layout, folder, result, answered), result.problems, result.questions)


def _verdict(layout: Layout, folder: Path, result: IngestResult, answered: bool) -> Verdict:
    errors = [one.code for one in result.problems if one.severity == "error"]
    if errors:
        return Verdict(Kind.REFUSED, ", ".join(errors))
    if result.questions:
        return Verdict(Kind.ASKED, ", ".join(one.code for one in result.questions))
    if result.summary is None:
        return Verdict(Kind.WRONG, "neither ready nor asked nor refused")
    if "masks" not in result.summary.kinds:
        return Verdict(Kind.WRONG, "read as images with labels, without masks")
    prepared = PreparedDataset(DatasetFolder(folder).version(result.summary.content_hash))
    return judge(layout, result.summary, result.problems, prepared, answered=answered)


def _answered(
    layout: Layout, upload: Path, options: IngestOptions, questions: tuple[Question, ...], deepest: int
) -> Iterator[tuple[str, Trial]]:
    """Each way to answer the questions, in words, with what it led to in the end."""
    for chosen in islice(product(*(one.choices for one in questions)), MOST_ANSWERS):
        words = ", ".join(f"{one.code}: {choice.key}" for one, choice in zip(questions, chosen, strict=True))
        given: dict[str, Any] = {}
        for choice in chosen:
            given |= choice.options
        settled = replace(options, **_as_recorded(given))
        led_to = _ingested(layout, upload, settled, answered=True)
        if led_to.verdict.kind is Kind.ASKED and deepest > 1:
            for more, last in _answered(layout, upload, settled, led_to.questions, deepest - 1):
                yield f"{words}; {more}", last
        else:
            yield words, led_to


def _as_recorded(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a request in the form of a record: mask values are numbers."""
    return {
        name: {int(value): what for value, what in told.items()} if name in _BY_VALUE and told else told
        for name, told in given.items()
    }


def _of_answers(asked: Verdict, ways: list[Trial]) -> Verdict:
    crashed = next((one for one in ways if one.verdict.reason.startswith("crash")), None)
    if crashed is not None:
        return crashed.verdict
    if any(one.verdict.kind in READY for one in ways):
        return asked
    return Verdict(Kind.WRONG, f"asked {asked.reason}, and no answer leads to the truth")


def _lines(ways: list[tuple[str, Trial]]) -> tuple[str, ...]:
    return tuple(f"{words} -> {one.verdict.kind}: {one.verdict.reason}" for words, one in ways)
