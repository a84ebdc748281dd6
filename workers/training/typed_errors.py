"""What an error out of the training libraries is called in Trainyard's tree."""

from trainyard.errors import HostOutOfMemory, LoaderDied, StorageUnavailable, TrainyardError
from trainyard.storage_errors import storage_error
from workers.training.memory import memory_that_ran_out

EXPECTED = (TrainyardError, OSError, MemoryError, RuntimeError)
"""The kinds of errors that may have a name; of RuntimeError few do."""
_LOADER_SIGNS = (
    "DataLoader worker (pid",
    "shared memory",
    "unable to mmap",
    "unable to open shared",
    "unable to write to file </torch",
)
"""What torch says where a loader process was killed, met a bus error or got no shared memory; those errors
have no type of their own."""


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
    return _of_torch(error) if isinstance(error, RuntimeError) else None


def _of_torch(error: RuntimeError) -> TrainyardError | None:
    said = str(error).partition("\n")[0]
    if (ran_out := memory_that_ran_out(error)) is not None:
        return ran_out(said)
    return LoaderDied(said) if any(sign in str(error) for sign in _LOADER_SIGNS) else None


def as_raised(error: Exception) -> Exception:
    """One of a loader process without the traceback that torch puts before its message; any other itself."""
    kind, said = type(error), str(error)
    if not said.startswith(f"Caught {kind.__name__} in DataLoader worker process"):
        return error
    return kind(said.rpartition(f"{kind.__name__}: ")[2].rstrip("\n"))


def _with_its_reason(error: StorageUnavailable) -> StorageUnavailable:
    """DiskFull where that is what the system said; the message stays."""
    if type(error) is not StorageUnavailable or not isinstance(error.__cause__, OSError):
        return error
    kind = type(storage_error("", error.__cause__))
    return kind(error.message)
