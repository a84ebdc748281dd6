"""What the folders and the name of a picture file say of it: its role, its split, and what it is called.

A folder gives its files a role if its name has a word of `role_words`; the innermost folder wins. Which
folders name a split is told by `split_folders`. Other folders are part of a file's identity:
`day1/images/a.jpg` belongs to `day1/masks/a.png` only. A file in no folder of masks is a mask, too, where its
name says so and the image that it would belong to is there, or where it is the one PNG beside an image of
the same name.
"""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from workers.ingest.archive import Member
from workers.ingest.paths.role_words import (
    DERIVED_WORDS,
    NameRole,
    Role,
    mask_mark,
    names_mask,
    role_of,
    split_numbered,
    without_affixes,
)
from workers.ingest.paths.split_folders import SplitFolders
from workers.ingest.paths.split_words import SplitName, joined_split_name, split_name
from workers.ingest.paths.words import Words, ending_of, is_number, stem_of, words

PICTURES = frozenset(
    (
        ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".pbm",
        ".pnm", ".jp2", ".j2k", ".avif", ".heic", ".heif",
    )
)  # fmt: skip
"""Endings of files that are looked at; what they really are is found out when they are read."""
_FEW = 10
"""One in so many files is an exception."""
_YEAR = re.compile(r"(19|20)\d\d\Z")


