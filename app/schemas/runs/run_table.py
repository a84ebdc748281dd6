"""Lists of runs as CSV, for spreadsheets and scripts."""

import csv
import io
from typing import Any

from app.schemas.runs.run_list import run_item
from trainyard.runs.record import Run
from trainyard.store.records import Page

_COLUMNS = (
    "id", "name", "project", "group", "tags", "status", "task", "architecture", "encoder", "experiment",
    "dataset_id", "epochs", "epoch", "step", "used_seconds", "created_at", "started_at", "ended_at", "error",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute at the beginning of a text
(https://owasp.org/www-community/attacks/CSV_Injection)."""


def run_table(page: Page[Run]) -> str:
    """One row for each run that can be read: what lists show, and best and last of each metric that any of
    them has. A text that a spreadsheet would take for a formula has an apostrophe in front."""
    items = [run_item(run) for run in page.readable]
    metrics = list(dict.fromkeys(name for item in items for name in item["metrics"]))
    heads = [f"{which}.{name}" for name in metrics for which in ("best", "best_epoch", "last")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *heads])
    for item in items:
        told = item | {"tags": ", ".join(item["tags"]), "error": (item["error"] or {}).get("code")}
        summaries = [item["metrics"].get(name, {}) for name in metrics]
        values = [one.get(which) for one in summaries for which in ("best", "best_epoch", "last")]
        writer.writerow([*(_cell(told[name]) for name in _COLUMNS), *values])
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
