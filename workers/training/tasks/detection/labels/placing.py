"""What a network finds in a square, in pixels of the image that the square was made of. Without torch."""

import cv2
import numpy as np

from workers.prepared.run_lengths import compressed, runs_of
from workers.prepared.version import Uint8
from workers.training.tasks.detection.labels.objects import Floats, Frame, Numbers
from workers.training.tasks.detection.labels.truth import SceneAnswer

INSIDE = 0.5
"""A pixel is of an object where it is that probable."""


def placed(
    boxes: Floats, classes: Numbers, scores: Floats, masks: Floats | None, frame: Frame
) -> SceneAnswer:
    """The detections of an image, the most probable first; `masks` are (M, 28, 28), how probable each place
    of a box is."""
    order = np.argsort(-scores, kind="stable")
    own = frame.into_image(boxes[order])
    outlines = None
    if masks is not None:
        outlines = [
            compressed(runs_of(filled(box, mask, frame.height, frame.width)))
            for box, mask in zip(own, masks[order], strict=True)
        ]
    return SceneAnswer(boxes=own, classes=classes[order], scores=scores[order], outlines=outlines)


def filled(box: Floats, mask: Floats, height: int, width: int) -> Uint8:
    """The pixels of an object, (height, width) uint8 of 0 and 1, by how probable the places of its box are.

    As He et al., "Mask R-CNN", 2017, do it, and torchvision's `paste_masks_in_image`: with a border of one
    place, so that what lies at the rim of the box is not cut off, and between whole pixels.
    """
    side = mask.shape[0]
    bordered = np.pad(mask, 1)
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * ((side + 2) / side)
    left, top = (int(place) for place in middle - half)
    right, bottom = (int(place) for place in middle + half)
    across, down = max(right - left + 1, 1), max(bottom - top + 1, 1)
    drawn = cv2.resize(bordered, (across, down), interpolation=cv2.INTER_LINEAR) > INSIDE
    picture = np.zeros((height, width), np.uint8)
    rows = slice(max(top, 0), min(top + down, height))
    columns = slice(max(left, 0), min(left + across, width))
    picture[rows, columns] = drawn[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return picture
