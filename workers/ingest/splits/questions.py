"""What the upload leaves open about its splits: its folders and its lists may disagree, or leave nothing to
learn from."""

from collections.abc import Mapping

from workers.ingest.problems import Offer, ProblemLog, shown

_TEXTS = {
    "furthest": "each image is of the split that is held out furthest",
    "lists": "the lists count",
    "folders": "folders and annotations count",
    "draw": "a new split is drawn from all images",
    "as_told": "the splits are kept as they are",
}


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
