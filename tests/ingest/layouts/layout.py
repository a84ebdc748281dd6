"""A layout: the files of a data set as it is published, and what a careful reader finds in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

import numpy as np

from tests.ingest.layouts.scenes import (
    BINARY_CODES,
    CLASS_CODES,
    LEVEL_CODES,
    OBJECT_CODES,
    Array,
    Scene,
    picture,
    scene,
)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The truth of one image: the class of each pixel, (H, W) uint8, its files of masks, and its split.

    Class 0 is background, 255 is ignored. `split` is train, val or test, None where the set says none.
    """

    labels: Array
    masks: tuple[str, ...]
    split: str | None


@dataclass(frozen=True, kw_only=True)
class Unmasked:
    """An image without a mask. `is_background` says whether the set tells that it shows nothing."""

    labels: Array
    split: str | None
    is_background: bool


@dataclass(frozen=True, kw_only=True)
class Layout:
    """`files` is the upload, in order. `pairs` and `unmasked` are the truth, by the image's path.

    `views` are other pictures of the same scene, such as bands, with the image that each may stand for.
    `also` are other truths that the files allow: whoever takes one of several has to say so.
    `tolerance` is the share of pixels of a class that may differ where masks were compressed. `traits` say
    how the layout was drawn, for counting.
    """

    seed: int
    traits: Mapping[str, str]
    files: Mapping[str, bytes]
    pairs: Mapping[str, Labelled]
    unmasked: Mapping[str, Unmasked]
    views: Mapping[str, str]
    also: tuple[Mapping[str, Labelled], ...] = ()
    tolerance: float = 0.0

    def tree(self, longest: int = 24) -> str:
        """The paths, sorted, one a line: images with their masks and splits, and the other files."""
        of_pairs = {mask for one in self.pairs.values() for mask in one.masks}
        lines = []
        for path in sorted(self.files.keys() - of_pairs):
            one = self.pairs.get(path)
            note = f"  <- {', '.join(one.masks)}" + (f"  [{one.split}]" if one.split else "") if one else ""
            lines.append(f"    {path}{note}" + ("  (image without mask)" if path in self.unmasked else ""))
        more = len(lines) - longest
        return "\n".join(lines[:longest] + ([f"    ... and {more} more"] if more > 0 else []))


class Draw:
    """Random choices that are remembered as traits; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.traits: dict[str, str] = {}

    def pick(self, trait: str, options: Sequence[T], name: Callable[[T], str] = str) -> T:
        """One of the options, noted under the trait's name."""
        chosen = self.random.choice(options)
        self.traits[trait] = name(chosen)
        return chosen

    def one_of(self, options: Sequence[T]) -> T:
        """One of the options, not noted."""
        return self.random.choice(options)

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random.random() < share


@dataclass
class MaskCode:
    """How masks are written: `write` makes the picture of classes, or with `of_objects` of objects."""

    name: str
    write: Callable[[Array], object]
    classes: int = 1
    of_objects: bool = False
    endings: tuple[str, ...] = ("png", "tif", "bmp")


def draw_code(draw: Draw, *, binary_only: bool = False) -> MaskCode:
    """A way to write masks, and how many classes they have."""
    kind = (
        "one class"
        if binary_only
        else draw.one_of(("one class",) * 5 + ("classes",) * 3 + ("greys", "objects"))
    )
    if kind == "one class":
        name = draw.pick("values", ("0/255",) * 4 + tuple(BINARY_CODES))
        gif = ("gif",) if name in ("0/255", "white in a palette") else ()
        return MaskCode(name, BINARY_CODES[name], endings=("png", "png", "tif", "bmp", *gif))
    if kind == "greys":
        name = draw.pick("values", tuple(LEVEL_CODES))
        return MaskCode(name, LEVEL_CODES[name], classes=2)
    if kind == "objects":
        name = draw.pick("values", tuple(OBJECT_CODES))
        return MaskCode(name, OBJECT_CODES[name], of_objects=True, endings=("png", "tif"))
    name = draw.pick("values", tuple(CLASS_CODES))
    endings = ("png", "bmp", "gif") if name == "palette" else ("png", "tif", "bmp")
    return MaskCode(name, CLASS_CODES[name], classes=draw.one_of((2, 3, 4)), endings=endings)


