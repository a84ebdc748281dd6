"""What each number of the report means, as printed in it."""

from trainyard.tasks.detection import INSTANCES

_EACH = {
    "IoU": "The area that a detection and an object share by that of both together.",
    "AP": "A class's precision over recall, the mean of 101 recalls, precision made to fall (COCO); the mean "
    "over IoUs of 0.5, 0.55, ... 0.95, AP50 of 0.5 alone.",
    "mAP": "The mean of AP over classes that occur; mAP50 and mAP75 of one IoU; small objects are up to 32 x "
    "32 pixels of the image as prepared, large ones from 96 x 96 on.",
    "Mean recall": "The share of objects that is found, the mean over IoUs and classes, among so many "
    "detections of an image.",
    "Threshold": "The score from which on detections are believed in tables and pictures: that of the best "
    "F1 over all classes on validation.",
    "Precision": "Of the believed detections, the share that is of an object of its class, at an IoU of 0.5.",
    "Recall": "Of the objects, the share that such a detection is of; most recall is that of all detections.",
    "F1": "2 precision recall / (precision + recall).",
    "Confusion": "Objects by class in rows, and by the class of the detection that overlaps them by half and "
    "more in columns: those that are missed stand in the last column, detections of nothing in the last row.",
    "Crowd": "Several objects that nobody has told apart: not asked for, and no detection in one is wrong.",
    "Worst images": "Those with the most objects missed and detections wrong.",
}


def definitions(form: str) -> dict[str, str]:
    """A sentence or two for each number."""
    if form != INSTANCES:
        return _EACH
    return {
        **_EACH,
        "Of outlines": "Scores of outlines compare pixels instead of boxes; AP of classes is theirs.",
    }
