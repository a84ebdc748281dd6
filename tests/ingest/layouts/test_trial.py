"""What a trial makes of questions: one way to answer them has to lead to the truth."""

from pathlib import Path
from typing import Any

import pytest

from tests.ingest.layouts import trial
from tests.ingest.layouts.judge import Kind
from tests.ingest.layouts.layout import Builder, Draw, Layout, MaskCode
from tests.ingest.layouts.scenes import CLASS_CODES
from trainyard.datasets.record import Choice, IngestOptions, Question
from workers.ingest.pipeline import IngestResult, ingest

RIGHT = {"label_map": {"0": 0, "1": 1, "2": 2}}
MERGED = {"label_map": {"0": 0, "1": 1, "2": 1}}
SWAPPED = {"masks": "images/*", "images": "masks/*"}


@pytest.fixture
def made() -> Layout:
    builder = Builder(Draw(4), MaskCode("ids", CLASS_CODES["ids"], classes=2))
    for number in range(6):
        builder.pair(f"images/{number}.png", f"masks/{number}.png")
    return builder.layout()


def asking(*choices: dict[str, Any]) -> Any:
    """An ingest that asks which of these options are meant before it reads."""

    def asks(upload: Path, folder: Path, options: IngestOptions, *rest: Any, **more: Any) -> IngestResult:
        if options != IngestOptions():
            return ingest(upload, folder, options, *rest, **more)
        offered = tuple(
            Choice(key=f"{number}", text="", count=6, options=one) for number, one in enumerate(choices)
        )
        return IngestResult(
            summary=None, problems=(), questions=(Question(code="which", text="?", choices=offered),)
        )

    return asks


def test_a_question_with_the_truth_among_its_choices(made: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "ingest", asking(MERGED, RIGHT))
    asked = trial.try_layout(made)
    assert (asked.verdict.kind, asked.verdict.reason) == (Kind.ASKED, "which")
    assert [line.partition(": ")[2].partition(" ->")[0] for line in asked.answers] == ["0", "1"]
    assert "truth" in asked.answers[1]


def test_a_question_without_the_truth_is_wrong(made: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "ingest", asking(MERGED, SWAPPED))
    assert trial.try_layout(made).verdict.kind is Kind.WRONG
    assert trial.try_layout(made, answer=False).verdict.kind is Kind.ASKED


def test_a_crash_is_wrong(made: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "ingest", asking(RIGHT, {"images": 3}))
    crashed = trial.try_layout(made)
    assert crashed.verdict.kind is Kind.WRONG
    assert "crash" in crashed.verdict.reason
