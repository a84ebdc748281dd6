"""Data that Trainyard wrote become dataclasses again, whatever release wrote them."""

import json
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Literal

import pytest

from tests.unit.records import a_run
from trainyard.datasets.prepared_index import PreparedClass, Sample, VersionIndex
from trainyard.datasets.record import (
    ClassInfo,
    Dataset,
    DatasetSummary,
    DatasetVersion,
    IngestOptions,
    Problem,
    RefusedChange,
)
from trainyard.decoding import decoder
from trainyard.errors import Unreadable
from trainyard.runs.checkpoints import Checkpoint
from trainyard.runs.record import AttemptRecord, ForkedFrom, ReopenedBy, Run, RunStatus
from trainyard.store.codec import Codec, UnreadableRecord
from trainyard.store.processes.worker_record import WorkerState


class Color(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Part:
    size: int
    shape: tuple[int, float] = (1, 1.0)


@dataclass(frozen=True, kw_only=True)
class Whole:
    part: Part
    color: Color = Color.RED
    order: Literal["area", "file"] = "area"
    batch: int | Literal["auto"] = 8
    by_value: dict[int, int | None] | None = None
    parts: tuple[Part, ...] = ()
    names: list[str] = field(default_factory=list)
    share: float | None = None
    free: Any = None


decode = decoder(Whole)


def test_every_kind_of_field():
    data = {
        "part": {"size": 3, "shape": [2, 3]},
        "color": "red",
        "order": "tomorrow's",
        "batch": "auto",
        "by_value": {"7": None, "8": 2},
        "parts": [{"size": 1}, {"size": 2.0}],
        "names": ["a"],
        "share": 1,
        "free": [{"x": 1}],
    }
    assert decode(data) == Whole(
        part=Part(size=3, shape=(2, 3.0)),
        order="tomorrow's",  # type: ignore[arg-type]
        batch="auto",
        by_value={7: None, 8: 2},
        parts=(Part(size=1), Part(size=2)),
        names=["a"],
        share=1.0,
        free=[{"x": 1}],
    )


def test_what_is_absent_or_null_has_its_default_and_what_is_unknown_is_left_out():
    assert decode({"part": {"size": 3, "new": 1}, "new": 2}) == Whole(part=Part(size=3))
    assert decode({"part": {"size": 3}, "names": None, "color": None}) == Whole(part=Part(size=3))


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({"part": {}}, "part: there is no size"),
        ({"part": {"size": None}}, "part: there is no size"),
        ({"part": {"size": True}}, "part.size: a whole number"),
        ({"part": {"size": 1, "shape": [1]}}, "part.shape: a list of 2"),
        ({"color": "blue"}, "color: one of red"),
        ({"batch": 1.5}, "batch: text"),
        ({"by_value": {"x": 1}}, "by_value: a whole number as key"),
        ({"parts": [{"size": 1}, 5]}, "parts.1: an object"),
        ({"names": "abc"}, "names: a list"),
        ({"share": "1"}, "share: a number"),
    ],
)
def test_another_form_is_told_with_its_place(over: dict[str, Any], told: str):
    with pytest.raises(Unreadable, match=told):
        decode({"part": {"size": 3}, **over})


