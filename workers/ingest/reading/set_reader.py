"""Reads all items of a set, in several processes, and tells how far that is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import ImageObjects, Item, Source
from workers.ingest.pictures.decode import single_threaded
from workers.ingest.problems import ProblemLog
from workers.ingest.reading.deep_images import DeepImages, DeepSpool
from workers.ingest.reading.item_reader import ItemReader
from workers.ingest.reading.noted_order import NotedTurns
from workers.ingest.reading.parallel import outcomes, process_count
from workers.ingest.reading.process_memory import keep_freed_memory
from workers.ingest.reading.statistics import SampleCounts
from workers.prepared.version import PreparedWriter, Sample

MAX_PREPARED_PIXELS = 125 * (1 << 30)
"""Pixels of a prepared set, 4 bytes each; an upload's size bounds them not, as plain pictures pack well."""

LARGE_PIXELS = 24_000_000
"""Pixels of the images that several processes may hold at once beside one larger one."""

Progress = Callable[[int, int], None]
ReadsNext = Callable[[str | None], None]
"""Told of the image that this process reads next, None when it has read all; never where others read."""


class SetReader:
    """Reads the items of one set; `work` is the folder that takes what is put aside meanwhile."""

    def __init__(
        self,
        work: Path,
        options: IngestOptions,
        progress: Progress,
        log: ProblemLog,
        processes: int | None,
        reads_next: ReadsNext,
    ) -> None:
        """The arguments of `pipeline.ingest`."""
        self._work = work
        self._options = options
        self._progress = progress
        self._log = log
        self._processes = processes
        self._reads_next = reads_next

    def read(
        self, source: Source, items: Sequence[Item], writer: PreparedWriter, *, sketched: bool
    ) -> tuple[list[SampleCounts], list[Sample], set[str]]:
        """Decode and write all; what was seen of those that are sound, and the names of flat images.

        Only where images are `sketched` can those of several splits be compared.
        """
        processes = process_count(len(items), self._processes)
        turns = NotedTurns(len(items), MAX_PREPARED_PIXELS, processes)
        spool = DeepSpool(self._work)
        deep = DeepImages(spool)
        alone = LARGE_PIXELS // processes
        largest = self._options.max_side
        reader = ItemReader(
            source, items, writer, turns, spool, max_side=largest, alone=alone, sketched=sketched
        )

        def last_file(pid: int) -> str | None:
            index = turns.last(pid)
            return None if index is None else items[index].image.path

        def tell_next(done: int) -> None:
            if processes == 1:
                self._reads_next(items[done].image.path if done < len(items) else None)

        readings: list[SampleCounts] = []
        samples: list[Sample] = []
        flat: set[str] = set()
        step = max(len(items) // 100, 1)
        self._progress(0, len(items))
        tell_next(0)
        keep_freed_memory()
        with single_threaded():
            for done, outcome in enumerate(outcomes(reader, processes, last_file), start=1):
                self._log.extend(outcome.problems)
                if outcome.reading is not None and outcome.sample is not None:
                    deep.add(len(readings), outcome.deep)
                    readings.append(outcome.reading)
                    samples.append(_with_objects(outcome.sample, outcome.objects, writer))
                    flat |= {outcome.sample.name} if outcome.is_flat else set()
                if done % step == 0 or done == len(items):
                    self._progress(done, len(items))
                tell_next(done)
        return deep.settled(readings, writer, self._log), samples, flat


def _with_objects(sample: Sample, found: ImageObjects | None, writer: PreparedWriter) -> Sample:
    """The sample with the place of its objects, which are written."""
    if found is None:
        return sample
    first = writer.write_objects(found.objects, found.outlines)
    return replace(sample, first_object=first, objects=len(found.objects))
