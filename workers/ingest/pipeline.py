"""From an upload to the form that training reads; each pixel is decoded once.

The values of all masks are known only at the end of that one pass, so masks are written as sent, counted on
the way, and recoded to class indices in place afterwards.
"""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainyard.datasets.record import DatasetSummary, IngestOptions, Interpretation, Problem, Question
from trainyard.storage.errors import storage_error
from trainyard.storage.files import DatasetFolder
from workers.ingest import prepared_boxes
from workers.ingest.archive import ArchiveLimits
from workers.ingest.classes import class_rules as classes
from workers.ingest.classes import multilabel
from workers.ingest.classes.files.class_folders import ask_class_folders
from workers.ingest.classes.similar_names import warn_of_like_files
from workers.ingest.decision.class_decision import ClassDecision
from workers.ingest.decision.object_values import object_values
from workers.ingest.decision.value_map import LabelMap
from workers.ingest.formats.choice import read_set
from workers.ingest.items import Annotations, FoundSet, Item, LabelledSet, Source
from workers.ingest.labels import prepared_labels
from workers.ingest.labels.label_checks import check_labels, check_parts
from workers.ingest.pictures.flat_images import ask_flat_images
from workers.ingest.prepared_instances import with_objects
from workers.ingest.prepared_masks import recode_masks
from workers.ingest.prepared_objects import check_lost
from workers.ingest.prepared_set import finish
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.question_previews import write_previews
from workers.ingest.reading.dark_images import warn_of_dark_images
from workers.ingest.reading.masks_as_images import report_masks_as_images
from workers.ingest.reading.process_memory import imports_frozen
from workers.ingest.reading.set_reader import Progress, ReadsNext, SetReader
from workers.ingest.reading.statistics import SampleCounts
from workers.ingest.splits import assignment as splits
from workers.ingest.splits.look_alikes import warn_of_look_alikes
from workers.ingest.splits.told_splits import Told, told_splits
from workers.ingest.upload.nested import UNPACKED
from workers.ingest.upload.open import Upload, open_source
from workers.ingest.upload.unread_files import report_unread
from workers.prepared.version import PreparedWriter, Sample

MAX_IMAGES = 120_000
"""Images of a set: what is known of each is in memory, at the peak 3,500 bytes."""

DEFAULT_LIMITS = ArchiveLimits()

_WORK = ".prepared-"


@dataclass(frozen=True, kw_only=True)
class IngestResult:
    """What became of an upload; `summary` is None when the set is unusable, and `problems` say why, or when
    `questions` wait for an answer.

    `proposed_label_map` would make masks fit the named classes where they do not: mask values as sent, and
    the values that they should count as, None for no class.
    """

    summary: DatasetSummary | None
    problems: tuple[Problem, ...]
    proposed_label_map: LabelMap | None = None
    questions: tuple[Question, ...] = ()


