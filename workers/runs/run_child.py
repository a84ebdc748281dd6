"""What every process that works on a run does: joins the engine, which knows no service, to the pipe."""

import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from trainyard.catalog.names import CPU
from trainyard.log_format import log_in_utc
from trainyard.runs import events
from trainyard.storage.files import RunFolder
from workers.process.child import Link
from workers.process.environment import hide_gpus, keep_gpus
from workers.runs.files.lasting_log import LastingLog
from workers.training.log_lines import describe
from workers.training.typed_errors import EXPECTED, typed_error

logger = logging.getLogger(__name__)

Report = Callable[[events.Event], None]


def take_device(device_class: str | None, places: Sequence[int] = ()) -> None:
    """Leave ends to the supervisor, and to a job of class `cpu` no GPU, to another those of the worker's at
    these places, all where none is named; before anything else is done."""
    # A signal to the whole process group is the supervisor's business: it ends this process if need be.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if device_class == CPU:
        hide_gpus(os.environ)
    else:
        keep_gpus(os.environ, places)


def answer(link: Link, folder: Path, work: Callable[[Report], dict[str, Any]]) -> None:
    """Do the work, and send up events, then one `result` or `error`; a crash shows in the attempt's log."""

    def report(event: events.Event) -> None:
        if line := describe(event):
            logger.info("%s", line)
        link.send({"event": events.to_dict(event)})

    try:
        _log_to(RunFolder(folder).log)
        result = work(report)
    except EXPECTED as error:
        if (known := typed_error(error)) is None:
            raise
        logger.error("%s: %s %s", known.code, known.message, known.remedy)
        link.send({"error": {**known.to_dict(), "device_peak_bytes": _device_peak()}})
    else:
        link.send({"result": result})


def _device_peak() -> int | None:
    """The most memory, in bytes, that tensors have had on the device; None where no GPU was used."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]


def _log_to(path: Path) -> None:
    """Send all that this process logs or prints, C libraries and crashes included, to the run's log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable(all_threads=False)  # one traceback, that of the thread which crashed
    log_in_utc("%(asctime)s %(levelname)s %(message)s", LastingLog(2))
