"""The squares of a split as the images that they are cut from: those are what a report counts and shows."""

from itertools import groupby

from workers.prepared.version import Uint8
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, TiledDataset


class WholeImages:
    """The images of a split that is not empty, in order; the squares of each lie one after the other."""

    def __init__(self, squares: SegmentationDataset) -> None:
        self._squares = squares
        places = range(len(squares))
        groups = groupby(places, key=lambda place: squares.samples[place].image_offset)
        self._places = [list(group) for _, group in groups]
        self.of_square = [image for image, group in enumerate(self._places) for _ in group]
        """By the place of a square: the image that it is of."""

    def __len__(self) -> int:
        return len(self._places)

    def name(self, image: int) -> str:
        """The image's name."""
        return self._squares.samples[self._places[image][0]].name

    def places(self, image: int) -> list[int]:
        """Where its squares are in the split."""
        return self._places[image]

    def size(self, image: int) -> tuple[int, int]:
        """Height and width of what its squares make together: of a tiled image its own."""
        if isinstance(self._squares, TiledDataset):
            sample = self._squares.samples[self._places[image][0]]
            return sample.height, sample.width
        return self._squares.side, self._squares.side

    def paste(self, picture: Uint8, place: int, part: Uint8) -> None:
        """Put what belongs to a square, (S, S) or (S, S, 3), where it is in the picture of its image."""
        top, left = self._squares.corners[place] if isinstance(self._squares, TiledDataset) else (0, 0)
        target = picture[top : top + len(part), left : left + len(part)]
        target[:] = part[: target.shape[0], : target.shape[1]]  # the last ones reach beyond the image
