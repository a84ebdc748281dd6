"""The rules by which several masks find the image that they are of, and what tells them apart."""

from collections.abc import Callable, Mapping
from functools import partial

from workers.ingest.paths.layout import Picture
from workers.ingest.paths.words import Words, is_number, words

Owners = Mapping[tuple[tuple[Words, ...], Words], list[Picture]]
"""Images by the words of their folders and of their name."""
Homes = Mapping[tuple[Words, ...], list[Picture]]
"""Images by the words of their folders."""
Find = Callable[[Picture, Owners, Homes], tuple[Picture, str] | None]
"""The image of a mask and the mask's label, as written; None where the rule finds none."""


def owner_of(owners: Owners, mask: Picture, folders: tuple[Words, ...], name: Words) -> Picture | None:
    """The one image of that name whose split agrees."""
    fitting = [
        image
        for image in owners.get((folders, name), [])
        if image.split is None or mask.split is None or image.split == mask.split
    ]
    if len(fitting) > 1:
        fitting = [image for image in fitting if image.split == mask.split]
    return fitting[0] if len(fitting) == 1 else None


def in_class_folder(mask: Picture, owners: Owners, _: Homes) -> tuple[Picture, str] | None:
    """A mask in a folder of its class, `masks/cat/0.png`."""
    if not mask.plain:
        return None
    said = words(mask.stem)
    names = [mask.name, *(said[:length] for length in range(len(said) - 1, 0, -1))]
    found = (owner_of(owners, mask, mask.plain[:-1], name) for name in names)
    owner = next((one for one in found if one is not None), None)
    return None if owner is None else (owner, _last_folder(mask))


def in_images_folder(mask: Picture, owners: Owners, _: Homes) -> tuple[Picture, str] | None:
    """A mask in a folder called as its image, `masks/image_1/cat.png`, or below: `gt/1/soft/1_cat.png`."""
    found = _folder_of_image(mask, owners)
    if found is None:
        return None
    owner, _depth = found
    label = mask.stem.removeprefix(owner.stem).strip("_-. ()")
    return owner, label or mask.stem


def counts_in_folder(mask: Picture, owners: Owners) -> bool:
    """Whether a mask lies in its image's folder under another name: `masks/image_2/2.png`."""
    owned = in_images_folder(mask, owners, {})
    return owned is not None and mask.name != words(owned[0].stem)


def within_images_folder(mask: Picture, owners: Owners, _: Homes) -> tuple[Picture, str] | None:
    """A mask in a folder of its class below, or above, that of its image: `masks/1/cat/0.png`."""
    found = _folder_of_image(mask, owners)
    if found is not None:
        owner, depth = found
        below = [one.name for one in mask.folders[depth + 1 :] if one.rest and one.role is None]
        return (owner, " ".join((*below, mask.stem))) if below else None
    for depth in range(len(mask.folders) - 1, 0, -1):
        above = [one for one in mask.folders[:depth] if one.rest and one.role is None]
        places = tuple(one.rest for one in above[:-1])
        owned = owner_of(owners, mask, places, words(mask.folders[depth].name)) if above else None
        if owned is not None:
            return owned, f"{above[-1].name} {mask.stem}"
    return None


def behind_name(mask: Picture, owners: Owners, _: Homes) -> tuple[Picture, str] | None:
    """A mask called as its image with more behind, `0_cat.png`."""
    return _behind(mask, owners, mask.plain)


def behind_name_in_folder(mask: Picture, owners: Owners, _: Homes) -> tuple[Picture, str] | None:
    """As `behind_name`, in a folder that the images lack: `masks/0/00001_hair.png`."""
    return _behind(mask, owners, mask.plain[:-1]) if mask.plain else None


def before_name(mask: Picture, owners: Owners, _: Homes) -> tuple[Picture, str] | None:
    """A mask called as its image with more before, `cat_0.png`."""
    return _before(mask, owners, mask.plain)


def before_name_in_folder(mask: Picture, owners: Owners, _: Homes) -> tuple[Picture, str] | None:
    """As `before_name`, in a folder that the images lack."""
    return _before(mask, owners, mask.plain[:-1]) if mask.plain else None


def within_name(mask: Picture, owners: Owners, _: Homes, *, place: int) -> tuple[Picture, str] | None:
    """A mask with a number or a letter among the words of its image's name: `p0_1_x` of `p0_x`."""
    name = mask.name
    if place + 1 >= len(name) or not (is_number(name[place]) or len(name[place]) == 1):
        return None
    owner = owner_of(owners, mask, mask.plain, name[:place] + name[place + 1 :])
    return None if owner is None else (owner, name[place])


def in_same_home(mask: Picture, _: Owners, homes: Homes) -> tuple[Picture, str] | None:
    """A mask in the folder that its image alone has."""
    fitting = [image for image in homes.get(mask.plain, []) if image.split in (None, mask.split)]
    return (fitting[0], mask.stem) if len(fitting) == 1 and mask.plain else None


RULES: tuple[Find, ...] = (
    in_class_folder,
    behind_name_in_folder,
    before_name_in_folder,
    in_images_folder,
    within_images_folder,
    behind_name,
    before_name,
    *(partial(within_name, place=place) for place in range(1, 5)),
    in_same_home,
)
"""Of several that say as much of as many images, the earlier holds."""


def _folder_of_image(mask: Picture, owners: Owners) -> tuple[Picture, int] | None:
    """The image that a folder of the mask is called as, and the depth of that folder."""
    for depth in range(len(mask.folders) - 1, -1, -1):
        above = tuple(one.rest for one in mask.folders[:depth] if one.rest and one.role is None)
        owner = owner_of(owners, mask, above, words(mask.folders[depth].name))
        if owner is not None:
            return owner, depth
    return None


def _behind(mask: Picture, owners: Owners, folders: tuple[Words, ...]) -> tuple[Picture, str] | None:
    said = words(mask.stem)
    for length in range(len(said) - 1, 0, -1):
        owner = owner_of(owners, mask, folders, said[:length])
        if owner is not None:
            rest = said[length:]
            return owner, _written(mask.stem.removeprefix(owner.stem), rest) or _tail(mask.stem, rest)
    return None


def _before(mask: Picture, owners: Owners, folders: tuple[Words, ...]) -> tuple[Picture, str] | None:
    said = words(mask.stem)
    for length in range(1, len(said)):
        owner = owner_of(owners, mask, folders, said[length:])
        if owner is not None:
            rest = said[:length]
            return owner, _written(mask.stem.removesuffix(owner.stem), rest) or "_".join(rest)
    return None


def _written(text: str, said: Words) -> str:
    """A label as written; empty where its words are not these, as of `00001_hair` without the name `1`."""
    return text.strip("_-. ()") if words(text) == said else ""


def _tail(stem: str, said: Words) -> str:
    """The end of a name that has these words, as written."""
    tails = (stem[start:] for start in range(1, len(stem)) if not stem[start - 1].isalnum())
    return next((tail.strip("_-. ()") for tail in tails if words(tail) == said), "") or "_".join(said)


def _last_folder(mask: Picture) -> str:
    return next(one.name for one in reversed(mask.folders) if one.rest and one.role is None)