@dataclass
class Builder:
    """Collects the files and the truth of a layout."""

    draw: Draw
    code: MaskCode
    size: tuple[int, int] = (40, 32)
    sizes_vary: bool = False
    is_grey: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    pairs: dict[str, Labelled] = field(default_factory=dict)
    unmasked: dict[str, Unmasked] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    also: list[dict[str, Labelled]] = field(default_factory=list)
    tolerance: float = 0.0
    _scenes: int = 0

    def scene(self, kinds: Sequence[int] | None = None) -> Scene:
        """A new scene; without `kinds`, of objects that fit the masks' code."""
        self._scenes += 1
        number = self._scenes
        wanted = self._kinds(number) if kinds is None else kinds
        more = 4 * (number % 4) if self.sizes_vary else 0
        return scene(self.draw.seed * 1000 + number, (self.size[0] + more, self.size[1] + more), wanted)

    def _kinds(self, number: int) -> list[int]:
        """Classes so that each occurs, some twice in an image, and images without the first have others."""
        random, classes = self.draw.random, self.code.classes
        if self.code.of_objects:
            return [1] * (9 if number == 3 else random.randint(2, 7))
        if classes == 1:
            return [1] * random.randint(1, 3)
        if number == 1:
            return list(range(1, classes + 1))
        if number == 2:
            return [classes, classes]
        return [random.randint(1, classes) for _ in range(random.randint(2, 4))]

    def add(self, path: str, data: bytes) -> None:
        """Add a file; raises ValueError where there is one of that path."""
        if path in self.files:
            raise ValueError(f"layout {self.draw.seed}: two files are called {path}")
        self.files[path] = data

    def image(self, path: str, photo: Array) -> None:
        """Add a photograph in the format of its ending."""
        pixels = photo.mean(2).astype(np.uint8) if self.is_grey and photo.ndim == 3 else photo
        self.add(path, picture(pixels, path.rpartition(".")[2]))

    def mask(self, path: str, labels: Array, objects: Array) -> None:
        """Add a mask in the layout's code."""
        written = self.code.write(objects if self.code.of_objects else labels)
        self.add(path, picture(written, path.rpartition(".")[2]))  # type: ignore[arg-type]

    def pair(self, image: str, mask: str, split: str | None = None, seen: Scene | None = None) -> Scene:
        """Add a scene as an image with one mask."""
        seen = seen or self.scene()
        self.image(image, seen.photo)
        self.mask(mask, seen.labels, seen.objects)
        self.pairs[image] = Labelled(labels=seen.labels, masks=(mask,), split=split)
        return seen

    def pair_of_parts(
        self,
        image: str,
        parts: Mapping[str, Sequence[int]],
        seen: Scene,
        labels: Array,
        split: str | None = None,
    ) -> None:
        """Add a scene as an image with a mask for each part: the numbers of the objects that it shows.

        `labels` is the truth of the image.
        """
        self.image(image, seen.photo)
        for path, objects in parts.items():
            shown = seen.part(objects)
            self.mask(path, (shown > 0).astype(shown.dtype), shown)
        self.pairs[image] = Labelled(labels=labels, masks=tuple(parts), split=split)

    def alone(self, image: str, split: str | None = None, *, is_background: bool = False) -> None:
        """Add an image without a mask; of a scene without objects where that is what the set says."""
        seen = self.scene(()) if is_background else self.scene()
        self.image(image, seen.photo)
        nothing = seen.labels * 0
        self.unmasked[image] = Unmasked(labels=nothing, split=split, is_background=is_background)

    def layout(self) -> Layout:
        """What was collected, with the files in some order."""
        paths = list(self.files)
        if self.draw.chance(0.5):
            self.draw.random.shuffle(paths)
        return Layout(
            seed=self.draw.seed,
            traits=self.draw.traits,
            files={path: self.files[path] for path in paths},
            pairs=self.pairs,
            unmasked=self.unmasked,
            views=self.views,
            also=tuple(self.also),
            tolerance=self.tolerance,
        )


def white_builder(draw: Draw) -> Builder:
    """A builder of masks of one class, white or 1."""
    name = draw.pick("values", ("0/255", "0/255", "0/1"))
    return Builder(draw, MaskCode(name, BINARY_CODES[name]), size=(56, 48))
