"""With which status the command ends; scripts rely on these."""

from trainyard_client.errors import (
    Forbidden,
    GatewayTrouble,
    NotFound,
    NotSignedIn,
    Refused,
    RunFailed,
    ServerBusy,
    ServerUnreachable,
    StreamEnded,
    TrainyardError,
)

DONE = 0
FAILURE = 1
USAGE = 2
REFUSED = 3
NOT_SIGNED_IN = 4
NOT_FOUND = 5
UNREACHABLE = 6
RUN_FAILED = 7
RUN_STOPPED = 8
INTERRUPTED = 130

_BY_ERROR: tuple[tuple[type[TrainyardError], int], ...] = (
    (NotSignedIn, NOT_SIGNED_IN),
    (Forbidden, NOT_SIGNED_IN),
    (NotFound, NOT_FOUND),
    (Refused, REFUSED),
    (ServerUnreachable, UNREACHABLE),
    (GatewayTrouble, UNREACHABLE),
    (ServerBusy, UNREACHABLE),
    (StreamEnded, UNREACHABLE),
    (RunFailed, RUN_FAILED),
)
_BY_STATUS = {"completed": DONE, "failed": RUN_FAILED, "stopped": RUN_STOPPED, "cancelled": RUN_STOPPED}


def of_error(error: TrainyardError) -> int:
    """The status for an error."""
    return next((status for kind, status in _BY_ERROR if isinstance(error, kind)), FAILURE)


def of_run(status: str) -> int:
    """The status for a run that was watched to its end."""
    return _BY_STATUS.get(status, FAILURE)
