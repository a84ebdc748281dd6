"""Cityscapes' labels: ids as drawn, the 19 classes that are trained, and the colours of pictures.

Source: https://github.com/mcordts/cityscapesScripts, cityscapesscripts/helpers/labels.py.
"""

from workers.ingest.items import Color
from workers.ingest.regions.masks import IGNORED

NAMES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
    "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
"""The names of the train ids 0 to 18."""

COLORS: tuple[Color, ...] = (
    (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153), (153, 153, 153),
    (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152), (70, 130, 180), (220, 20, 60),
    (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100), (0, 80, 100), (0, 0, 230), (119, 11, 32),
)  # fmt: skip
"""The colours of the train ids 0 to 18."""

LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""The label ids of the train ids 0 to 18; all others are not trained."""

_VOID_COLORS: tuple[Color, ...] = (
    (0, 0, 0), (111, 74, 0), (81, 0, 81), (250, 170, 160), (230, 150, 140), (180, 165, 180), (150, 100, 100),
    (150, 120, 90), (0, 0, 90), (0, 0, 110),
)  # fmt: skip

COLOR_TABLE: dict[Color, int] = {
    **dict.fromkeys(_VOID_COLORS, IGNORED),
    **{color: value for value, color in enumerate(COLORS)},
}
"""The train id of each colour, IGNORED for those that are not trained."""
