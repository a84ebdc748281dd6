"""The other processes of a run on several devices. Its first rank is the process that was given the job.

They are started here and not by Lightning, whose ways either run the program's command line again or move
the first rank, and with it reports and signals, into a process of its own.
"""

import logging
import multiprocessing
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import torch.distributed
from lightning import Callback, LightningModule, Trainer
from torch.distributed import distributed_c10d

from trainyard.errors import TrainyardError
from trainyard.runs.events import Event
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.process.exit_diagnosis import RAISED, PostMortem
from workers.process.parent_death import die_with_parent
from workers.training.compute.rank import ALONE, Rank
from workers.training.compute.runtime import prepare_process, quiet_lightning
from workers.training.engine.attempt import build_attempt
from workers.training.engine.train import train
from workers.training.job import TrainingJob
from workers.training.typed_errors import EXPECTED, typed_error

logger = logging.getLogger(__name__)

END_S = 30.0
"""How long the other ranks may take to end once the first one has trained to its end."""
KILLED_S = 10.0
"""How long the system may take to end a rank that was killed; one stuck in a driver it cannot end."""
WORD_S = 30.0
"""How long the first rank waits, once it has failed, for another's word or end that tells why; with gloo, and
where another is to blame, either comes at once."""
FREE_S = 10.0
"""How long the first rank may go on after another has failed, before it is torn from what it waits for."""
LOOK_S = 0.25
"""How often the thread that watches the others looks whether it is to end."""
STUCK = 78
"""Exit code of a first rank that could not be torn from what it waits for."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """Another rank as the first one sees it."""

    rank: int
    process: BaseProcess
    link: Connection


class Ranks:
    """The first rank's place, and the other ranks, which a thread watches.

    With NCCL a first rank learns nothing of another's end: its kernels wait for half an hour. So whoever
    fails says so at once, who dies is noticed, and the first rank is torn away from what it waits for.
    """

    def __init__(self, first: Rank, members: list[Member], post_mortem: PostMortem) -> None:
        self.first = first
        self.members = members
        self._post_mortem = post_mortem
        self._failure: TrainyardError | None = None
        self._has_failed = threading.Event()
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._look_after, name="other ranks", daemon=True)

    @property
    def processes(self) -> list[BaseProcess]:
        """Those of the other ranks."""
        return [member.process for member in self.members]

    def start_watch(self) -> None:
        """Begin to look after the others."""
        self._watch.start()

    def failure(self) -> TrainyardError | None:
        """Why another rank has failed, None where none has or where only its traceback tells."""
        if self.members:
            self._has_failed.wait(WORD_S)
        return self._failure

    def end(self, seconds: float) -> None:
        """Have none of the others left: who takes longer than that is killed."""
        self._is_over.set()
        if self._watch.is_alive():
            self._watch.join(KILLED_S)  # two threads must not ask for the same exit code
        for member in self.members:
            member.process.join(seconds)
            if member.process.is_alive():
                member.process.kill()
        for member in self.members:
            member.process.join(KILLED_S)
            member.link.close()

    def _look_after(self) -> None:
        watched: dict[Any, Member] = {member.link: member for member in self.members}
        watched |= {member.process.sentinel: member for member in self.members}
        while watched and not self._is_over.is_set() and not self._has_failed.is_set():
            for ready in wait(list(watched), timeout=LOOK_S):
                member = watched.pop(ready)
                self._hear(member)
                if ready is not member.link:
                    self._see_end(member)
        if self._has_failed.is_set():
            self._tear_first_away()

    def _hear(self, member: Member) -> None:
        """Take what the rank says went wrong, if it says so."""
        if not self._has_failed.is_set() and (word := _word(member.link)) is not None:
            logger.error("Rank %d failed: %s", member.rank, word.message)
            self._failure = word
            self._has_failed.set()

    def _see_end(self, member: Member) -> None:
        """Take the end of a rank that said nothing, unless it is how a rank ends that has done its work."""
        member.process.join(KILLED_S)  # its end is seen a moment before its exit code can be had
        code = member.process.exitcode
        if code == 0 or self._has_failed.is_set() or self._is_over.is_set():
            return
        logger.error("The process of rank %d ended with exit code %s.", member.rank, code)
        if code != RAISED:  # then its traceback is in the log, and the first rank's is as good
            self._failure = self._post_mortem.cause_of_death(code)
        self._has_failed.set()

    def _tear_first_away(self) -> None:
        if self._is_over.wait(FREE_S):
            return
        logger.error("The first rank still waits for the one that failed.")
        abort_group()
        if not self._is_over.wait(END_S):
            os._exit(STUCK)


@contextmanager
def other_ranks(job: TrainingJob) -> Iterator[Ranks]:
    """Start the other ranks of a job, if it has any; at the end of the block none of them is left."""
    world = job.spec.compute.device_count
    ranks = Ranks(ALONE, [], PostMortem(RunFolder(job.folder).log))
    if world == 1:
        yield ranks
        return
    port = free_port()
    ranks.first = Rank(0, world, port)
    try:
        for rank in range(1, world):
            ranks.members.append(_started(job, Rank(rank, world, port)))
        ranks.start_watch()
        yield ranks
    except BaseException:
        # Nobody comes to meet them any more.
        ranks.end(0)
        abort_group()
        raise
    else:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        ranks.end(END_S)


def _started(job: TrainingJob, rank: Rank) -> Member:
    # A fresh interpreter: a forked one could not use CUDA, nor locks that other threads held.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_join, args=(there, job, rank, os.getpid()))
    process.start()
    there.close()
    return Member(rank=rank.global_rank(), process=process, link=here)


def abort_group() -> None:
    """Leave the process group without the others: NCCL's own way to leave it would wait for them."""
    if not torch.distributed.is_initialized():
        return
    try:
        if torch.distributed.get_backend() == "nccl":
            distributed_c10d._abort_process_group()
        else:
            torch.distributed.destroy_process_group()
    except (RuntimeError, ValueError) as error:
        logger.warning("The process group could not be left: %s", error)


def _word(link: Connection) -> TrainyardError | None:
    """What a rank has said went wrong; None where it has said nothing."""
    try:
        return link.recv() if link.poll() else None
    except (EOFError, OSError):
        return None


class _SayAtOnce(Callback):
    """Tells the first rank what went wrong before anything is tidied up, which may wait for that rank."""

    def __init__(self, link: Connection) -> None:
        self._link = link

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if isinstance(exception, Exception) and (known := typed_error(exception)) is not None:
            _tell(self._link, known)


def _join(link: Connection, job: TrainingJob, rank: Rank, parent: int) -> None:
    """Train along, without a voice; what goes wrong is told to the first rank."""
    die_with_parent(parent)
    prepare_process(job.threads_per_rank)
    quiet_lightning()
    try:
        train(build_attempt(job, _unheard), _unheard, Signals, rank, [_SayAtOnce(link)])
    except EXPECTED as error:
        if (known := typed_error(error)) is None:
            raise
        _tell(link, known)
    # Lightning's collectives may not outlive the first rank; nothing is left to tidy up here.
    link.close()
    os._exit(0)


def _tell(link: Connection, error: TrainyardError) -> None:
    with suppress(OSError):  # the first rank has ended
        link.send(error)


def _unheard(event: Event) -> None:
    """Only the first rank reports."""


def free_port() -> int:
    """A loopback port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
