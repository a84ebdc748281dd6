"""Layouts whose images and masks have other numbers: exchanged ones, or counted from elsewhere."""

from tests.ingest.layouts.layout import Draw, Layout, white_builder
from tests.ingest.layouts.words import CLEAR_FOLDERS

_TILES = ("{0}_{1}", "tile_{0}_{1}", "{0:02}-{1:02}", "area7_{0}_{1}", "{0}x{1}", "{0}/{1}", "{0}_{1}_3")
_GRIDS = ((3, 3), (4, 4), (3, 4), (2, 5), (2, 2))
_COUNTED = ("{}", "{:03}", "img_{}", "scan{:04}", "p3_{}")


def _folders(words: tuple[str, str]) -> str:
    return "/".join(words)


def tiles(draw: Draw) -> Layout:
    """Tiles of a grid whose masks are called by column and row, or as their images are."""
    builder = white_builder(draw)
    name = draw.pick("tiles", _TILES)
    rows, columns = draw.pick(
        "grid", ((3, 3), (4, 4), (3, 4), (2, 5), (2, 2)), name=lambda grid: f"{grid[0]} x {grid[1]}"
    )
    is_exchanged = draw.pick("numbers", ("exchanged", "equal")) == "exchanged"
    images, masks = draw.pick("words", CLEAR_FOLDERS, name=_folders)
    for row in range(rows):
        for column in range(columns):
            cell = (column, row) if is_exchanged else (row, column)
            builder.pair(f"{images}/{name.format(row, column)}.png", f"{masks}/{name.format(*cell)}.png")
    return builder.layout()


def counted_from_elsewhere(draw: Draw) -> Layout:
    """Images and masks of which each is counted from a number of its own."""
    builder = white_builder(draw)
    name = draw.pick("counted", _COUNTED)
    shift = draw.pick("shift", (1, 2, 100, 1000))
    images, masks = draw.pick("words", CLEAR_FOLDERS, name=_folders)
    numbers = draw.pick(
        "gaps", ((0, 1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 5, 8, 13, 21)), name=lambda some: str(some[-1])
    )
    of_images = draw.chance(0.5)
    for number in numbers:
        image, mask = (number + shift, number) if of_images else (number, number + shift)
        builder.pair(f"{images}/{name.format(image)}.png", f"{masks}/{name.format(mask)}.png")
    return builder.layout()
