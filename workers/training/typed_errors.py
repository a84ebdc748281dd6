"""What an error out of the training libraries is called in Trainyard's tree."""

import re

import cv2

from trainyard.errors import HostOutOfMemory, StorageUnavailable, TrainyardError
from trainyard.storage.errors import storage_error
from workers.process.error_texts import is_open_files, is_shared_memory
from workers.training.compute.memory import meaning_of_error, whole_text

EXPECTED = (TrainyardError, OSError, MemoryError, RuntimeError, cv2.error)
"""The kinds of errors that may have a name; of RuntimeError and OpenCV's few do."""


def typed_error(error: Exception) -> TrainyardError | None:
    """The error to tell the user of; None for one that only the developers can make sense of."""
    error = as_raised(error)
    if isinstance(error, StorageUnavailable):
        return _with_its_reason(error)
    if isinstance(error, TrainyardError):
        return error
    if isinstance(error, OSError):
        name = f" {error.filename}" if error.filename else ""
        return storage_error(f"A file of the run{name} could not be used", error)
    if isinstance(error, MemoryError):
        return HostOutOfMemory("Python could get no more memory.")
    return _of_its_text(error)


def _of_its_text(error: Exception) -> TrainyardError | None:
    kind = meaning_of_error(error)
    if kind is None:
        return None
    said = str(error).partition("\n")[0]
    if is_shared_memory(whole_text(error)):
        said = f"The shared memory of this machine, /dev/shm, is full: {said}"
    elif is_open_files(whole_text(error)):
        said = f"Batches are handed over as open files, and no more may be opened (ulimit -n): {said}"
    return kind(said)


def as_raised(error: Exception) -> Exception:
    """One of a loader process without the traceback that torch puts before its message; any other itself."""
    kind, said = type(error), str(error)
    if not re.match(rf"Caught {kind.__name__} in (DataLoader worker process|pin memory thread)", said):
        return error
    if "pin memory thread" in said.partition("\n")[0] and meaning_of_error(error) is HostOutOfMemory:
        return HostOutOfMemory("The machine has no memory left that the GPU could read by itself.")
    return kind(said.rpartition(f"{kind.__name__}: ")[2].rstrip("\n"))


def _with_its_reason(error: StorageUnavailable) -> StorageUnavailable:
    """DiskFull where that is what the system said; the message stays."""
    if type(error) is not StorageUnavailable or not isinstance(error.__cause__, OSError):
        return error
    kind = type(storage_error("", error.__cause__))
    return kind(error.message)
