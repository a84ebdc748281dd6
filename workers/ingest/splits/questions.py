"""What the upload leaves open about its splits: its folders and its lists may disagree, or leave nothing to
learn from."""

from collections.abc import Mapping, Sequence

from workers.ingest.problems import Offer, ProblemLog, shown
from workers.ingest.splits.several_splits import WholeSplit

_TEXTS = {
    "furthest": "each image is of the split that is held out furthest",
    "lists": "the lists count",
    "folders": "folders and annotations count",
    "draw": "a new split is drawn from all images",
    "as_told": "the splits are kept as they are",
}
_UNLISTED = "these lists do not count: folders and annotations do, else a split is drawn"
_UNLISTED_KEY = "folders"
_MOST_SPLITS = 12
"""Of more splits by chance, the first ones are offered."""
_OF_NUMBERS = {2: ("train", "test"), 3: ("train", "val", "test")}


def ask_lists_or_folders(against: Mapping[str, str], lists: str, origin: str, log: ProblemLog) -> str:
    """Ask what counts where lists put images into another split than folders; `against` has the splits, in
    words, by the image's file. Returns a value of the option `splits_from`."""
    first, said = next(iter(against.items()))
    return log.ask(
        "splits_contradict",
        f"{len(against)} image(s) are of another split by the {lists} than by {origin}: "
        f"{shown(first)} {said}.",
        _offers(against, "furthest", "lists", "folders", "draw"),
    )


def ask_several(against: Mapping[str, str], log: ProblemLog) -> str:
    """Ask what counts where folders of image and mask, or annotations, say different splits; as above."""
    first, said = next(iter(against.items()))
    return log.ask(
        "split_ambiguous",
        f"{len(against)} image(s) are of several splits by their folders and annotations: "
        f"{shown(first)} {said}.",
        _offers(against, "furthest", "draw"),
    )


def ask_unused_lists(
    faults: Mapping[str, str], named: Sequence[str], tells_train: bool, log: ProblemLog
) -> str:
    """Ask what to do with lists of splits that cannot be used as they are: `faults` has in words why, by the
    list's path, `named` the images that they name all the same, `tells_train` whether any to train with, of
    which the others would be left out. Returns `lists` or `folders`."""
    offers = [_unlisted(len(faults))]
    if named:
        offers.insert(
            int(tells_train),
            Offer(
                key="lists",
                text="the lists count for the images that they name, each entry for all that it may mean",
                count=len(named),
                options={"splits_from": "lists"},
                examples=named,
            ),
        )
    listed = "; ".join(f"{shown(path)}: {fault}" for path, fault in faults.items())
    return log.ask(
        "split_lists_unused",
        "Lists of splits cannot be used as they are, so that images meant for test might be trained on. "
        f"{listed} Else name the images of each split in the option `splits`.",
        offers,
    )


def ask_whole_splits(several: Sequence[WholeSplit], twice: Sequence[str], log: ProblemLog) -> str | None:
    """Ask which of several splits by lists counts, `twice` being the images that lists put into different
    ones. Returns the pattern of its lists; None where no list counts."""
    offers = [
        Offer(
            key=one.pattern,
            text=f"the lists {shown(one.pattern)} count: "
            + ", ".join(f"{one.counts[split]} images are of {split}" for split in sorted(one.counts)),
            count=one.counts.total(),
            options={"split_lists": one.pattern},
        )
        for one in several[:_MOST_SPLITS]
    ]
    text = (
        f"Lists part the images {len(several)} times over, each time differently"
        if several
        else "Lists name images for several splits, and leave none to train"
    )
    key = log.ask(
        "split_lists_contradict",
        f"{text}: {len(twice)} image(s) are of several splits, such as {shown(twice[0])}. Which lists count? "
        "Another choice of them can be sent as `split_lists`, and names of images as `splits`.",
        [*offers, _unlisted(len(twice))],
    )
    return None if key == _UNLISTED_KEY else key


