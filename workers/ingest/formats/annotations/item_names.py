"""Names the items that a reader of annotations found."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.ingest.archive import Member
from workers.ingest.items import Item, Truth
from workers.ingest.problems import shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """An image of the upload with what is known of it, not named yet; all else as in `Item`."""

    image: Member
    truth: Truth
    split: str | None = None
    unpack: Callable[[bytes], bytes] | None = None
    referenced: str = ""


def named_items(found: Iterable[Located]) -> list[Item]:
    """Items, by name: the image's path without ending and without the folders that all images share.

    Images that differ in their endings alone keep these.
    """
    located = list(found)
    top = _shared({one.image.path.rpartition("/")[0] for one in located})
    bare = [_bare(_below(one.image, top)) for one in located]
    count = Counter(bare)
    names = (
        name if count[name] == 1 else _below(one.image, top) for name, one in zip(bare, located, strict=True)
    )
    items = [
        Item(
            name=name,
            image=one.image,
            truth=one.truth,
            split=one.split,
            unpack=one.unpack,
            referenced=one.referenced,
        )
        for name, one in zip(names, located, strict=True)
    ]
    items.sort(key=lambda item: item.name)
    return items


def named_files(paths: Sequence[str]) -> str:
    """Files, for the record of how a set was read: the first by its name, and how many more there are."""
    name = shown(PurePosixPath(paths[0]).name) if paths else "no file"
    return name if len(paths) <= 1 else f"{name} and {len(paths) - 1} more"


def _below(image: Member, top: int) -> str:
    """The image's path without its first `top` folders."""
    return image.path.split("/", top)[-1]


def _bare(path: str) -> str:
    """The path without the ending of the file's name."""
    return str(PurePosixPath(path).with_suffix(""))


def _shared(paths: set[str]) -> int:
    """How many leading parts these folders have in common."""
    folders = [tuple(path.split("/")) if path else () for path in paths]
    if not folders:
        return 0
    first, last = min(folders), max(folders)
    same = (one == other for one, other in zip(first, last, strict=False))
    return next((depth for depth, equal in enumerate(same) if not equal), min(len(first), len(last)))
