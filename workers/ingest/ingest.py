"""From an uploaded zip to the form that training reads; each pixel is decoded once.

The values of all masks are known only at the end of that one pass, so masks are written as sent, counted on
the way, and recoded to class indices in place afterwards.
"""

import hashlib
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trainyard.datasets import DatasetSummary, IngestOptions, Problem
from trainyard.errors import StorageUnavailable
from trainyard.storage import DatasetFolder
from workers.ingest import classes, splits
from workers.ingest.archive import Archive, ArchiveLimits
from workers.ingest.masks import WHITE
from workers.ingest.pairing import pair
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.reader import PairReader, Progress
from workers.ingest.statistics import Reading, class_infos, content_hash, size_counts
from workers.prepared import PreparedWriter

CLASSES_FILE = "classes.json"
LARGEST_CLASSES_FILE = 1 << 20
"""Bytes of a classes.json that are read."""

DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True, kw_only=True)
class IngestResult:
    """What became of an upload; `summary` is None when the set is unusable, and `problems` say why."""

    summary: DatasetSummary | None
    problems: tuple[Problem, ...]


def ingest(
    upload: Path,
    folder: Path,
    options: IngestOptions,
    progress: Progress,
    limits: ArchiveLimits = DEFAULT_LIMITS,
) -> IngestResult:
    """Read the zip `upload` and write `prepared/` in the data set's `folder`, whole or not at all.

    `progress` is called now and then with the pairs done and their total. What is wrong with the upload is
    answered as problems, never raised; StorageUnavailable is raised where the storage fails. An earlier
    result in `folder` is removed first.
    """
    log = ProblemLog()
    target = DatasetFolder(folder).prepared
    work = folder / f".prepared-{secrets.token_hex(4)}"
    summary = None
    try:
        _clear(folder)
        try:
            with Archive(upload, limits, log) as archive:
                if not log.has_errors:
                    summary = _build(archive, work, options, progress, log)
        except Refused as refusal:
            log.refused(None, refusal)
        if summary is not None:
            work.replace(target)
    except OSError as error:
        raise StorageUnavailable(f"The data set could not be prepared: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return IngestResult(summary=summary, problems=log.problems())


def _clear(folder: Path) -> None:
    """Remove what an earlier try left."""
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in (*folder.glob(".prepared-*"), *folder.glob("prepared")):
        shutil.rmtree(leftover)


def _build(
    archive: Archive, work: Path, options: IngestOptions, progress: Progress, log: ProblemLog
) -> DatasetSummary | None:
    """Read, check and write the set into the new folder `work`; None, errors logged, where it is unusable."""
    declared = _declared(archive, options, log)
    pairs = pair(archive.members, log)
    if not pairs:
        return None
    split_of: dict[str, str] = {}
    if not log.has_errors:  # of half the pairs, the splits would mislead
        split_of = splits.assign({found.name: found.split for found in pairs}, options, log)
    with PreparedWriter(work) as writer:
        reader = PairReader(archive, writer, log, white=_white(declared))
        reader.read(pairs, progress)
        rules = _class_rules(declared, options, reader.readings, log)
        if rules is None or log.has_errors:
            return None
        return _finish(rules, split_of, reader, writer)


def _declared(archive: Archive, options: IngestOptions, log: ProblemLog) -> classes.ClassRules | None:
    """The classes that the client names, or else the classes.json nearest to the archive's top."""
    file = None
    if options.classes is None:
        named = [m for m in archive.members if PurePosixPath(m.path).name.lower() == CLASSES_FILE]
        file = min(named, key=lambda member: member.path.count("/"), default=None)
    try:
        if file is not None and file.size > LARGEST_CLASSES_FILE:
            raise Refused("classes_file", f"It has {file.size} bytes.", "Send a list of 255 classes at most.")
        return classes.declared(options, archive.read(file) if file else None)
    except Refused as refusal:
        log.refused(file.path if file else None, refusal)
        return None


def _white(declared: classes.ClassRules | None) -> int:
    """The value of white in masks of one bit: 1 where the declared classes have 1 and not 255."""
    names = declared.names if declared else {}
    return 1 if 1 in names and WHITE not in names else WHITE


def _class_rules(
    declared: classes.ClassRules | None, options: IngestOptions, readings: list[Reading], log: ProblemLog
) -> classes.ClassRules | None:
    rules = declared
    if declared is not None:
        classes.check(declared, readings, log)
    elif not log.has_errors:  # of half a set, wrong classes would be found
        rules = classes.find(options.ignore_value, readings, log)
    if rules is not None and not log.has_errors:
        classes.check_variety(rules, readings, log)
    return rules


def _finish(
    rules: classes.ClassRules, split_of: Mapping[str, str], reader: PairReader, writer: PreparedWriter
) -> DatasetSummary:
    """Recode the masks and write the index; the set is sound."""
    prepared = rules.prepared()
    mask_sha256 = {
        name: hashlib.sha256(mask).hexdigest() for name, mask in writer.recode_masks(rules.table())
    }
    digest = content_hash(prepared, reader.readings, split_of, mask_sha256)
    mean, std = reader.channels.result()
    writer.finish(split_of, prepared, mean, std, digest)
    infos, ignore_share = class_infos(prepared, reader.readings)
    return DatasetSummary(
        content_hash=digest,
        images=len(reader.readings),
        splits=splits.counts(split_of),
        classes=infos,
        ignore_share=ignore_share,
        sizes=size_counts(reader.readings),
        mean=mean,
        std=std,
    )
