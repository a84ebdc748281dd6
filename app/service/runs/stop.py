"""A stop that is waited for, as older clients expect: when it is answered, the run's files are whole."""

import time
from contextlib import suppress

from app.service.requests.turns import aside
from app.service.runs.runs import RunService
from trainyard.errors import Conflict
from trainyard.runs.record import TO_TRAIN, Run

STOP_WAIT_S = 10.0
"""How long a run is waited for to stop: it takes one batch and a save."""
STOP_LOOK_S = 0.2


def stop_and_wait(runs: RunService, run: Run) -> None:
    """Stop a run that is to be trained or is, and wait a little for its end; raises NotFound."""
    if run.status not in TO_TRAIN:
        return
    with suppress(Conflict):  # it may end by itself meanwhile
        runs.stop(run.id, "now")
    deadline = time.monotonic() + STOP_WAIT_S
    while runs.get(run.id).status in TO_TRAIN and time.monotonic() < deadline:
        with aside():
            time.sleep(STOP_LOOK_S)
