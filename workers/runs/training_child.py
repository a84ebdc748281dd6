"""The process that trains one run: joins the engine, which knows no service, to the supervisor's pipe."""

import faulthandler
import logging
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from trainyard.catalog.names import CPU
from trainyard.log_format import log_in_utc
from trainyard.runs import events
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.process.child import Link, Message
from workers.process.environment import hide_gpus
from workers.runs.job_message import job_from_message
from workers.runs.lasting_log import LastingLog
from workers.training.fit import fit
from workers.training.log_lines import describe
from workers.training.typed_errors import EXPECTED, typed_error

logger = logging.getLogger(__name__)


class LatestSignals:
    """The newest signals that came down the pipe."""

    def __init__(self) -> None:
        self._signals = Signals()

    def receive(self, message: Message) -> None:
        self._signals = Signals(**message)

    def __call__(self) -> Signals:
        return self._signals


def work(link: Link, data: Message) -> None:
    """Train, and send up events, then one `result` or `error`; a crash shows in the log."""
    # A signal to the whole process group is the supervisor's business: it ends this process if need be.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = job_from_message(data)
    if job.device_class == CPU:
        hide_gpus(os.environ)
    signals = LatestSignals()
    link.listen(signals.receive)

    def report(event: events.Event) -> None:
        if line := describe(event):
            logger.info("%s", line)
        link.send({"event": events.to_dict(event)})

    try:
        _log_to(RunFolder(job.folder).log)
        result = fit(job, report, signals)
    except EXPECTED as error:
        if (known := typed_error(error)) is None:
            raise
        logger.error("%s: %s %s", known.code, known.message, known.remedy)
        link.send({"error": {**known.to_dict(), "device_peak_bytes": _device_peak()}})
    else:
        link.send({"result": asdict(result)})


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
