"""The rows of a run's metrics, one for each finished epoch: which files hold them.

Each attempt's supervisor writes them in the attempt's own folder, and the record names the attempt whose rows
are the run's. So whoever is late writes rows that nobody reads. `metrics.json` and `metrics.csv` in the run's
folder are second names of the files that count.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from trainyard.storage.aliases import place_file
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json, write_json, write_text

Row = Mapping[str, Any]


def rows_folder(folder: RunFolder, attempt: int) -> RunFolder:
    """Where that attempt's metrics.json and metrics.csv lie.

    0 is no attempt: of a run of an earlier version they lie in the run's folder alone.
    """
    return RunFolder(folder.attempt(attempt).path / "rows") if attempt else folder


def read_rows(folder: RunFolder, attempt: int) -> list[dict[str, Any]]:
    """The rows of that attempt, none where it has written none; raises StorageUnavailable, NewerFormat."""
    path = rows_folder(folder, attempt).metrics_json
    return list(read_json(path)["rows"]) if path.exists() else []


def write_rows(folder: RunFolder, attempt: int, rows: Sequence[Row]) -> None:
    """Write both files of that attempt, each whole or not at all; raises StorageUnavailable."""
    own = rows_folder(folder, attempt)
    write_json(own.metrics_json, {"rows": list(rows)})
    write_text(own.metrics_csv, as_csv(rows))


def place_rows(folder: RunFolder, attempt: int) -> None:
    """Let the run's metrics.json and metrics.csv be those of that attempt; raises StorageUnavailable.

    Where they are there no more, a newer attempt has begun.
    """
    own = rows_folder(folder, attempt)
    try:
        for source, target in (
            (own.metrics_csv, folder.metrics_csv),
            (own.metrics_json, folder.metrics_json),
        ):
            if source.exists():
                place_file(source, target)
    except OSError as error:
        raise storage_error("The metrics could not be put in place", error) from error


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV under the names of the last one; nothing where there is none."""
    if not rows:
        return ""
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(rows[-1]), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()