def ask_numbers(path: str, counts: Mapping[str, int], log: ProblemLog) -> str:
    """Ask which of the two or three numbers of a list trains: `counts` has the images of each, lowest first.

    Returns `lower_trains`, `higher_trains`, or `folders` where the list does not count.
    """
    numbers = list(counts)
    offers = [
        Offer(
            key=key,
            text=", ".join(f"{number} is {split}" for number, split in splits_of(numbers, key).items()),
            count=counts[numbers[0 if key == "lower_trains" else -1]],
            options={"splits_from": key},
        )
        for key in ("lower_trains", "higher_trains")
    ]
    offers.sort(key=lambda offer: -offer.count)  # most images mostly train
    offers.append(_unlisted(sum(counts.values())))
    listed = ", ".join(f"{count} with {number}" for number, count in counts.items())
    return log.ask(
        "split_numbers",
        f"The list {shown(path)} tells splits by numbers, and not which of them trains: {listed}.",
        offers,
    )


def _unlisted(count: int) -> Offer:
    return Offer(key=_UNLISTED_KEY, text=_UNLISTED, count=count, options={"splits_from": "folders"})


def splits_of(numbers: Sequence[str], key: str) -> dict[str, str]:
    """The split that each of two or three numbers, lowest first, stands for."""
    ordered = numbers if key == "lower_trains" else numbers[::-1]
    return dict(zip(ordered, _OF_NUMBERS[len(numbers)], strict=True))


def ask_doubtful(folders: Sequence[str], counts: Mapping[str, int], log: ProblemLog) -> str:
    """Ask whether words in the names of these folders mean splits; `counts` has the images of each split.

    Returns `folder_words` or `as_told`.
    """
    listed = ", ".join(f"{count} are of {split}" for split, count in sorted(counts.items()))
    named = ", ".join(shown(folder) + "/" for folder in folders)
    offers = [
        Offer(key=key, text=text, count=sum(counts.values()), options={"splits_from": key}, examples=folders)
        for key, text in (
            ("folder_words", f"they mean splits: {listed}"),
            ("as_told", "they are a part of names, and say nothing of splits"),
        )
    ]
    text = f"The names of {named} may mean splits, or not: they differ in more words."
    return log.ask("split_unsure", text, offers)


def ask_doubtful_lists(lists: Sequence[str], counts: Mapping[str, int], log: ProblemLog) -> str:
    """Ask whether the names of these lists mean splits; `counts` has the images of each split.

    Returns `lists` or `as_told`.
    """
    listed = ", ".join(f"{count} are of {split}" for split, count in sorted(counts.items()))
    offers = [
        Offer(key=key, text=text, count=sum(counts.values()), options={"splits_from": key}, examples=lists)
        for key, text in (
            ("lists", f"they list splits: {listed}"),
            ("as_told", "they list something else, and say nothing of splits"),
        )
    ]
    named = ", ".join(map(shown, lists))
    text = f"{named} name(s) images of the upload, and may be called so after a split, or not."
    return log.ask("split_unsure", text, offers)


def ask_bare_training(held_out: int, log: ProblemLog) -> str:
    """Ask what to do with a set whose images to train and validate with show one class alone, while
    `held_out` images of its test split show others; as above, or `as_told`."""
    offers = [
        Offer(key=key, text=_TEXTS[key], count=held_out, options={"splits_from": key})
        for key in ("as_told", "draw")
    ]
    return log.ask(
        "splits_bare",
        f"The images to train and validate with show one class alone; {held_out} images of the test split "
        "show more.",
        offers,
    )


def _offers(against: Mapping[str, str], *keys: str) -> list[Offer]:
    return [
        Offer(
            key=key,
            text=_TEXTS[key],
            count=len(against),
            options={"splits_from": key},
            examples=[f"{file} {said}" for file, said in against.items()],
        )
        for key in keys
    ]
