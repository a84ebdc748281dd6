"""Tells folders of images from those of masks, and of what was drawn from the images, by their names."""

import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache

from workers.ingest.archive import Member
from workers.ingest.paths.layout import common_folders, pictures
from workers.ingest.paths.role_words import Role

_DRAWN = frozenset(
    (
        "vis", "viz", "visual", "visuals", "visualization", "visualizations", "visualisation",
        "visualisations", "overlay", "overlays", "blend", "blended", "thumb", "thumbs", "thumbnail",
        "thumbnails", "preview", "previews", "pred", "preds", "prediction", "predictions", "heatmap",
        "heatmaps", "seg", "segs", "semantic", "instance", "instances", "panoptic", "depth", "color",
        "colored", "coloured", "segmentationclassvisualization", "segmentationobjectvisualization",
        "segmentationclasspng", "segmentationobject",
    )
)  # fmt: skip
"""Words of folders whose pictures are drawn from a set, and are not its images."""

_WORDS = re.compile(r"[\s_.-]+")


class FolderKinds:
    """What the names of the folders say of the pictures in them; one that all lie in says nothing."""

    def __init__(self, members: Sequence[Member]) -> None:
        """`members` are pictures."""
        self._roles = {posixpath.dirname(one.member.path): one.role for one in pictures(members)}
        self._top = common_folders([one.path for one in members])

    def has_images(self, path: str) -> bool:
        """Whether no folder says that the picture is a mask, or drawn from an image."""
        folder = posixpath.dirname(path)
        return self._roles[folder] is not Role.MASK and not _is_drawn(folder, self._top)

    def is_called_images(self, path: str) -> bool:
        """Whether a folder says that the picture is an image."""
        return self._roles[posixpath.dirname(path)] is Role.IMAGE and self.has_images(path)


def shared_parts(paths: Sequence[list[str]]) -> int:
    """How many parts all paths have in common from their start."""
    first, last = min(paths), max(paths)
    same = (one == other for one, other in zip(first, last, strict=False))
    return next((depth for depth, equal in enumerate(same) if not equal), min(len(first), len(last)))


@lru_cache(maxsize=1 << 12)
def _is_drawn(folder: str, top: int) -> bool:
    parts = folder.casefold().split("/")[top:]
    return any(word in _DRAWN for part in parts for word in _WORDS.split(part))
