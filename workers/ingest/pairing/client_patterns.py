"""Images and masks by the patterns that a client gives."""

from trainyard.datasets.record import IngestOptions
from workers.ingest.paths.layout import Picture, without
from workers.ingest.paths.patterns import matching
from workers.ingest.problems import Refused, shown

_LISTED = 12


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
    if options.images is None:
        return without(found, masks)
    images = _fitting(found, "images", options.images)
    rest = without(images, masks)
    if not rest:
        raise Refused(
            "pattern_unmatched",
            f"All {len(images)} pictures that fit the option `images`, {shown(options.images)!r}, are masks "
            "by the other pattern.",
            "Give patterns that tell images from masks.",
        )
    return rest


def _fitting(found: list[Picture], option: str, pattern: str) -> list[Picture]:
    """The pictures that the pattern means; see `path_patterns`."""
    meant = matching(pattern, (one.member.path for one in found))
    fitting = [one for one in found if one.member.path in meant]
    if not fitting:
        raise Refused("pattern_unmatched", _why(found, option, pattern), _REMEDY)
    return fitting


_REMEDY = (
    "Patterns are compared with the end of a path, folder by folder: `*_mask.png`, `masks/*.png`, "
    "`masks/*/*.png`, or with the folders above it: `data/masks`; `**` is any number of folders."
)


def _why(found: list[Picture], option: str, pattern: str) -> str:
    """What there is in place of what the pattern names."""
    text = f"No picture fits the option `{option}`: {shown(pattern)!r}. There are {len(found)}"
    if not found:
        return f"{text}."
    folders = sorted({folder.name for one in found for folder in one.folders})
    listed = ", ".join(shown(name) for name in folders[:_LISTED]) + (" ..." if len(folders) > _LISTED else "")
    there = f", in folders called {listed}" if folders else ""
    return f"{text}, such as {shown(found[0].member.path)}{there}."
