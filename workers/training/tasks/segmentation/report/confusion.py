"""The confusion of classes as a picture, for TensorBoard and for runs beside each other."""

from trainyard.storage.files import RunFolder
from workers.training.data.picture_files import write_picture
from workers.training.report.png_charts import matrix_picture
from workers.training.tasks.segmentation.report.split import SplitReport

SHOWN = 30
"""Classes that can still be read; of more, those with the most pixels in truth."""


def write_confusion(split: SplitReport, folder: RunFolder) -> None:
    """Write `<split>-confusion.png`; none of a multilabel task, whose classes do not exclude each other.

    Raises StorageUnavailable.
    """
    counts, shares = (split.numbers["confusion"][name] for name in ("counts", "row_normalised"))
    if isinstance(counts[0][0], list):
        return
    largest = sorted(range(len(counts)), key=lambda index: -sum(counts[index]))
    shown = sorted(largest[:SHOWN])
    names = [split.numbers["classes"][index]["name"] for index in shown]
    picture = matrix_picture(names, [[shares[row][column] for column in shown] for row in shown])
    write_picture(picture, folder.figures / f"{split.name}-confusion.png")
