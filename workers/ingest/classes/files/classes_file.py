"""Files beside masks that name classes: classes.json, nnU-Net's dataset.json, lists such as labels.txt.

Of each form there is one parser; a file of another form is left out with a warning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workers.ingest.archive import Member
from workers.ingest.classes.files.class_file_names import Parse, rank_and_parser
from workers.ingest.classes.named_classes import NamedClasses, Unread
from workers.ingest.items import OtherNames, Source
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.text.text_files import decoded

LARGEST_CLASSES_FILE = 1 << 20
"""Bytes of such a file that are read."""

_MOST_FILES = 32


@dataclass(frozen=True, kw_only=True)
class ClassesFile:
    """What the file at a path says of classes."""

    said: NamedClasses
    path: str


def read_classes_files(source: Source, log: ProblemLog) -> Sequence[ClassesFile]:
    """What each file of the upload says that names classes, the first that counts: by its name, then by how
    near it lies to the upload's top.

    A file that should name classes and cannot be read is left out with a warning.
    """
    known = [(rank_and_parser(member.path), member) for member in source.members]
    called = [(*found, member) for found, member in known if found is not None]
    called.sort(key=lambda one: (one[0], _depth(one[3])))
    found = []
    for _, parse, is_called_so, member in called[:_MOST_FILES]:
        said = _read(source, member, parse, log if is_called_so else ProblemLog())
        if said is not None:
            found.append(ClassesFile(said=said, path=member.path))
    return found


def other_names(files: Sequence[ClassesFile]) -> tuple[OtherNames, ...]:
    """What the files behind the first one say, where it is something else."""
    return tuple(
        OtherNames(names=one.said.names, listed=one.said.listed, file=one.path)
        for one in files[1:]
        if (one.said.names, one.said.listed) != (files[0].said.names, files[0].said.listed)
    )


def _depth(member: Member) -> tuple[int, str]:
    return member.path.count("/"), member.path


def _read(source: Source, file: Member, parse: Parse, log: ProblemLog) -> NamedClasses | None:
    try:
        if file.size > LARGEST_CLASSES_FILE:
            raise Unread(f"it has {file.size} bytes, at most {LARGEST_CLASSES_FILE} are read")
        text, encoding = decoded(source.read(file))
        said = parse(text)
        if said is not None and encoding is not None:
            log.warning(
                "text_encoding_guessed",
                file.path,
                f"The file is no UTF-8 text and is read as {encoding}.",
                "Look at the names of the classes; if they are wrong, save the file as UTF-8.",
            )
        return said
    except UnicodeDecodeError:
        what = "it is no text"
    except Unread as unread:
        what = str(unread)
    except Refused as refusal:
        what = refusal.message
    log.warning(
        "classes_file",
        file.path,
        f"The file is not read as names of classes, and is left out: {what.rstrip('.')}.",
        'Write it as {"classes": [{"id": 0, "name": "background"}, ...]}, with different ids from 0 to 255, '
        "or as one name a line; or name the classes in the option `classes`.",
    )
    return None
