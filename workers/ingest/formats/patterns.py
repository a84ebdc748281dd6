"""Has a format read an upload by the patterns of images and masks that the client gave."""

from dataclasses import replace
from pathlib import PurePosixPath

from trainyard.datasets import PICTURES, IngestOptions
from workers.ingest import layout
from workers.ingest.formats.base import Format, FoundSet, Item, Source
from workers.ingest.path_patterns import matches
from workers.ingest.problems import ProblemLog, shown


def read_as(form: Format, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
    """See `Format.read`: of the set, what fits the patterns.

    Readers of annotations look for images among those that may be cited. Where a format has mask pictures,
    its pairs are kept whose image and mask both fit.
    """
    patterns = {"images": options.images, "masks": options.masks}
    if form.name == PICTURES or not any(patterns.values()):
        return form.read(source, options, log)
    for option, pattern in patterns.items():
        if pattern is not None:
            _check(option, pattern, source, log)
    found = None if log.has_errors else form.read(source, options, log)
    if found is None:
        return None
    kept = [item for item in found.items if _fits(item, options)]
    if found.items and not kept:
        log.error(
            "pattern_unmatched",
            found.items[0].image.path,
            f"None of the {len(found.items)} images of the format {form.name} fits `images` and has a mask "
            "that fits `masks`.",
            f"Send other patterns, or `format: {PICTURES}` to have pictures paired by these.",
        )
        return None
    return replace(found, items=kept)


def _check(option: str, pattern: str, source: Source, log: ProblemLog) -> None:
    pictures = [one for one in source.members if _is_picture(one.path)]
    if not any(matches(pattern, one.path) for one in pictures):
        example = f", such as {shown(pictures[0].path)}" if pictures else ""
        log.error(
            "pattern_unmatched",
            None,
            f"No picture fits the option `{option}`: {shown(pattern)!r}. There are {len(pictures)}{example}.",
            "Patterns are compared with paths from any folder downwards, folder by folder: `images/*`, "
            "`*/img/*.png`, `data/images`.",
        )


def _fits(item: Item, options: IngestOptions) -> bool:
    image, truth = item.image.path, item.truth.file
    if options.images is not None and not matches(options.images, image):
        return False
    is_mask = truth != image and _is_picture(truth)
    return not is_mask or options.masks is None or matches(options.masks, truth)


def _is_picture(path: str) -> bool:
    return PurePosixPath(path.casefold()).suffix in layout.PICTURES
