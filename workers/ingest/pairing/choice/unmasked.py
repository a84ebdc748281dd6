"""Images without masks: nothing to be seen in them, or nobody has drawn it yet."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from workers.ingest.paths.layout import Picture, without
from workers.ingest.paths.words import words
from workers.ingest.problems import Offer, ProblemLog

NOTHING_WORDS = frozenset(
    (
        "good", "ok", "okay", "normal", "normals", "healthy", "negative", "negatives", "clean", "empty",
        "background", "defectfree", "nodefect", "nofinding", "nofindings", "nontumor",
        "gesund", "unauffällig", "negativ", "sain", "saine", "sains", "négatif", "sano", "sana", "normales",
        "negativo", "negativos", "saudável", "sani", "gezond", "норма", "здоровые", "正常", "健康",
        "阴性", "良品", "陰性", "정상",
    )
)  # fmt: skip
"""Words of folders whose images show nothing of what masks would outline."""

_NOT = frozenset(("no", "non", "without", "kein", "keine", "ohne", "sans", "sin", "sem", "senza", "без"))
_FEW_SHARE = 0.1
"""Images and masks that both stay alone are odd files up to this share of the pairs, else mistaken."""


def names_nothing(folder: str) -> bool:
    """Whether a folder says that nothing is to be seen in its images."""
    said = words(folder)
    return bool(said) and ("".join(said) in NOTHING_WORDS or said[-1] in NOTHING_WORDS or said[0] in _NOT)


def background_images(
    paired: Sequence[Picture],
    alone: list[Picture],
    lone_masks: int,
    option: Literal["background", "leave_out"] | None,
    log: ProblemLog,
) -> list[Picture]:
    """Those of the images without masks that are all background; the others are told of and left out.

    Without an option, an image is background where its folder says so; a split without any mask is left out;
    and where few images lack one, they are. Else it is asked.
    """
    if option == "background":
        return alone
    told = [one for one in alone if option is None and tells_nothing(one, paired)]
    alone = without(alone, told)
    if told:
        log.guess(f"{len(told)} images without masks, such as {told[0].member.path}, are all background")
    if option is None:
        alone = _without_bare_splits(paired, alone, log)
    if not alone:
        return told
    both_alone = min(len(alone), lone_masks) >= max(2, _FEW_SHARE * len(paired))
    if option is None and (len(alone) > len(paired) or both_alone):
        return told + (alone if _asked(paired, alone, lone_masks, log) == "background" else [])
    for picture in alone:
        log.warning(
            "image_without_mask",
            picture.member.path,
            "The image has no mask and is left out.",
            "Add a mask of the same name, or take the image out. Where images without masks show nothing of "
            "what is to be learned, send the set with `unmasked: background`.",
        )
    return told


def _asked(paired: Sequence[Picture], alone: Sequence[Picture], lone_masks: int, log: ProblemLog) -> str:
    paths = [picture.member.path for picture in alone]
    beside = f", and {lone_masks} mask(s) have no image" if lone_masks else ""
    return log.ask(
        "unmasked",
        f"{len(alone)} image(s) such as {paths[0]} have no mask, {len(paired)} have one{beside}.",
        [
            Offer(
                key="leave_out",
                text="they are not annotated and left out",
                count=len(alone),
                options={"unmasked": "leave_out"},
                examples=paths,
            ),
            Offer(
                key="background",
                text="nothing is to be seen in them: all of their pixels are background",
                count=len(alone),
                options={"unmasked": "background"},
                examples=paths,
            ),
        ],
    )


def tells_nothing(image: Picture, paired: Sequence[Picture]) -> bool:
    """Whether a folder of an image says that nothing is to be seen, and not of images with masks, too."""
    saying = {folder.name for folder in image.folders if names_nothing(folder.name)}
    return bool(saying) and not any(folder.name in saying for one in paired for folder in one.folders)


def _without_bare_splits(paired: Sequence[Picture], alone: list[Picture], log: ProblemLog) -> list[Picture]:
    """Those images of which others in their split have masks: what is published to be tested on has none."""
    with_masks = {image.split for image in paired}
    bare = Counter(image.split for image in alone if image.split not in with_masks and image.split)
    for split, count in bare.items():
        log.warning(
            "split_without_masks",
            next(image.member.path for image in alone if image.split == split),
            f"None of the {count} image(s) of the split {split} has a mask: they are left out.",
            "Nothing, if they are only to be predicted; else add their masks, or send the set with "
            "`unmasked: background` if nothing is to be seen in them.",
        )
    return [image for image in alone if image.split not in bare]
