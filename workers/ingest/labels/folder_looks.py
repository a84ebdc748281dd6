"""Tells folders of masks or of views from folders of classes, by a few of their pictures."""

from collections import defaultdict
from collections.abc import Mapping

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.paths.words import stem_of
from workers.ingest.pictures.decode import DecodedImage, decode_image
from workers.ingest.pictures.flat_images import is_flat
from workers.ingest.problems import Refused
from workers.ingest.text.sniff import sample

_MOST_FOLDERS = 24
_MOST_VIEWS = 4
_LOOKED_AT = 3
"""Pictures of each folder."""


class FolderLooks:
    """The pictures of a set by the folders that may be its classes."""

    def __init__(self, folder_of: Mapping[str, str], images: Mapping[str, Member], source: Source) -> None:
        """`folder_of` has the folder of each image by its path."""
        self._source = source
        self._members: defaultdict[str, list[Member]] = defaultdict(list)
        for path, folder in folder_of.items():
            self._members[folder].append(images[path])

    def flat(self) -> list[str]:
        """The folders, of those that are looked at, whose pictures are all flat areas, as masks are; none
        where those of all folders are."""
        flat = [folder for folder in self._looked_at if self._is_flat(folder)]
        return flat if len(flat) < len(self._looked_at) else []

    def are_flat(self) -> bool:
        """Whether the pictures of all folders that are looked at are flat areas."""
        return all(map(self._is_flat, self._looked_at))

    @property
    def _looked_at(self) -> list[str]:
        return sorted(self._members)[:_MOST_FOLDERS]

    def are_views(self) -> bool:
        """Whether a few folders may show the same things, each in its way: half of their files are called
        alike, and those are of one size."""
        if len(self._members) > _MOST_VIEWS:
            return False
        by_stem = [{stem_of(one.path): one for one in members} for members in self._members.values()]
        shared = sorted(set.intersection(*(set(found) for found in by_stem)))
        if 2 * len(shared) < min(map(len, by_stem)):
            return False
        return all(
            len({self._size(found[stem]) for found in by_stem}) == 1 for stem in sample(shared, _LOOKED_AT)
        )

    def _is_flat(self, folder: str) -> bool:
        decoded = [self._decoded(one) for one in sample(self._members[folder], _LOOKED_AT)]
        return all(one is not None and one.pixels.dtype == "uint8" and is_flat(one.pixels) for one in decoded)

    def _size(self, member: Member) -> tuple[int, int] | None:
        decoded = self._decoded(member)
        return decoded.size if decoded else None

    def _decoded(self, member: Member) -> DecodedImage | None:
        try:
            return decode_image(self._source.read(member))
        except Refused:
            return None
