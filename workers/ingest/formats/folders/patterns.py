"""Has a format read an upload by the patterns of images and masks that the client gave."""

from collections.abc import Collection
from dataclasses import replace

from trainyard.datasets.record import PICTURES, IngestOptions
from workers.ingest.formats.annotations.image_lookup import pictures_of
from workers.ingest.items import Format, FoundSet, Item, Source
from workers.ingest.paths.patterns import matching
from workers.ingest.problems import ProblemLog, Refused, shown


def read_as(form: Format, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
    """See `Format.read`: of the set, what fits the patterns.

    Readers of annotations look for images among those that may be referenced. Where a format has mask
    pictures, its pairs are kept whose image and mask both fit.
    """
    if form.name == PICTURES or (options.images, options.masks) == (None, None):
        return form.read(source, options, log)
    paths = [member.path for member in pictures_of(source.members)]
    try:
        images = _fitting("images", options.images, paths)
        masks = _fitting("masks", options.masks, paths)
    except Refused as refusal:
        log.refused(None, refusal)
        return None
    found = form.read(source, options, log)
    if found is None or not found.items:
        return found
    pictures = set(paths)
    kept = [item for item in found.items if _fits(item, images, masks, pictures)]
    if not kept:
        log.error(
            "pattern_unmatched",
            found.items[0].image.path,
            f"None of the {len(found.items)} images of the format {form.name} fits `images` and has a mask "
            "that fits `masks`.",
            f"Send other patterns, or `format: {PICTURES}` to have pictures paired by these.",
        )
        return None
    return replace(found, items=kept)


def _fitting(option: str, pattern: str | None, paths: list[str]) -> Collection[str]:
    """The pictures that fit a pattern, all without one; raises Refused where none does."""
    if pattern is None:
        return set(paths)
    fitting = matching(pattern, paths)
    if not fitting:
        example = f", such as {shown(paths[0])}" if paths else ""
        raise Refused(
            "pattern_unmatched",
            f"No picture fits the option `{option}`: {shown(pattern)!r}. There are {len(paths)}{example}.",
            "Patterns are compared with paths from any folder downwards, folder by folder: `images/*`, "
            "`*/img/*.png`, `data/images`.",
        )
    return fitting


def _fits(item: Item, images: Collection[str], masks: Collection[str], pictures: Collection[str]) -> bool:
    """Whether image and mask are among these; what lies within an annotation is no picture, and fits."""
    image, truth = item.image.path, item.truth.file
    is_mask = truth != image and truth in pictures
    return (image in images or image not in pictures) and (truth in masks or not is_mask)
