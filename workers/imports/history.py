"""What happened to an experiment: its events, its log, TensorBoard's files, its figures and its report."""

import json
from pathlib import Path
from typing import Any

from trainyard.runs.events import Progress, claimed, to_dict
from trainyard.runs.record import Run
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_text
from workers.imports.archive import ExperimentFiles

EVENTS = "events.jsonl"
LOG = "logs/training.log"
MAX_EVENTS = 256 << 20
"""Bytes of events that are read."""
MOST_EVENTS = 100_000
"""The newest that are kept."""


def take_history(files: ExperimentFiles, run: Run, folder: RunFolder, now: float) -> bool:
    """Place them; whether there is a report. `now` is a Unix time, after which nothing has happened.

    Raises InvalidRequest for what is damaged, and StorageUnavailable.
    """
    if EVENTS in files:
        write_text(folder.events, _events(files.text(EVENTS, MAX_EVENTS), now))
    if LOG in files:
        files.copy(LOG, folder.log)
    for name in files.below("tensorboard"):
        files.copy(name, folder.tensorboard / Path(name).name)
    has_report = run.status == "completed" and "report.json" in files and "report.html" in files
    own = folder.attempt(run.fence) if has_report else folder
    for name in files.below("figures"):
        files.copy(name, own.figures / Path(name).name)
    if has_report:
        files.copy("report.json", own.report_json)
        files.copy("report.html", own.report_html)
    return has_report


def _events(text: str, now: float) -> str:
    """The events that are such, under ids that grow: those of a stream begin with their time in ms."""
    lines, last = [], (0, 0)
    for line in text.splitlines()[-MOST_EVENTS:]:
        found = _parsed(line)
        event = claimed(found)
        if event is None or isinstance(event, Progress):
            continue
        told = str(found.get("id", "")).partition("-")[0]
        at = int(told) if told.isascii() and told.isdecimal() and len(told) <= 13 else 0
        at = min(max(at, last[0]), int(now * 1000))
        last = (at, last[1] + 1 if at == last[0] else 0)
        lines.append(json.dumps({"id": f"{last[0]}-{last[1]}", **to_dict(event)}))
    return "".join(f"{line}\n" for line in lines)


def _parsed(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
