"""Reads the items of a set, here or in several processes; the outcomes come in order either way.

The processes are forked: they have the list of items at once, and need nothing imported. Each ends when this
process does, however that ends, because its end of a pipe then tells it.
"""

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from trainyard.errors import ChildDied
from workers.ingest.problems import Refused, shown
from workers.ingest.reading.item_reader import ItemReader, Outcome

MAX_PROCESSES = 4
"""More than these would not fit in the memory that ingest may take."""

FEW_ITEMS = 32
"""Fewer are read sooner than processes are started."""

_ORPHANED = 76
_GRACE_S = 5.0
_BUNDLE = 16
_BUNDLE_S = 0.2

_Indexed = tuple[int, Outcome]
LastFile = Callable[[int], str | None]
"""The file that the process of this id took last, None where it took none."""


def process_count(items: int, asked: int | None) -> int:
    """How many processes read so many items: as asked, else one for each core up to MAX_PROCESSES."""
    if asked is not None:
        return max(asked, 1)
    return 1 if items < FEW_ITEMS else min(len(os.sched_getaffinity(0)), MAX_PROCESSES)


def outcomes(reader: ItemReader, processes: int, last_file: LastFile) -> Iterator[Outcome]:
    """The outcome of each item, in order. Raises Refused or OSError as `ItemReader.next` does, ChildDied
    where a process crashed, with the file that it read."""
    if processes == 1:
        while (one := reader.next()) is not None:
            yield one[1]
        return
    waiting: dict[int, Outcome] = {}
    following = 0
    for index, outcome in _from_processes(reader, processes, last_file):
        waiting[index] = outcome
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _from_processes(reader: ItemReader, processes: int, last_file: LastFile) -> Iterator[_Indexed]:
    context = multiprocessing.get_context("fork")
    ours: list[Connection] = []
    workers: list[ForkProcess] = []
    try:
        for _ in range(processes):
            mine, theirs = context.Pipe()
            ours.append(mine)
            workers.append(context.Process(target=_work, args=(reader, theirs, list(ours)), daemon=False))
            workers[-1].start()
            theirs.close()
        yield from _received(ours, workers, last_file)
    finally:
        for connection in ours:
            connection.close()
        for worker in workers:
            worker.join(0 if worker.exitcode is None else _GRACE_S)
            worker.kill()
            worker.join()


def _received(ours: list[Connection], workers: list[ForkProcess], last_file: LastFile) -> Iterator[_Indexed]:
    """What the processes send until each has said that it is done."""
    busy = dict(zip(ours, workers, strict=True))
    while busy:
        ready = set(wait(busy))
        for connection in [one for one in busy if one in ready]:
            try:
                message = connection.recv()
            except EOFError as error:
                worker = busy[connection]
                worker.join(_GRACE_S)
                raise _died(worker, last_file) from error
            if message is None:
                del busy[connection]
            elif isinstance(message, OSError):
                raise message
            elif isinstance(message, dict):
                raise Refused(**message)
            else:
                yield from message


def _died(worker: ForkProcess, last_file: LastFile) -> ChildDied:
    file = None if worker.pid is None else last_file(worker.pid)
    place = "" if file is None else f" while it read {shown(file)} and its mask"
    return ChildDied(f"A process that read images ended with exit code {worker.exitcode}{place}.")


def _work(reader: ItemReader, connection: Connection, parents: list[Connection]) -> None:
    """A process: read items until none are left, and send what becomes of each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # looking through what was inherited would copy it
    for other in parents:
        other.close()  # else the end of the parent would not show
    threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()
    with suppress(BrokenPipeError):
        try:
            for some in _in_bundles(reader):
                connection.send(some)
            connection.send(None)
        except Refused as refusal:
            words = {"message": refusal.message, "remedy": refusal.remedy}
            connection.send({"problem_code": refusal.problem_code, **words})
        except OSError as error:
            connection.send(error)


def _in_bundles(reader: ItemReader) -> Iterator[list[_Indexed]]:
    """What becomes of the items, several at once: each message takes a core from a reader."""
    bundle: list[_Indexed] = []
    sent_at = time.monotonic()
    while (one := reader.next()) is not None:
        bundle.append(one)
        if len(bundle) == _BUNDLE or time.monotonic() - sent_at > _BUNDLE_S:
            yield bundle
            bundle, sent_at = [], time.monotonic()
    yield bundle


def _end_with_parent(connection: Connection) -> None:
    """Nothing is ever sent to these processes: what comes is the end."""
    with suppress(EOFError, OSError):
        connection.recv_bytes()
    os._exit(_ORPHANED)
