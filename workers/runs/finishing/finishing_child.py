"""The process that writes what a trained run owes: its report and its exported files."""

import os

from workers.process.child import Link, Message
from workers.runs.job_message import finishing_job_from_message
from workers.runs.run_child import answer, take_device
from workers.training.after_training import finish
from workers.training.compute.runtime import prepare_process, quiet_lightning

NICENESS = 5
"""Beside it other runs train, and feed their GPUs: they go first where cores are short."""


def work(link: Link, data: Message) -> None:
    """Finish the run, and answer with the facts of its export."""
    job = finishing_job_from_message(data)
    take_device(job.device_class)
    link.listen(lambda _: None)
    os.nice(NICENESS)
    prepare_process(job.threads)
    quiet_lightning()
    answer(link, job.folder, lambda report: {"export": finish(job, report)})
