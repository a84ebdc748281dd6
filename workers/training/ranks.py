"""The other processes of a run on several devices. Its first rank is the process that was given the job.

They are started here and not by Lightning, whose ways either run the program's command line again or move
the first rank, and with it reports and signals, into a process of its own.
"""

import multiprocessing
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import torch.distributed

from trainyard.errors import TrainyardError
from trainyard.events import Event
from trainyard.signals import Signals
from workers.training.attempt import build_attempt
from workers.training.job import TrainingJob
from workers.training.rank import ALONE, Rank
from workers.training.runtime import prepare_process, quiet_lightning
from workers.training.train import train

END_SECONDS = 30.0
"""How long the other ranks may take to end once the first one has."""


@dataclass(frozen=True)
class Ranks:
    """The first rank's place, and the other ranks as it sees them."""

    first: Rank = ALONE
    processes: list[BaseProcess] = field(default_factory=list)
    links: list[Connection] = field(default_factory=list)

    def failure(self) -> TrainyardError | None:
        """Why another rank has ended, if one said so."""
        for process, link in zip(self.processes, self.links, strict=True):
            process.join(END_SECONDS)
            try:
                error: TrainyardError = link.recv()
            except EOFError:
                continue  # it ended without a word
            return error
        return None


@contextmanager
def other_ranks(job: TrainingJob) -> Iterator[Ranks]:
    """Start the other ranks of a job, if it has any; at the end of the block none of them is left."""
    world = job.spec.compute.devices
    if world == 1:
        yield Ranks()
        return
    port = free_port()
    ranks = Ranks(first=Rank(0, world, port))
    # A fresh interpreter: a forked one could not use CUDA, nor locks that other threads held.
    context = multiprocessing.get_context("spawn")
    try:
        for rank in range(1, world):
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_join, args=(there, job, Rank(rank, world, port)))
            process.start()
            there.close()
            ranks.processes.append(process)
            ranks.links.append(here)
        yield ranks
    finally:
        _end(ranks)


def _end(ranks: Ranks) -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    for process, link in zip(ranks.processes, ranks.links, strict=True):
        process.join(END_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        link.close()


def _join(link: Connection, job: TrainingJob, rank: Rank) -> None:
    """Train along, without a voice; what goes wrong is told to the first rank."""
    prepare_process(job.threads_per_rank)
    quiet_lightning()
    try:
        train(build_attempt(job, _unheard), _unheard, Signals, rank)
    except TrainyardError as error:
        link.send(error)
    # Lightning's collectives may not outlive the first rank; nothing is left to tidy up here.
    link.close()
    os._exit(0)


def _unheard(event: Event) -> None:
    """Only the first rank reports."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
