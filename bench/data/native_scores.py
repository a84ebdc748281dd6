"""mIoU of CamVid at the images' own resolution: all eleven classes, void pixels left out."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from bench.data.camvid import VOID
from workers.prepared.version import Uint8
from workers.training.tasks.segmentation.labels.metrics import scores_of

Ious = tuple[float | None, ...]


def native_ious(predict: Callable[[Uint8], Uint8], files: Sequence[tuple[Path, Path]]) -> Ious:
    """The IoU of each class; `predict` maps an image, (H, W, 3) RGB, to its class indices, (H, W)."""
    counts = np.zeros((VOID, VOID), np.int64)
    for image_file, mask_file in files:
        predicted = predict(cv2.cvtColor(cv2.imread(str(image_file)), cv2.COLOR_BGR2RGB))
        truth = cv2.imread(str(mask_file), cv2.IMREAD_UNCHANGED)
        labelled = truth < VOID
        pairs = truth[labelled].astype(np.int64) * VOID + predicted[labelled]
        counts += np.bincount(pairs, minlength=VOID * VOID).reshape(VOID, VOID)
    return scores_of(torch.from_numpy(counts))[1]


def mean(ious: Ious) -> float:
    """mIoU over the classes that occur."""
    present = [iou for iou in ious if iou is not None]
    return sum(present) / len(present)


def print_table(names: Sequence[str], columns: dict[str, Ious]) -> None:
    """Each class's IoU and their mean, as a table in Markdown."""
    print(f"| class | {' | '.join(columns)} |")
    print(f"|---|{'---|' * len(columns)}")
    rows = [(name, *(ious[place] for ious in columns.values())) for place, name in enumerate(names)]
    rows.append(("**mean**", *(mean(ious) for ious in columns.values())))
    for name, *values in rows:
        print(f"| {name} | {' | '.join('-' if value is None else f'{value:.3f}' for value in values)} |")
