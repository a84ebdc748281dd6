"""What the files of an experiment say of it, as values of known forms; they are a stranger's words.

Nothing here is taken over as it stands: what cannot be true is refused, and what cannot be known is left out.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainyard.decoding import decoder
from trainyard.errors import Unreadable
from trainyard.runs.imported import LOCAL
from trainyard.runs.record import AttemptRecord, ForkedFrom, Run, RunStatus
from trainyard.spec.experiments import load_spec
from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.ids import is_id
from workers.imports.archive import RECORD, ExperimentFiles, unusable

MAX_RECORD, MAX_ROWS = 8 << 20, 256 << 20
"""Bytes of run.json and of metrics.json."""
MOST_ATTEMPTS, MOST_NOTICES = 100, 100
_decode = decoder(Run, own={TrainingSpec: read_spec})
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_REASON = re.compile(r"[a-z_]{1,50}\Z")
_CHECKPOINT = re.compile(r"best\Z|last\Z|\d{1,9}\Z")
_OF_A_FILE = "file:"
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Claims:
    """A record whose values can be used, and its rows of metrics, one for each finished epoch."""

    run: Run
    rows: Sequence[Row]


def read_claims(files: ExperimentFiles, now: float) -> Claims:
    """What the files say. `now` is a Unix time, after which nothing has happened.

    Raises InvalidRequest that names the file, or the field of the spec.
    """
    try:
        run = _decode(_object(files, RECORD, MAX_RECORD))
    except Unreadable as error:
        raise unusable(RECORD, f"{error.message}") from error
    if not (is_id(run.id) and _HASH.match(run.dataset_hash)):
        raise unusable(RECORD, "It is no record of an experiment.")
    if run.status not in (RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.RUNNING):
        raise unusable(RECORD, f"It is {run.status} and was not trained: there is nothing to take over.")
    rows = _rows(_object(files, "metrics.json", MAX_ROWS)) if "metrics.json" in files else []
    spec, notices = _spec(run)
    if run.status == RunStatus.COMPLETED and not rows:
        raise unusable("metrics.json", "A completed experiment has an epoch at least.")
    return Claims(run=_usable(replace(run, spec=spec), rows, notices, now), rows=rows)


def text_of(value: str, most: int) -> str:
    """A text as it may be shown: printable characters alone, of bounded length."""
    return "".join(char if char.isprintable() else " " for char in value)[:most]


def is_number(value: Any) -> bool:
    """Whether it is one, if perhaps none that is finite."""
    return type(value) in (int, float)


def _usable(run: Run, rows: Sequence[Row], notices: Sequence[str], now: float) -> Run:
    epoch, step = (rows[-1]["epoch"], rows[-1]["step"]) if rows else (0, 0)
    attempts = _attempts(run, now)
    return replace(
        run,
        name=text_of(run.name, 100).strip() or "experiment",
        status=RunStatus.COMPLETED if run.status == RunStatus.COMPLETED else RunStatus.STOPPED,
        revision=max(run.revision, 0),
        created_at=_instant(run.created_at, now) or now,
        experiment=text_of(run.experiment, 100) if run.experiment else None,
        epochs=min(max(run.epochs, epoch, 1), 1_000_000),
        epoch=epoch,
        step=max(run.step, step),
        used_seconds=run.used_seconds if 0 <= run.used_seconds < math.inf else 0.0,
        fence=max(len(attempts), 1),
        attempts=attempts,
        notices=(*(text_of(one, 2000) for one in run.notices[:MOST_NOTICES]), *_failure(run), *notices),
        forked_from=_origin(run.forked_from),
    )


def _failure(run: Run) -> list[str]:
    """What has ended a training that did not end by itself."""
    if run.status == RunStatus.RUNNING:
        return ["Its training was cut off where it was trained; it can go on from its last checkpoint."]
    message = (run.error or {}).get("message")
    if run.status != RunStatus.FAILED:
        return []
    return [f"Its training failed where it was trained: {text_of(str(message or 'no reason is told'), 1000)}"]


def _spec(run: Run) -> tuple[TrainingSpec, list[str]]:
    """A spec that could be submitted here; raises InvalidRequest that names the field.

    A weights file of another machine is none here, and what was trained holds its weights anyway.
    """
    spec, notices = run.spec, []
    if spec.model.encoder_weights.startswith(_OF_A_FILE):
        name = text_of(spec.model.encoder_weights.removeprefix(_OF_A_FILE), 200)
        notices = [f"It began with a file of weights that is on its own machine: {name}."]
        spec = replace(spec, model=replace(spec.model, encoder_weights="none"))
    return load_spec(spec.to_dict()), notices


def _attempts(run: Run, now: float) -> tuple[AttemptRecord, ...]:
    found = []
    for number, one in enumerate(run.attempts[-MOST_ATTEMPTS:], 1):
        began = _instant(one.started_at, now) or now
        ended = _instant(one.ended_at, now) or _instant(run.ended_at, now)
        found.append(
            AttemptRecord(
                attempt=number,
                worker=LOCAL,
                device=text_of(one.device, 100) if one.device else None,
                started_at=began,
                ended_at=max(began, ended or began),
                reason=one.reason if one.reason and _REASON.match(one.reason) else "stopped",
                from_epoch=max(one.from_epoch, 0),
                epochs=max(one.epochs, 0),
            )
        )
    return tuple(found)


def _origin(origin: ForkedFrom | None) -> ForkedFrom | None:
    if origin is None or not (is_id(origin.run_id) and _CHECKPOINT.match(origin.checkpoint)):
        return None
    return replace(origin, skipped=tuple(text_of(one, 300) for one in origin.skipped[:1000]))


def _instant(seconds: float | None, now: float) -> float | None:
    """A time that may be one: not before 1970, not in the future."""
    return seconds if seconds is not None and 0 < seconds <= now else None


def _rows(data: Mapping[str, Any]) -> list[Row]:
    rows = data.get("rows")
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise unusable("metrics.json", "It holds no rows of numbers.")
    epochs = [row["epoch"] for row in rows]
    if any(later <= earlier for earlier, later in zip([0, *epochs], epochs, strict=False)):
        raise unusable("metrics.json", "Its epochs are not in order.")
    return rows


def _is_row(row: Any) -> bool:
    """Whether it has an epoch, a step, and besides values that are numbers under names that can be shown."""
    if not isinstance(row, dict) or type(row.get("epoch")) is not int or type(row.get("step")) is not int:
        return False
    named = all(len(name) <= 300 and name.isprintable() for name in row)
    return named and len(row) <= 5000 and all(value is None or is_number(value) for value in row.values())


def _object(files: ExperimentFiles, name: str, most: int) -> dict[str, Any]:
    return json_object(name, files.text(name, most))


def json_object(name: str, text: str) -> dict[str, Any]:
    """The JSON object of a file, without the number of its schema; raises InvalidRequest."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unusable(name, f"It is no JSON: {error}.") from error
    if not isinstance(data, dict):
        raise unusable(name, "It holds no record.")
    data.pop("schema", None)
    return data
