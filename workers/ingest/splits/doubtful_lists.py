"""Lists of images whose names may tell a split or not: `pets_te.txt`, `latest.txt`."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.paths.split_words import joined_split_name
from workers.ingest.paths.words import stem_of
from workers.ingest.problems import ProblemLog
from workers.ingest.splits.lists.named_items import NamedBy, claims
from workers.ingest.splits.questions import ask_doubtful_lists


def without_doubtful(
    lists: Sequence[NamedBy], items: int, options: IngestOptions, log: ProblemLog
) -> list[NamedBy]:
    """The lists without those whose names tell no split after all.

    They do where lists of other splits are called alike, `pets_tr.txt`; else it is asked, unless other lists
    name all their images, or they name all of the set.
    """
    alike: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for one, _ in lists:
        named = joined_split_name(stem_of(one.path))
        if named is not None:
            alike[named.shape].add(named.split)
    open_ones = [listed for listed in lists if listed[0].doubtful and len(alike[listed[0].doubtful]) < 2]
    if not open_ones or options.split_lists is not None or options.splits_from == "lists":
        return list(lists)
    sure = [listed for listed in lists if not any(listed is one for one in open_ones)]
    said = claims(open_ones)
    if len(said) == items or not said.keys() - claims(sure).keys():
        return sure
    counts = Counter(split for splits in said.values() for split in splits)
    paths = [one.path for one, _ in open_ones]
    count = options.splits_from or ask_doubtful_lists(paths, counts, log)
    return list(lists) if count == "lists" else sure
