"""What a list of an upload says: which image, mask, split and fold each row names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row names, as written: an image, the mask if there is one, and the split and the fold if they
    are told."""

    image: str
    mask: str | None
    split: str | None
    fold: str | None = None


@dataclass(frozen=True)
class Listing:
    """The entries of a file; `whole` where they are of what other lists part, too (`trainval.txt`).

    `numbers`, lowest first, stand in the place of splits, and which of them trains is open. With `per_fold`
    the splits of entries are those within their fold. `doubtful` are the other words of a name of which it is
    not sure that it tells a split: that of `pets_te.txt`. `fault` says why a file that tells splits by its
    name or its columns has no entries that can be used. `unsure` is set where its pairs may be none.
    """

    path: str
    entries: list[Entry]
    whole: bool = False
    numbers: tuple[str, ...] = ()
    per_fold: bool = False
    doubtful: tuple[str, ...] = ()
    fault: str = ""
    unsure: bool = False

    @property
    def tells_splits(self) -> bool:
        """Whether it is meant to say splits, and not pairs or folds alone."""
        return bool(self.fault) or any(entry.split for entry in self.entries)

    @property
    def tells_folds(self) -> bool:
        """Whether it is meant to say which fold of a cross-validation images are of."""
        return any(entry.fold for entry in self.entries)