def ingest(
    upload: Upload,
    folder: Path,
    options: IngestOptions,
    progress: Progress,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    *,
    annotation: tuple[Path, str] | None = None,
    processes: int | None = None,
    reads_next: ReadsNext = lambda _: None,
) -> IngestResult:
    """Read `upload`, an archive, a folder or several parts, and write a version into the data
    set's `folder`, whole or not.

    `annotation` is a file that belongs to the upload, with its name on the client's side. `progress` is
    called now and then with the images done and their total. `processes` read images, by default one for
    each core up to a bound; the result is the same. `reads_next` tells which file a crash of
    this process would be the fault of. What is wrong with the upload is answered as problems, never raised;
    StorageUnavailable is raised where the storage fails, ChildDied where a file crashes another process that
    reads it. A version of the same content is kept as it is.
    """
    log = ProblemLog(options.on_question)
    work = folder / f"{_WORK}{secrets.token_hex(4)}"
    build = _Build(work, options, log, SetReader(work, options, progress, log, processes, reads_next))
    summary = None
    try:
        _clear(folder)
        try:
            named = options.names_encoding
            with imports_frozen(), open_source(upload, annotation, folder, limits, log, named) as source:
                if not log.has_errors:
                    summary = build.run(source)
                    report_unread(source, log)
                if not log.has_errors:
                    write_previews(log.offers(), DatasetFolder(folder).previews)
        except Refused as refusal:
            log.refused(None, refusal)
        if summary is not None:
            _keep(work, DatasetFolder(folder).version(summary.content_hash))
    except OSError as error:
        raise storage_error("The data set could not be prepared", error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return IngestResult(
        summary=summary,
        problems=log.problems(),
        proposed_label_map=build.proposed,
        questions=() if log.has_errors else log.questions(),
    )


def _clear(folder: Path) -> None:
    """Remove what an earlier try left half done, and what shows its questions."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(DatasetFolder(folder).previews, ignore_errors=True)
    for leftover in folder.glob(f"{_WORK}*"):
        shutil.rmtree(leftover)
    for leftover in folder.glob(f"{UNPACKED}*"):
        leftover.unlink()


def _keep(work: Path, version: Path) -> None:
    version.parent.mkdir(exist_ok=True)
    if not (version / "index.json").exists():
        work.replace(version)


class _Build:
    """Reads, checks and writes one set into the new folder `work`."""

    def __init__(self, work: Path, options: IngestOptions, log: ProblemLog, reader: SetReader) -> None:
        self.proposed: LabelMap | None = None
        self._work = work
        self._options = options
        self._log = log
        self._reader = reader

    def run(self, source: Source) -> DatasetSummary | None:
        """The summary; None where the set is unusable or leaves something open, errors and questions logged.

        What is open about the files is asked before any pixel is read. Raises Refused, OSError, ChildDied.
        """
        form, found = read_set(source, self._options, self._log)
        if found is None or not found.items or self._log.is_blocked():
            return None
        told = told_splits(found.items, source, self._options, self._log)
        if self._log.is_blocked():
            return None
        found = replace(found, items=told.items)
        if len(found.items) > MAX_IMAGES:
            raise Refused(
                "set_too_large",
                f"The set has {len(found.items)} images; at most {MAX_IMAGES} are read.",
                "Send it as several sets, or leave images out.",
            )
        warn_of_like_files(found.items, self._log)
        if isinstance(found, LabelledSet):
            return self._labelled(form.name, found, told, source)
        if "masks" not in found.kinds:
            return self._boxed(form.name, found, told, source)
        return self._masked(form.name, found, told, source, may_have_flat=isinstance(form, Annotations))

    def _labelled(self, form: str, found: LabelledSet, told: Told, source: Source) -> DatasetSummary | None:
        """The summary of a set of labels; as `run`."""
        with PreparedWriter(self._work, prepared_labels.KINDS) as writer, writer.flushing():
            readings, samples, _ = self._read(source, found, told, writer)
            warn_of_dark_images(readings, self._log)
            check_labels(found.names, readings, found.task, self._log)
            if self._log.is_blocked():
                return None
            plan = self._placed(found.items, told.origin, dict(enumerate(found.names)), readings)
            if plan is None:
                return None
            check_parts(dict(enumerate(found.names)), readings, plan.places, self._log)
            if self._log.is_blocked():
                return None
            summary = prepared_labels.finish(found, readings, samples, plan.places, writer)
            return replace(summary, reading=self._told(form, found, found.classes, plan.origin))

    def _boxed(self, form: str, found: FoundSet, told: Told, source: Source) -> DatasetSummary | None:
        """The summary of a set of boxes without masks; as `run`."""
        with PreparedWriter(self._work, found.kinds) as writer, writer.flushing():
            readings, samples, _ = self._read(source, found, told, writer)
            warn_of_dark_images(readings, self._log)
            check_lost(readings, self._log)
            if self._log.is_blocked():
                return None
            values = object_values(found, self._options, readings, self._log)
            if values is None:
                return None
            mapped = values.mapped(readings)
            plan = self._placed(found.items, told.origin, values.names, mapped)
            if plan is None:
                return None
            check_parts(values.names, mapped, plan.places, self._log)
            if self._log.is_blocked():
                return None
            summary = prepared_boxes.finish(values, readings, samples, plan.places, writer)
            classes = "the option `classes`" if self._options.classes else found.classes or "named"
            return replace(summary, reading=self._told(form, found, classes, plan.origin))

    def _masked(
        self, form: str, found: FoundSet, told: Told, source: Source, *, may_have_flat: bool
    ) -> DatasetSummary | None:
        """The summary of a set of masks; as `run`."""
        decision = ClassDecision(source, found, self._options, self._log)
        made = PreparedWriter(self._work, found.kinds, mask_planes=found.mask_planes)
        with made as writer, writer.flushing():
            annotated = found.items if may_have_flat else []
            paths = {item.name: item.image.path for item in annotated}
            readings, samples = self._images(paths, *self._read(source, found, told, writer))
            warn_of_dark_images(readings, self._log)
            stored = multilabel.bit_fields(readings) if found.bit_fields else multilabel.ONE_VALUE
            sent = [reading.mapped(stored) for reading in readings]
            applied = decision.applied(sent, lambda number: writer.mask(samples[number]))
            self.proposed = decision.proposed
            if self._log.questions():
                return None
            shown = multilabel.meanings(stored, applied)
            rules, shown = multilabel.settled(decision.rules, shown, readings, self._options, self._log)
            mapped = [reading.mapped(shown) for reading in readings]
            check_lost(mapped, self._log)
            rules = decision.checked(rules, applied, sent, mapped)
            self.proposed = decision.proposed
            if rules is not None and found.class_folders and self._shows_one_class(rules):
                ask_class_folders(found.class_folders, self._log)
            if rules is None or self._log.has_errors:
                return None
            plan = self._placed(found.items, told.origin, rules.names, mapped)
            if plan is None:
                return None
            if decision.are_objects and "boxes" not in writer.kinds:
                mapped, samples = with_objects(mapped, samples, applied, writer)
            table = recode_masks(rules, shown, applied, readings, writer)
            summary = finish(rules, table, applied, mapped, samples, plan.places, writer)
            classes_from = "the option `classes`" if self._options.classes else found.classes or rules.origin
            return replace(summary, reading=self._told(form, found, classes_from, plan.origin))

    def _read(
        self, source: Source, found: FoundSet | LabelledSet, told: Told, writer: PreparedWriter
    ) -> tuple[list[SampleCounts], list[Sample], set[str]]:
        """See `SetReader.read`."""
        has_splits = bool(told.origin) or self._options.splits is not None
        return self._reader.read(source, found.items, writer, sketched=has_splits)

    def _shows_one_class(self, rules: classes.ClassRules) -> bool:
        """Whether masks show one class and background, which nobody has named."""
        told = (self._options.class_folders, self._options.classes, self._options.label_map)
        return told == (None, None, None) and rules.task == "multiclass" and len(rules.names) == 2

    def _told(
        self, form: str, found: FoundSet | LabelledSet, classes_from: str, splits_from: str
    ) -> Interpretation:
        return Interpretation(
            format=form,
            pairs=found.pairs,
            classes=classes_from,
            splits=splits_from,
            guesses=tuple(self._log.guesses),
        )

    def _images(
        self, paths: Mapping[str, str], readings: list[SampleCounts], samples: list[Sample], flat: set[str]
    ) -> tuple[list[SampleCounts], list[Sample]]:
        """Those that are images: a few flat ones among photographs may be masks in the wrong place. `paths`
        are the files that annotations name as images, by the names of items."""
        if not flat or self._options.flat_images == "use":
            return readings, samples
        if 2 * len(flat) > len(samples):
            report_masks_as_images([path for name, path in paths.items() if name in flat], self._log)
            return readings, samples
        if (
            self._options.flat_images is None
            and ask_flat_images(sorted(flat), len(samples), self._log) == "use"
        ):
            return readings, samples
        return [one for one in readings if one.name not in flat], [
            one for one in samples if one.name not in flat
        ]

    def _placed(
        self, items: Sequence[Item], told: str, names: Mapping[int, str], mapped: Sequence[SampleCounts]
    ) -> splits.SplitPlan | None:
        """Where each sample is used; None where that cannot be or is asked. `told` as `Told.origin`;
        `names` are those of the values or labels that count."""
        by_name = {item.name: item for item in items}
        shared: dict[frozenset[int], frozenset[int]] = {}
        candidates = []
        for reading in mapped:
            item = by_name[reading.name]
            labels = frozenset(reading.values).intersection(names)
            candidate = splits.Candidate(
                name=reading.name,
                file=item.image.path,
                given=item.split,
                given_fold=item.fold,
                classes=shared.setdefault(labels, labels),
                digest=reading.image_sha256,
            )
            candidates.append(candidate)
        plan = splits.assign(candidates, self._options, self._log, told, names)
        if told or self._options.splits is not None:
            placed = {one.name: (one.file, plan.places[one.name].split) for one in candidates}
            sketches = {placed[reading.name][0]: reading.sketch for reading in mapped}
            warn_of_look_alikes(sketches, dict(placed.values()), self._log)
        return None if self._log.is_blocked() else plan
