"""The process that trains one run."""

from dataclasses import asdict

from trainyard.runs.signals import Signals
from workers.process.child import Link, Message
from workers.runs.job_message import job_from_message
from workers.runs.run_child import answer, take_device
from workers.training.fit import fit_epochs


class LatestSignals:
    """The newest signals that came down the pipe."""

    def __init__(self) -> None:
        self._signals = Signals()

    def receive(self, message: Message) -> None:
        self._signals = Signals(**message)

    def __call__(self) -> Signals:
        return self._signals


def work(link: Link, data: Message) -> None:
    """Train, and answer what training returns."""
    job, signals = job_from_message(data), LatestSignals()
    take_device(job.device_class, job.spec.compute.device_places)
    link.listen(signals.receive)
    answer(link, job.folder, lambda report: asdict(fit_epochs(job, report, signals)))
