"""Annotations that name masks as their images."""

from collections.abc import Sequence

from workers.ingest.paths.role_words import MASK_WORDS
from workers.ingest.paths.words import words
from workers.ingest.problems import ProblemLog


def report_masks_as_images(files: Sequence[str], log: ProblemLog) -> None:
    """Log an error where flat images, which are most of a set, are called masks by their paths, too:
    annotations that name masks as their images would train on the answer."""
    called = [file for file in files if not MASK_WORDS.isdisjoint(words("/".join(file.split("/")[-2:])))]
    if 2 * len(called) > len(files):
        log.error(
            "masks_as_images",
            called[0],
            f"{len(called)} images are masks by their names and their looks.",
            "Send the images under the names that the annotations give them; or `flat_images: use`, if these "
            "are images.",
        )