@dataclass(frozen=True)
class Folder:
    """A folder of a picture's path; `said` are the words of its name that tell no split, `rest` those of them
    that say no role."""

    name: str
    role: Role | None
    said: Words
    rest: Words

    @property
    def is_identity(self) -> bool:
        """Whether its name is part of what the pictures in it are called."""
        return bool(self.rest)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture file, its role and split, and the parts of its path by which it finds its partner.

    `stem` is the file's name without ending.
    """

    member: Member
    role: Role | None
    split: str | None
    folders: tuple[Folder, ...]
    stem: str

    @cached_property
    def group(self) -> tuple[str, ...]:
        """The names of the folders that are part of its identity."""
        return tuple(folder.name for folder in self.folders if folder.is_identity)

    @cached_property
    def near(self) -> tuple[Words, ...]:
        """The words of these folders, without those of roles and splits."""
        return tuple(folder.rest for folder in self.folders if folder.rest)

    @cached_property
    def plain(self) -> tuple[Words, ...]:
        """The words of those folders that give no role."""
        return tuple(folder.rest for folder in self.folders if folder.rest and folder.role is None)

    @cached_property
    def name(self) -> Words:
        """The words of its name without those that mark an image or a mask."""
        return without_affixes(words(self.stem), self.role) or (self.stem,)

    @cached_property
    def is_derived(self) -> bool:
        """Whether its folder or its name says that it was made of others."""
        said = (*words(self.stem), *(word for folder in self.folders for word in words(folder.name)))
        return not DERIVED_WORDS.isdisjoint(said)

    @cached_property
    def numbered(self) -> tuple[Words, Words] | None:
        """See `role_words.split_numbered`."""
        return split_numbered(words(self.stem))


def pictures(members: Iterable[Member]) -> list[Picture]:
    """The picture files among the members, as their folders describe them.

    The name of a folder that all lie in tells of the set, not of its files: `Kvasir-SEG/`.
    """
    found = [member for member in members if ending_of(member.path) in PICTURES]
    parents = {posixpath.dirname(member.path) for member in found}
    top = common_folders([member.path for member in found])
    splits = SplitFolders(member.path for member in found)
    folders = {parent: _folders(parent, top, splits.depths(parent)) for parent in parents}
    return [_picture(member, folders, splits) for member in found]


def by_role(found: list[Picture]) -> tuple[list[Picture], list[Picture], list[Picture]]:
    """The images, the masks, and the pictures that lie outside the folders of either."""
    found = _masks_by_name(found)
    if not any(picture.role is Role.MASK for picture in found):
        found = _masks_beside_images(found)
    images = [picture for picture in found if picture.role is Role.IMAGE]
    masks = [picture for picture in found if picture.role is Role.MASK]
    others = [picture for picture in found if picture.role is None]
    return (images, masks, others) if images else (others, masks, [])


def without(pictures: list[Picture], taken: Iterable[Picture]) -> list[Picture]:
    """The other pictures."""
    known = {id(picture) for picture in taken}
    return [picture for picture in pictures if id(picture) not in known]


def common_folders(paths: Sequence[str]) -> int:
    """How many leading folders all files share, but for a few at the top, such as a logo."""
    parents = Counter(posixpath.dirname(path) for path in paths)
    if len(parents) > 1 and _FEW * parents[""] <= len(paths):
        del parents[""]
    folders = [parent.split("/") for parent in parents]
    if not folders:
        return 0
    first, last = min(folders), max(folders)
    same = (one == other for one, other in zip(first, last, strict=False))
    return next((depth for depth, equal in enumerate(same) if not equal), min(len(first), len(last)))


def _picture(member: Member, folders: Mapping[str, tuple[Folder, ...]], splits: SplitFolders) -> Picture:
    own = folders[posixpath.dirname(member.path)]
    return Picture(
        member=member,
        role=_role(own),
        split=splits.of(member.path),
        folders=own,
        stem=stem_of(member.path),
    )


def _role(folders: Sequence[Folder]) -> Role | None:
    """The role that the innermost folder gives; what is called `photo 12` below `masks/` are masks."""
    telling = [folder for folder in folders if folder.role is not None]
    if not telling:
        return None
    last = telling[-1]
    if last.role is Role.IMAGE and last.rest and any(one.role is Role.MASK for one in telling):
        return Role.MASK
    return last.role


def _folders(path: str, top: int, telling: Collection[int]) -> tuple[Folder, ...]:
    """The folders of a path, of which the first `top` are those of the whole set and some tell a split."""
    names = path.split("/") if path else []
    return tuple(_folder(name, depth < top, depth in telling) for depth, name in enumerate(names))


def _folder(name: str, is_common: bool, tells_split: bool) -> Folder:
    named = joined_split_name(name) if tells_split else split_name(name)
    bare = words(name)
    if tells_split and named is not None:
        said: Words = (*named.rest, *(word for word in bare if is_number(word)))
    else:
        said = bare if named is None else tuple(_parted(bare, named))
    if not said and not tells_split:
        said = (name,)  # of signs alone, which are a name, too
    role = NameRole(None, said) if is_common else role_of(said)
    says_year = (tells_split or role.role is not None) and len(role.rest) == 1 and _YEAR.match(role.rest[0])
    return Folder(name, role.role, said, () if says_year else role.rest)


def _parted(bare: Words, named: SplitName) -> Iterable[str]:
    """The words, one that joins a split with others parted: `trainannot`."""
    for word in bare:
        joined = word.removeprefix(named.split)
        yield from (named.split, joined) if joined in named.rest and joined != word else (word,)


def _masks_by_name(found: list[Picture]) -> list[Picture]:
    """With the masks that their names tell, since the images that these belong to are there."""
    others = [picture for picture in found if picture.role is not Role.MASK]
    named = {(picture.group, picture.name) for picture in others if not names_mask(words(picture.stem))}
    marked, lone = [], []
    told: Counter[Words | None] = Counter()
    for place, picture in enumerate(found):
        marked.append(picture)
        if picture.role is Role.MASK or not names_mask(words(picture.stem)):
            continue
        as_mask = replace(picture, role=Role.MASK)
        own = {as_mask.name} | ({as_mask.numbered[0]} if as_mask.numbered else set())
        if not named or any((group, name) in named for name in own for group in _above(picture.group)):
            marked[place] = as_mask
            told[mask_mark(words(picture.stem))] += 1
        else:
            lone.append(place)
    alone = Counter(mask_mark(words(found[place].stem)) for place in lone)
    for place in lone:  # called as other masks are: its image is not in the upload
        mark = mask_mark(words(found[place].stem))
        if alone[mark] <= told[mark]:
            marked[place] = replace(found[place], role=Role.MASK)
    return marked


def _above(group: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The folders of a picture, and those one above them, where its image may lie."""
    return [group, group[:-1]] if group else [group]


def _masks_beside_images(found: list[Picture]) -> list[Picture]:
    """Where two files share folder and stem and one alone is a PNG, that one is the mask."""
    twins: defaultdict[str, list[Picture]] = defaultdict(list)
    for picture in found:
        twins[posixpath.splitext(picture.member.path)[0]].append(picture)
    masks = set()
    for pair in twins.values():
        pngs = [p.member.path for p in pair if p.member.path.lower().endswith(".png")]
        if len(pair) == 2 and len(pngs) == 1:
            masks.add(pngs[0])
    parents = {posixpath.dirname(path) for path in masks}
    pngs = [p.member.path for p in found if p.member.path.lower().endswith(".png")]
    beside = {path for path in pngs if posixpath.dirname(path) in parents}
    if len(beside) <= 2 * len(masks):  # a PNG without its photograph among them is a mask as well
        masks |= beside
    return [replace(p, role=Role.MASK) if p.member.path in masks else p for p in found]
