"""Images and masks by the patterns that a client gives."""

from pathlib import PurePosixPath

from trainyard.datasets import IngestOptions
from workers.ingest.layout import Picture, without
from workers.ingest.problems import Refused, shown


def named_roles(found: list[Picture], options: IngestOptions) -> tuple[list[Picture], list[Picture]]:
    """The images and the masks; where a pattern is given for one, the others are all the rest.

    Raises Refused where a pattern fits no picture.
    """
    masks = _fitting(found, "masks", options.masks) if options.masks is not None else None
    images = _images(found, options, masks or [])
    return images, masks if masks is not None else without(found, images)


def named_classes(
    found: list[Picture], options: IngestOptions
) -> tuple[list[Picture], dict[str, list[Picture]]]:
    """The images, and the masks of each class by its name; raises Refused as `named_roles` does."""
    masks = {
        name: _fitting(found, "class_masks", pattern) for name, pattern in (options.class_masks or {}).items()
    }
    return _images(found, options, [mask for each in masks.values() for mask in each]), masks


def _images(found: list[Picture], options: IngestOptions, masks: list[Picture]) -> list[Picture]:
    rest = without(found, masks)
    return rest if options.images is None else _fitting(rest, "images", options.images)


def _fitting(found: list[Picture], option: str, pattern: str) -> list[Picture]:
    """The pictures whose paths end as the pattern says, whatever the case of letters."""
    folded = pattern.casefold()
    fitting = [one for one in found if PurePosixPath(one.member.path.casefold()).match(folded)]
    if not fitting:
        example = f", such as {shown(found[0].member.path)}" if found else ""
        raise Refused(
            "pattern_unmatched",
            f"No picture fits the option `{option}`: {shown(pattern)!r}. There are {len(found)}{example}.",
            "Patterns are compared with the end of a path, folder by folder: `*_mask.png`, `masks/*.png`, "
            "`masks/*/*.png`.",
        )
    return fitting
