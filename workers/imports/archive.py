"""The archive of an experiment: which of its files are taken, and nothing else of it.

It is read as that of a data set is, within the same limits and with the same refusals; files are known by the
names that Trainyard gives them, and what has another one is passed over.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import InvalidRequest
from trainyard.storage.errors import storage_error
from workers.ingest.archive import ArchiveLimits, Member
from workers.ingest.items import Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.upload.open import open_source

MAX_FILES = 10_000
PIECE = 1 << 20
RECORD = "run.json"
_KNOWN = re.compile(
    r"""(?:run\.json|metrics\.json|events\.jsonl|report\.json|report\.html
        |checkpoints/(?:best|last|epoch=\d{3,9})\.ckpt
        |logs/training\.log
        |tensorboard/events\.out\.tfevents\.[\w.-]{1,150}
        |figures/\w[\w.-]{0,100}\.(?:png|svg)
        |export/(?:card\.json|model(?:\.fp16|\.int8)?\.onnx)
    )\Z""",
    re.ASCII | re.VERBOSE,
)
"""Files of a run's folder by their paths in it. Whatever has such a path lies in that folder."""


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A file that was taken out of the archive: where it lies, its bytes, and its SHA-256 in hexadecimal."""

    path: Path
    bytes: int
    sha256: str


class ExperimentFiles:
    """The files of an experiment in its archive, by their paths in its folder."""

    def __init__(self, source: Source, found: Mapping[str, Member]) -> None:
        self._source = source
        self._found = found

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def below(self, folder: str) -> list[str]:
        """Those in a folder, sorted."""
        return sorted(name for name in self._found if name.startswith(f"{folder}/"))

    def text(self, name: str, most: int) -> str:
        """A text; raises InvalidRequest for one that is absent, longer than `most` bytes, or no UTF-8."""
        member = self._found.get(name)
        if member is None:
            raise unusable(name, "It is not in the archive.")
        if member.size > most:
            raise unusable(name, f"It has {member.size} bytes, and at most {most} are read.")
        with refusals(name):
            content = self._source.read(member)
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise unusable(name, "It is no text in UTF-8.") from error

    def copy(self, name: str, target: Path) -> Copied:
        """Take a file out; raises InvalidRequest where it is damaged, and StorageUnavailable."""
        digest, size = hashlib.sha256(), 0
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with refusals(name), self._source.open(self._found[name]) as source, target.open("xb") as file:
                while piece := source.read(PIECE):
                    digest.update(piece)
                    size += file.write(piece)
        except OSError as error:
            raise storage_error(f"{target.name} could not be written", error) from error
        return Copied(path=target, bytes=size, sha256=digest.hexdigest())


@contextmanager
def opened(archive: Path, max_bytes: int) -> Iterator[ExperimentFiles]:
    """The files of an experiment; those that have to be unpacked to be read lie beside the archive meanwhile.

    Raises InvalidRequest for what is no archive, one that takes more than `max_bytes`, that names files
    outside it, or that holds no experiment, and StorageUnavailable.
    """
    limits = ArchiveLimits(files=MAX_FILES, total_bytes=max_bytes, file_bytes=max_bytes)
    log = ProblemLog()
    try:
        with refusals("the archive"), open_source(archive, None, archive.parent, limits, log) as source:
            _refuse_problems(log)
            yield ExperimentFiles(source, _known(source))
    except OSError as error:
        raise storage_error("The archive could not be read", error) from error


def _refuse_problems(log: ProblemLog) -> None:
    problems = [one for one in log.problems() if one.severity == "error"]
    if problems:
        told = [f"{one.file}: {one.message}" if one.file else one.message for one in problems]
        raise InvalidRequest(told[0], remedy=problems[0].remedy, errors={"file": told})


def _known(source: Source) -> dict[str, Member]:
    """The files that are known, by path in the experiment's folder, which is the archive or the one in it."""
    records = [one.path for one in source.members if one.path.endswith(RECORD) and one.path.count("/") <= 1]
    tops = [path.removesuffix(RECORD) for path in records if path.removesuffix(RECORD)[-1:] in ("", "/")]
    if len(tops) != 1:
        raise InvalidRequest(
            f"The archive holds {len(tops) or 'no'} experiments.",
            remedy=f"Send the folder of one, with its {RECORD} at the top or in one folder.",
            errors={"file": [f"one {RECORD}"]},
        )
    below = {one.path.removeprefix(tops[0]): one for one in source.members if one.path.startswith(tops[0])}
    return {path: one for path, one in below.items() if _KNOWN.match(path)}


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """What is refused in an archive is what a client has sent."""
    try:
        yield
    except Refused as error:
        raise InvalidRequest(
            f"{name}: {error.message}", remedy=error.remedy, errors={"file": [f"{name}: {error.message}"]}
        ) from error


def unusable(name: str, why: str) -> InvalidRequest:
    """What to raise for a file that is not what it should be."""
    return InvalidRequest(
        f"{name} of the experiment cannot be used: {why}",
        remedy="Send the folder as `trainyard train` has left it, whole.",
        errors={"file": [f"{name}: {why}"]},
    )