FULL_RUN = a_run(
    1,
    experiment="e",
    status=RunStatus.STOPPED,
    place=2.5,
    owner="w",
    started_at=2.0,
    ended_at=3.0,
    max_hours=1.5,
    notices=("a", "b"),
    attempts=(AttemptRecord(attempt=1, worker="w", started_at=2.0, ended_at=3.0, reason="stopped"),),
    checkpoints={"last": Checkpoint(file="x.ckpt", epoch=1, step=2, bytes=3, sha256="ab")},
    labels={"study": "a-1"},
    forked_from=ForkedFrom(run_id="run-000000000002", checkpoint="best", skipped=("x",)),
    reopened_by=ReopenedBy.RESUME,
    result={"best": {"val_miou": 0.5}},
    error={"code": "x"},
)
OPTIONS = IngestOptions(
    classes={0: "a", 255: "b"},
    colors={"#000000": 0},
    label_map={1: None, 2: 3},
    splits={"train": ["a"]},
    folds=2,
)
PROBLEM = Problem(severity="warning", code="c", file=None, message="m", remedy="r")
FULL_DATASET = Dataset(
    id="ds-000000000001",
    name="d",
    project="p",
    created_at=1.5,
    options=OPTIONS,
    summary=DatasetSummary(
        content_hash="h",
        images=2,
        splits={"train": 1},
        classes=(ClassInfo(index=0, name="a", value=0, color=(1, 2, 3), pixels=5, share=0.5, images=1),),
        ignore_share=0.0,
        sizes={"1x2": 2},
        mean=(0.1, 0.2, 0.3),
        std=(0.1, 0.2, 0.3),
    ),
    versions=(
        DatasetVersion(version=1, content_hash="h", created_at=1.0, images=2, splits={}, label_map={1: None}),
    ),
    problems=(PROBLEM,),
    change=OPTIONS,
    refused_change=RefusedChange(options=OPTIONS, error={"code": "x"}, problems=(PROBLEM,)),
    proposed_label_map={3: 4},
)


@pytest.mark.parametrize("record", [a_run(1), FULL_RUN, FULL_DATASET], ids=["run", "full run", "data set"])
def test_records_come_back_from_files_and_from_redis(record: Run | Dataset):
    codec: Codec[Any] = Codec(type(record))
    data = codec.to_json(record)
    assert codec.from_json(json.loads(json.dumps(data))) == record
    texts = {name: text for name, text in codec.to_hash(data).items() if text}
    assert codec.from_hash(texts) == record
    assert codec.from_hash({**texts, "lost_owner": "w", "of_tomorrow": "{"}) == record


@pytest.mark.parametrize("name", [one.name for one in fields(Run) if one.name not in ("spec", "id")])
def test_a_run_without_a_field_is_read_or_told_of(name: str):
    codec = Codec(Run)
    data = json.loads(json.dumps(codec.to_json(FULL_RUN)))
    del data[name]
    needed = {"project", "name", "dataset_id", "queue", "created_at", "epochs"}
    if name in needed:
        with pytest.raises(Unreadable, match=f"there is no {name}"):
            codec.from_json(data)
    else:
        default = getattr(codec.from_json(data), name)
        assert codec.from_json(data) == replace(FULL_RUN, **{name: default})


@pytest.mark.parametrize(
    ("name", "text"),
    [("spec", "{"), ("spec", '{"data": 3}'), ("status", "asleep"), ("epochs", '"x"'), ("attempts", "{}"),
     ("labels", "[]"), ("spec", "[" * 100_000)],
)  # fmt: skip
def test_a_broken_hash_is_one_item_of_a_list(name: str, text: str):
    codec = Codec(Run)
    run = a_run(1, attempts=FULL_RUN.attempts)
    texts = {key: value for key, value in codec.to_hash(codec.to_json(run)).items() if value}
    found = codec.listed(run.id, {**texts, name: text})
    assert isinstance(found, UnreadableRecord)
    assert (found.id, found.project, found.name) == (run.id, "a", "run 1")
    assert name in found.problem


def test_what_else_is_stored_is_read_by_its_dataclass():
    for one in (
        PreparedClass(index=1, name="a", value=2, color=(1, 2, 3)),
        Sample(name="s", split="train", height=1, width=2, image_offset=0, mask_offset=0, classes=(1,)),
        WorkerState(
            id="w", host="h", pid=1, queues=("cpu",), device="d", memory_bytes=1, started_at=1.0, holds="r"
        ),
    ):
        stored = json.loads(json.dumps(vars(one)))
        assert decoder(type(one))({**stored, "of_tomorrow": 1}) == one  # type: ignore[arg-type]
    index = {"content_hash": "h", "classes": [], "mean": [0, 0, 0], "std": [1, 1, 1], "samples": []}
    assert decoder(VersionIndex)(index).task == "multiclass"
