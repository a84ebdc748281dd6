"""Folders of images that may name the class of what their masks show: `benign/1.png`, `malignant/7.png`."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from workers.ingest.paths.layout import Picture
from workers.ingest.paths.split_words import SPLIT_WORDS, joined_split_name
from workers.ingest.paths.words import is_number, words
from workers.ingest.problems import Offer, ProblemLog

MOST_CLASSES = 40
_FEWEST_IMAGES = 2


def class_folders(images: Sequence[Picture]) -> dict[str, str]:
    """The folder by the path of each image that has a mask; empty where folders seem to name no classes.

    They do where images lie in folders that differ at one depth alone, several in each, and no name of these
    folders has a number or a single letter, as those of patients, days and sites have, and not each a split.
    """
    by_depth: defaultdict[int, Counter[str]] = defaultdict(Counter)
    depths = {len(image.group) for image in images}
    if len(depths) != 1:
        return {}
    for image in images:
        for depth, name in enumerate(image.group):
            by_depth[depth][name] += 1
    varying = [depth for depth, names in by_depth.items() if len(names) > 1]
    if len(varying) != 1:
        return {}
    depth = varying[0]
    names = by_depth[depth]
    if not 2 <= len(names) <= MOST_CLASSES or not all(map(_is_class, names)):
        return {}
    if min(names.values()) < _FEWEST_IMAGES or all(map(joined_split_name, names)):
        return {}
    return {image.member.path: image.group[depth] for image in images if image.group[depth] in names}


def ask_class_folders(folders: Mapping[str, int], log: ProblemLog) -> None:
    """Ask whether these folders, with the images of each, name the class of their masks' only foreground."""
    names = ", ".join(sorted(folders))
    images = sum(folders.values())
    log.ask(
        "class_folders",
        f"The masks of {images} images show one class, and the images lie in folders called {names}.",
        [
            Offer(
                key="ignore",
                text="the folders say nothing of the masks: all show one class",
                count=images,
                options={"class_folders": "ignore"},
            ),
            Offer(
                key="classes",
                text=f"each folder names the class of its masks: {names}",
                count=images,
                options={"class_folders": "classes"},
                examples=[f"{name}: {count} images" for name, count in sorted(folders.items())],
            ),
        ],
    )


def _is_class(name: str) -> bool:
    said = words(name)
    counts = any(is_number(word) or _is_letter(word) or word in SPLIT_WORDS for word in said)
    return bool(said) and not counts


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isascii()
