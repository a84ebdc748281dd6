"""What each number of the report means, as printed in it."""

from workers.training.report import calibration, curves
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL, THRESHOLD
from workers.training.tasks.segmentation.report.boundary import TOLERANCE_SHARE, tolerance


def definitions(size: int, task: str) -> dict[str, str]:
    """A sentence or two for each number; `size` is the side of the network's input, in pixels."""
    return {**_of_each_task(size), **(_MULTILABEL if task == MULTILABEL else {})}


_MULTILABEL = {
    "Classes of a pixel": (
        f"A pixel has each class whose probability is above {THRESHOLD}: several, one or none. Each class is "
        "scored by itself over every pixel; a confusion matrix has absent before present."
    ),
    "Pixel share": "The part of all pixels that have the class; shares may add up to more than 1.",
    "Pixels right": "The share of right answers, of which each pixel has one per class.",
    "ECE": (
        f"Expected calibration error with {calibration.BINS} equal bins (Guo et al., ICML 2017) over the "
        "answers, one per pixel and class, each sure by its probability p or, where it is no, by 1 - p."
    ),
    "Wrong": "A pixel of a picture is wrong where any of its classes is.",
}


def _of_each_task(size: int) -> dict[str, str]:
    reach = tolerance(size, size)
    return {
        "Pixels": (
            f"Counted over all images of the split at the network's input, {size} x {size} pixels, as in "
            "training; ignored pixels are left out. TP, FP and FN are the pixels of a class found, wrongly "
            "claimed and missed."
        ),
        "IoU": "TP / (TP + FP + FN), over the whole split.",
        "mIoU": (
            "The mean of the IoU over the classes that occur in truth or prediction; "
            "absent classes are left out."
        ),
        "Dice": "2 TP / (2 TP + FP + FN); the mean leaves out the same classes.",
        "Precision": "TP / (TP + FP).",
        "Recall": "TP / (TP + FN).",
        "Pixel share": "A class's part of all labelled pixels.",
        "Boundary F": (
            f"F-score of outlines that lie within {reach:.2f} pixels of each other ({TOLERANCE_SHARE:.2%} of "
            "the diagonal, at least 1), per image and class, averaged over the images in which the class has "
            "an outline in truth or prediction, then over classes (Csurka, Larlus, Perronnin, BMVC 2013)."
        ),
        "ECE": (
            f"Expected calibration error with {calibration.BINS} equal bins of the predicted class's "
            "probability (Guo et al., ICML 2017): the mean distance between how sure the network is and how "
            "often it is right, weighted by pixels."
        ),
        "ROC and PR": (
            f"Each class against the rest, from histograms of {curves.BINS} bins of log-odds between "
            f"-{curves.LIMIT:g} and {curves.LIMIT:g}: probabilities in one bin count as equal. AP is the sum "
            "of recall gained times precision, without interpolation."
        ),
        "Image mIoU": "The mIoU of one image alone; the worst images are those where it is lowest.",
    }
