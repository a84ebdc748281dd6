"""What each number of the report means, as printed in it."""

from trainyard.tasks.classification import MULTILABEL
from workers.training.report import calibration
from workers.training.tasks.classification.labels.answers import THRESHOLD

_EACH = {
    "Images": "Seen at the network's input, as in validation; each counts once.",
    "acc@k": "The share of images of which a true class is among the k most probable ones.",
    "Precision": "Of the images that are said to have a class, the share that has it.",
    "Recall": "Of the images that have a class, the share that is said to have it; micro over all labels, "
    "macro the mean over classes.",
    "F1": "2 precision recall / (precision + recall); the mean over classes that are true or predicted.",
    "AP, mAP": "The sum of recall gained times precision over falling probability, without interpolation; "
    "the mean over classes that occur.",
    "AUROC": "The area under true against false positives, each class against the rest; the mean over "
    "classes that some images have and some have not.",
    "Kappa": "Cohen's: how far answers and labels agree beyond chance, 1 where they always do.",
    "ECE": f"Expected calibration error with {calibration.BINS} equal bins of the predicted class's "
    "probability (Guo et al., ICML 2017): the mean distance between how sure the network is and how often it "
    "is right.",
    "Worst images": "Those whose true class the network finds the least probable.",
}
_MULTILABEL = {
    "Classes of an image": f"An image has each class whose probability is above {THRESHOLD}: several, "
    "one or none.",
    "acc@k": "The share of images with any label of which one is among the k most probable classes.",
    "Kappa": "Cohen's, of each class by itself, averaged.",
    "ECE": f"Expected calibration error with {calibration.BINS} equal bins over the answers, one per image "
    "and class, each sure by its probability p or, where it is no, by 1 - p.",
    "Worst images": "Those whose answers, averaged over the classes, the network finds the least probable.",
}


def definitions(form: str) -> dict[str, str]:
    """A sentence or two for each number."""
    return {**_EACH, **(_MULTILABEL if form == MULTILABEL else {})}
