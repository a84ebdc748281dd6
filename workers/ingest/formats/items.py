"""Names the items that a reader of annotations found."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.ingest.archive import Member
from workers.ingest.formats.base import Item, Truth


@dataclass(frozen=True, kw_only=True)
class Located:
    """An image of the upload with what is known of it, not named yet; `unpack` as in `Item`."""

    image: Member
    split: str | None
    truth: Truth
    unpack: Callable[[bytes], bytes] | None = None


def named_items(found: Iterable[Located]) -> list[Item]:
    """Items, by name: the image's path without ending and without the folders that all images share.

    Images that differ in their endings alone keep these.
    """
    located = list(found)
    paths = [PurePosixPath(one.image.path) for one in located]
    top = _shared([path.parts[:-1] for path in paths])
    short = [PurePosixPath(*path.parts[top:]) for path in paths]
    bare = [str(path.with_suffix("")) for path in short]
    count = Counter(bare)
    names = [name if count[name] == 1 else str(path) for name, path in zip(bare, short, strict=True)]
    items = [
        Item(name=name, split=one.split, image=one.image, truth=one.truth, unpack=one.unpack)
        for name, one in zip(names, located, strict=True)
    ]
    return sorted(items, key=lambda item: item.name)


def _shared(folders: list[tuple[str, ...]]) -> int:
    """How many leading parts all have in common."""
    if not folders:
        return 0
    first, last = min(folders), max(folders)
    same = (one == other for one, other in zip(first, last, strict=False))
    return next((depth for depth, equal in enumerate(same) if not equal), min(len(first), len(last)))
