"""Finds the files of an upload that an annotation cites by a name or a path of the machine it was made on."""

import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.folder_kinds import FolderKinds
from workers.ingest.formats.annotations.image_folders import ImageFolders
from workers.ingest.formats.annotations.split_names import file_split
from workers.ingest.items import Read
from workers.ingest.paths.layout import PICTURES
from workers.ingest.paths.patterns import matching
from workers.ingest.pictures.appearance import look_at
from workers.ingest.problems import ProblemLog, Refused, shown

ALL = IngestOptions()

_MOST_RIVALS = 20
"""Pictures between which folders can decide; more have the name of each image of something else."""


class CitedFiles:
    """The pictures of an upload, found by what annotations call them.

    Case, Unicode form, slashes and drives do not count; of an address on the web its path does.
    Of the members of that file name, the one wins whose
    path shares the longest end with the referenced path; then one that lies in no folder of masks or
    drawings, then one of the split that the citing file is of, then the one that is referenced from the
    folder of that file, then the one nearest to it. Of equals, `ImageFolders` may choose.
    """

    def __init__(
        self, members: Iterable[Member], options: IngestOptions = ALL, read: Read | None = None
    ) -> None:
        """The options `images` and `masks` say which pictures can be referenced.

        `read` is to look at pictures, as to compare copies in several folders; without it, none of these is
        chosen.
        """
        self._by_name: defaultdict[str, list[Member]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[Member]] = defaultdict(list)
        self._left_out: set[str] = set()
        self._renamed: list[tuple[str, str]] = []
        self._redirected: list[tuple[str, str]] = []
        self._photos: dict[str, bool] = {}
        self._read = read
        self._chosen: set[str] = set()
        found = pictures_of(members)
        kept = citable(found, options)
        self._kinds = FolderKinds(found)
        taken = {member.path for member in kept}
        for member in found:
            path = PurePosixPath(_plain(member.path))
            if member.path in taken:
                self._by_name[path.name].append(member)
                self._by_stem[path.stem].append(member)
            else:
                self._left_out.add(path.stem)
        self._members = kept
        self._folders = None if read is None else ImageFolders(kept, self._kinds, read)

    def beside(self, images: Iterable[Member]) -> list[Member]:
        """The pictures that can be referenced and lie in the folders of these images."""
        folders = {posixpath.dirname(image.path) for image in images}
        return [member for member in self._members if posixpath.dirname(member.path) in folders]

    def expect(self, referenced: Iterable[str]) -> None:
        """Tell what is going to be referenced, so that the folder which has most of it is taken for all."""
        names = {self._name(one) for one in referenced}
        if self._folders is not None:
            self._folders.expect(self._by_name[name] for name in names & self._by_name.keys())

    def find(self, referenced: str, citing: str) -> Member | None:
        """The picture that the file at the path `citing` calls `referenced`; None where there is none.

        Raises Refused where several could be meant.
        """
        referenced = self._path(referenced)
        name = PurePosixPath(_plain(referenced)).name
        members = self._by_name.get(name, [])
        images = [member for member in members if self._kinds.has_images(member.path)]
        if not images:
            images = self._of_another_ending(name, are_masks=bool(members)) or members
        found = self._nearest(images, referenced, citing)
        if found is not None and not _is_end_of(found.path, referenced):
            self._note_another(found, members, referenced)
        return found

    def _of_another_ending(self, name: str, *, are_masks: bool) -> list[Member]:
        """The images of this name but for its ending, which no picture has, or masks alone."""
        alike = self._by_stem.get(PurePosixPath(name).stem, [])
        if are_masks:
            return [member for member in alike if self._kinds.is_called_images(member.path)]
        return [member for member in alike if self._kinds.has_images(member.path) and self._is_photo(member)]

    def _is_photo(self, member: Member) -> bool:
        """Whether the pictures of a folder, of which one is looked at, are no masks by their look."""
        folder = posixpath.dirname(member.path)
        if folder not in self._photos:
            try:
                seen = None if self._read is None else look_at(self._read(member))
            except Refused:
                seen = None
            self._photos[folder] = seen is None or not (seen.is_telling and seen.is_labels)
        return self._photos[folder]

    def _note_another(self, found: Member, named: Sequence[Member], referenced: str) -> None:
        """Keep what is to be said of an image that is not the file which is referenced."""
        if found not in named:
            self._renamed.append((referenced, found.path))
        elif any(_is_end_of(one.path, referenced) for one in named):
            self._redirected.append((referenced, found.path))

    def find_stem(self, referenced: str, citing: str) -> Member | None:
        """As `find`, for a path without the ending of the file's name."""
        referenced = self._path(referenced)
        return self._nearest(
            self._by_stem.get(PurePosixPath(_plain(referenced)).name, []), referenced, citing
        )

    def leaves_out(self, referenced: str) -> bool:
        """Whether the picture called `referenced` is there, and the client's options leave it out."""
        return PurePosixPath(self._name(referenced)).stem in self._left_out

    def _name(self, referenced: str) -> str:
        return PurePosixPath(_plain(self._path(referenced))).name

    def _path(self, referenced: str) -> str:
        """The path of an address, decoded: `https://host/a%20b.png?size=9` is `/a b.png`. A path alone is
        decoded where no picture is called as it stands."""
        if "://" in referenced:
            return unquote(urlsplit(referenced).path)
        if "%" in referenced and PurePosixPath(_plain(referenced)).name not in self._by_name:
            return unquote(referenced)
        return referenced

    def report_unlisted(self, listed: Container[str], log: ProblemLog) -> None:
        """Warn of the pictures whose paths are not among those that annotations list.

        Masks and drawings of listed pictures are not meant: they are no images. Of several pictures of one
        name, say which were taken, or ask.
        """
        self._settle(log)
        pictures = [member.path for members in self._by_name.values() for member in members]
        unlisted = sorted(
            path for path in pictures if path not in listed and not self._shows_listed(path, listed)
        )
        for path in unlisted:
            log.warning(
                "image_unlisted",
                path,
                "The picture is in no annotation and is left out.",
                "Nothing, if it does not belong to the set; else annotate it.",
            )

    def _settle(self, log: ProblemLog) -> None:
        """Say which of several pictures of one name were taken, and ask where that is open."""
        if self._folders is not None:
            self._folders.settle(log)
        if self._renamed:
            referenced, taken = self._renamed[0]
            log.guess(
                f"{len(self._renamed)} pictures are referenced by names that no image has; images of other "
                f"endings are read, such as {shown(taken)} for {shown(referenced)}."
            )
        if self._redirected:
            referenced, taken = self._redirected[0]
            log.guess(
                f"{len(self._redirected)} pictures are referenced by the paths of masks; images of the same "
                f"names are read, such as {shown(taken)} for {shown(referenced)}."
            )

    def _shows_listed(self, path: str, listed: Container[str]) -> bool:
        stem = PurePosixPath(_plain(path)).stem
        return not self._kinds.has_images(path) and any(one.path in listed for one in self._by_stem[stem])

    def _nearest(self, members: list[Member], referenced: str, citing: str) -> Member | None:
        if not members:
            return None
        rivals = members if len(members) == 1 else self._best(members, referenced, citing)
        folders = self._folders
        if len(rivals) == 1:
            if folders is not None:
                folders.settled(rivals[0])
            return rivals[0]
        if folders is None or len(rivals) > _MOST_RIVALS or rivals[0].path in self._chosen:
            raise _ambiguous(referenced, rivals)
        taken = folders.choose(rivals)
        if taken is None:
            raise _ambiguous(referenced, rivals)
        self._chosen.update(one.path for one in rivals)
        return taken

    def _best(self, members: list[Member], referenced: str, citing: str) -> list[Member]:
        """Those that fit a citation best, and none that lies below the folder of another."""
        wanted, place = _parts(referenced), _parts(citing)
        beside = _plain(posixpath.normpath(posixpath.join(posixpath.dirname(citing), referenced)))
        split = file_split(citing)
        ranks = [
            (
                _common(wanted[::-1], folders[::-1]),
                self._kinds.has_images(member.path),
                split is not None and file_split(posixpath.dirname(member.path)) == split,
                _without_ending(member.path, beside) == beside,
                _common(place, folders),
            )
            for member, folders in ((one, _parts(one.path)) for one in members)
        ]
        best = max(ranks)
        rivals = [one for one, rank in zip(members, ranks, strict=True) if rank == best]
        return rivals if len(rivals) > _MOST_RIVALS else _uppermost(rivals)


