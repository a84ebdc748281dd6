"""What an error that ended an ingest says to whoever waits for the data set.

The tree of errors is shared with runs, and some of its remedies speak of those; these speak of sets. What
another try may mend (`failures.py`) is tried again by itself first.
"""

from collections.abc import Mapping
from typing import Any

_AGAIN = "POST /datasets/{id}/retry reads the set again; nothing need be sent again."
_REMEDIES = {
    "disk_full": f"Make room on the storage volume, or raise its quota. Then: {_AGAIN}",
    "storage_unavailable": f"Check that the storage volume is mounted and writable. Then: {_AGAIN}",
    "host_out_of_memory": (
        f"Give the ingest worker more memory, or let images be made smaller with `max_side`. Then: {_AGAIN}"
    ),
    "segfault": f"Mend or leave out the file that is named, and upload the set again; or {_AGAIN}",
    "child_died": f"Look at the log of the ingest worker. {_AGAIN}",
    "worker_lost": f"Look at the machine and the log of the ingest worker. {_AGAIN}",
    "store_unavailable": _AGAIN,
    "revoked": _AGAIN,
    "engine_error": (
        "Report it with the traceback in the log of the ingest worker. The set may do without the file that "
        "is named."
    ),
}
"""By code; any other error has a remedy that speaks of sets anyway."""


def of_dataset(error: Mapping[str, Any], reads: str | None = None) -> dict[str, Any]:
    """The error (`TrainyardError.to_dict`) as a set's record shows it; `reads` is the file that was being
    read when it happened, where one was."""
    found = {**error, "remedy": _REMEDIES.get(error["code"], error["remedy"])}
    if reads is not None and error["cause"] == "infrastructure" and reads not in error["message"]:
        found["message"] = f"{error['message'].rstrip('.')}, while {reads} and its mask were read."
    return found
