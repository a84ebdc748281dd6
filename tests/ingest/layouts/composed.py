"""Layouts put together at random: where folders of roles, splits and groups lie, and how files are called."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.ingest.layouts import words
from tests.ingest.layouts.distractors import Place, add_clutter, add_copies, add_distractors
from tests.ingest.layouts.layout import Builder, Draw, Layout, draw_code
from tests.ingest.layouts.names import Stem, draw_stems
from tests.ingest.layouts.split_files import add_lists

APART = {
    "roles at the top": "{role}/{split}/{group}/{name}",
    "roles below the split": "{split}/{role}/{group}/{name}",
    "roles in each group": "{split}/{group}/{role}/{name}",
    "groups below the split below the role": "{role}/{split}/{group}/{name}",
    "split and role joined": "{joined}/{group}/{name}",
}
"""Where images and masks lie in folders of their own."""
NESTED = {
    "masks below the images": "{split}/{group}/{mask folder}/{name}",
    "masks below the folder of images": "{split}/{group}/{image folder}/{mask folder}/{name}",
}
TOGETHER = "{split}/{group}/{name}"

Slot = tuple[str, str, int]
"""The folder of the split and the group, either of which may be empty, and the number of an image."""


@dataclass(frozen=True)
class Names:
    """How the files of both sides are called, each from its number and without ending."""

    image: Stem
    mask: Stem
    image_ending: str
    mask_ending: str


@dataclass(frozen=True)
class Paths:
    """Where the image and the mask of a number lie in a group of a split; either may be empty."""

    place: Callable[[str, str, str, str], str]
    names: Names

    def image(self, split: str, group: str, number: int) -> str:
        """The path of an image."""
        return self.place("image", split, group, f"{self.names.image(number)}.{self.names.image_ending}")

    def mask(self, split: str, group: str, number: int) -> str:
        """The path of its mask."""
        return self.place("mask", split, group, f"{self.names.mask(number)}.{self.names.mask_ending}")


def composed(draw: Draw) -> Layout:
    """A layout of images with one mask each."""
    draw.traits["scheme"] = "composed"
    builder = Builder(draw, draw_code(draw))
    builder.sizes_vary = draw.chance(0.2)
    builder.is_grey = draw.chance(0.2)
    draw.traits["images"] = "grey" if builder.is_grey else "colour"
    builder.size = (72, 56) if builder.code.of_objects else draw.one_of(((40, 32), (48, 48), (56, 40)))
    splits = _draw_splits(draw)
    paths, is_clear = _draw_paths(draw, builder, bool(splits))
    slots = _slots(draw, splits)
    _fill(draw, builder, paths, slots, splits)
    if is_clear and draw.chance(0.3):
        add_distractors(builder, _beside(paths, slots))
    if not splits and draw.chance(0.2):
        add_lists(builder)
    if draw.chance(0.25):
        add_clutter(builder)
    if draw.chance(0.1):
        add_copies(builder)
    return builder.layout()


def _beside(paths: Paths, slots: list[Slot]) -> Place:
    """Where a picture of another folder lies that is made of an image."""
    of_image = {paths.image(*slot): slot for slot in slots}

    def place(folder: str, image: str, ending: str) -> str:
        split, group, number = of_image[image]
        return paths.place(folder, split, group, f"{paths.names.image(number)}.{ending}")

    return place


def _draw_splits(draw: Draw) -> dict[str, str]:
    """Folders of splits, with the split of each; none where the set has no split."""
    if draw.chance(0.6):
        draw.traits["splits"] = "none"
        return {}
    return draw.pick("splits", words.SPLIT_FOLDERS, name=lambda folders: "/".join(folders))


def _draw_paths(draw: Draw, builder: Builder, has_splits: bool) -> tuple[Paths, bool]:
    """The scheme of paths, and whether both roles have folders that are called what they are."""
    ways = [*APART, *NESTED, "together", "together"]
    if not has_splits:
        ways.remove("split and role joined")
        ways.remove("groups below the split below the role")
    way = draw.pick("places", ways)
    top = draw.pick("top", [top for top in words.TOPS if not (has_splits and "train" in top)])
    kinds = {"clear": words.CLEAR_FOLDERS, "other": words.OTHER_FOLDERS, "made up": words.MADE_UP_FOLDERS}
    allowed = (
        ("clear", "clear", "clear", "other", "other", "made up")
        if way in APART
        else ("clear", "clear", "other")
    )
    kind = draw.pick("folders", allowed) if way != "together" else "none"
    image_folder, mask_folder = draw.pick("words", kinds[kind], name="/".join) if kind != "none" else ("", "")
    folders = {"image": image_folder, "mask": mask_folder}
    joint = draw.one_of(words.JOINED)

    def place(role: str, split: str, group: str, name: str) -> str:
        folder = folders.get(role, role)
        if way in APART:
            joined = joint.format(split=split, role=folder)
            path = APART[way].format(role=folder, split=split, group=group, name=name, joined=joined)
        elif way == "together" and role not in folders:
            stem, dot, ending = name.rpartition(".")
            path = TOGETHER.format(split=split, group=group, name=f"{stem}_{role}{dot}{ending}")
        else:
            path = _nested(way, role, folders).format_map(
                {
                    "split": split,
                    "group": group,
                    "name": name,
                    "image folder": image_folder,
                    "mask folder": folder,
                }
            )
        return top + "/".join(part for part in path.split("/") if part)

    names = _draw_names(draw, builder, way == "together")
    return Paths(place, names), kind == "clear" or (way == "together" and "mask mark" in draw.traits)


def _nested(way: str, role: str, folders: dict[str, str]) -> str:
    if way == "together":
        return TOGETHER
    return NESTED[way] if role != "image" else NESTED[way].replace("{mask folder}/", "")


def _draw_names(draw: Draw, builder: Builder, is_together: bool) -> Names:
    """Names of both sides; where both lie together, those of masks are marked or have another ending."""
    image, mask = draw_stems(draw)
    image_ending = draw.pick("image ending", ("png", "png", "jpg", "jpg", "tif", "bmp", "JPG", "jpeg"))
    mask_ending = draw.pick("mask ending", builder.code.endings)
    if image_ending == "JPG" and draw.chance(0.5):
        mask_ending = mask_ending.upper()
    marked = draw.one_of(
        ("suffix",) * 4 + ("prefix",) * (1 + is_together) + ("no",) * (1 if is_together else 5)
    )
    if marked == "no" and is_together:
        image_ending, mask_ending = draw.one_of(("jpg", "jpeg", "JPG")), "png"
        draw.traits["image ending"], draw.traits["mask ending"] = image_ending, mask_ending
    before, behind = "", ""
    if marked == "suffix":
        behind = draw.pick("mask mark", words.MASK_SUFFIXES)
    elif marked == "prefix":
        before = draw.pick("mask mark", words.MASK_PREFIXES)
    first, last = _image_mark(draw) if marked != "no" or not is_together else ("", "")
    return Names(
        lambda i: f"{first}{image(i)}{last}",
        lambda i: f"{before}{mask(i)}{behind}",
        image_ending,
        mask_ending,
    )


def _image_mark(draw: Draw) -> tuple[str, str]:
    if draw.chance(0.7):
        return "", ""
    if draw.chance(0.5):
        return draw.pick("image mark", words.IMAGE_PREFIXES), ""
    return "", draw.pick("image mark", words.IMAGE_SUFFIXES)


def _slots(draw: Draw, splits: dict[str, str]) -> list[Slot]:
    """Where each image lies."""
    groups = [""]
    if draw.chance(0.4):
        template = draw.pick("groups", words.GROUPS)
        groups = [
            template.format(i=i, j=101 + 7 * i, L="ABCD"[i - 1]) for i in range(1, draw.one_of((2, 3, 4)) + 1)
        ]
    cells = [(split, group) for split in (splits or {"": ""}) for group in groups]
    total = draw.random.randint(max(6, 2 * len(cells)), max(14, 2 * len(cells)))
    restarts = len(cells) > 1 and draw.chance(0.6)
    draw.traits["numbers"] = "start anew" if restarts else "go on"
    slots, counts = [], dict.fromkeys(cells, 0)
    for number in range(total):
        cell = cells[number % len(cells)]
        slots.append((*cell, counts[cell] if restarts else number))
        counts[cell] += 1
    return slots


def _fill(draw: Draw, builder: Builder, paths: Paths, slots: list[Slot], splits: dict[str, str]) -> None:
    """Make the pairs; at times images lack their masks, or masks their images, or a test set has none.

    The first two are pairs always, so that something is left to train.
    """
    without_mask: set[int] = set()
    without_image: set[int] = set()
    if draw.chance(0.2):
        without_mask = set(draw.random.sample(range(2, len(slots)), draw.random.randint(1, 3)))
        draw.traits["without masks"] = "some"
    if draw.chance(0.12):
        free = [i for i in range(2, len(slots)) if i not in without_mask]
        without_image = set(draw.random.sample(free, min(draw.random.randint(1, 2), len(free))))
        draw.traits["without images"] = "some"
    if "test" in splits.values() and draw.chance(0.25):
        without_mask |= {i for i, slot in enumerate(slots) if splits[slot[0]] == "test"}
        without_image -= without_mask
        draw.traits["without masks"] = "test"
    for index, (folder, group, number) in enumerate(slots):
        split = splits.get(folder)
        if index in without_mask:
            builder.alone(paths.image(folder, group, number), split)
        elif index in without_image:
            seen = builder.scene()
            builder.mask(paths.mask(folder, group, number), seen.labels, seen.objects)
        else:
            builder.pair(paths.image(folder, group, number), paths.mask(folder, group, number), split)