def pictures_of(members: Iterable[Member]) -> list[Member]:
    """The members that are pictures by the endings of their names."""
    return [member for member in members if posixpath.splitext(member.path)[1].casefold() in PICTURES]


def citable(pictures: list[Member], options: IngestOptions) -> list[Member]:
    """The pictures that the client's patterns let be images."""
    paths = [member.path for member in pictures]
    if options.images is not None:
        fitting = matching(options.images, paths)
        return [member for member in pictures if member.path in fitting]
    masks = set() if options.masks is None else matching(options.masks, paths)
    return [member for member in pictures if member.path not in masks]


def image_missing(referenced: str) -> Refused:
    """An annotation is there for an image that is not."""
    return Refused(
        "image_missing",
        f"The image {shown(referenced)} is not in the upload; its annotation is left out.",
        "Add the image, or take its annotation out.",
    )


def report_missing(missing: Sequence[tuple[str, str]], found: int, log: ProblemLog) -> None:
    """Report annotation files and the images that they cite and the upload lacks.

    They are errors where they are more than the images `found`: then the upload is not what was meant.
    """
    report = log.warning if len(missing) <= found else log.error
    for file, referenced in missing:
        refusal = image_missing(referenced)
        report(refusal.problem_code, file, refusal.message, refusal.remedy)


def _is_end_of(path: str, referenced: str) -> bool:
    """Whether one of the two paths ends as the whole other."""
    one, other = _plain(path).split("/"), [part for part in _plain(referenced).split("/") if part != "."]
    least = min(len(one), len(other))
    return one[-least:] == other[-least:]


def _ambiguous(referenced: str, rivals: Sequence[Member]) -> Refused:
    listed = ", ".join(shown(member.path) for member in rivals[:4])
    return Refused(
        "image_ambiguous",
        f"{shown(referenced)} could be any of {listed}.",
        "Give each image a name of its own, or cite it with its folder.",
    )


def _uppermost(members: list[Member]) -> list[Member]:
    """Those that do not lie in a folder below that of another."""
    folders = [posixpath.dirname(member.path) for member in members]
    return [
        member
        for member, folder in zip(members, folders, strict=True)
        if not any(folder != above and _is_below(folder, above) for above in folders)
    ]


def _is_below(folder: str, above: str) -> bool:
    return not above or folder.startswith(f"{above}/")


def _without_ending(path: str, like: str) -> str:
    """The path, plain, without the ending of the file's name where `like` has none."""
    plain = _plain(path)
    return plain if posixpath.splitext(like)[1] in PICTURES else posixpath.splitext(plain)[0]


def _plain(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()


def _parts(path: str) -> list[str]:
    parts = [part for part in _plain(path).split("/") if part not in ("", ".", "..")]
    return parts[:-1]


def _common(one: list[str], other: list[str]) -> int:
    """How many parts the two have in common from their start."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
