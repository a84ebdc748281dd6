"""Images that use next to nothing of the range that a pixel has."""

from collections.abc import Sequence

from workers.ingest.problems import ProblemLog
from workers.ingest.reading.statistics import SampleCounts

BLACK = 15
"""Brightness of 255, as the root of the mean square, that images of any usual range exceed somewhere."""


def warn_of_dark_images(readings: Sequence[SampleCounts], log: ProblemLog) -> None:
    """Tell of a set whose images are all nearly black: their values may be of another range, such as 0 to 1,
    and would train badly."""
    if not readings or any(max(reading.square) > BLACK**2 for reading in readings):
        return
    brightest = max(max(reading.square) for reading in readings) ** 0.5
    log.warning(
        "images_dark",
        None,
        f"All {len(readings)} images are nearly black: none is brighter than {brightest:.1f} of 255.",
        "Nothing, if they are to be so; if their values are of another range, such as 0 to 1 or 0 to 15, "
        "save them with 0 to 255.",
    )
