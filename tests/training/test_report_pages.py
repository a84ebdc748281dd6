"""What all reports end with: curves of learning under the names that they have, and times."""

import re
from pathlib import Path

from workers.training.report import pages
from workers.training.report.learning import Learning
from workers.training.report.pages import learning_charts, page_template

TIMES = {"training_seconds": 3.0, "validation_seconds": 1.0, "training_images_per_second": 5.0}


def captions(epochs: int, **curves: list[tuple[float, float]]) -> tuple[list[str], str]:
    """What stands under each chart, and the whole page."""
    learning = Learning(
        curves=curves, epochs=epochs, training_seconds=3.0, validation_seconds=1.0, images_per_second=5.0
    )
    page = page_template(Path(pages.__file__).with_name("page_end.html")).render(
        learning=learning_charts(learning, {"mAP50": "map50", "accuracy": "acc1"}),
        report={"times": {"epochs": epochs, **TIMES}, "definitions": {}},
        splits=[],
    )
    said = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    return [re.sub("<.*?>", "", one) for one in said], page


def test_a_chart_names_the_curves_that_it_has() -> None:
    """A detector's training knows no mAP, and a run without validation no score of it."""
    said, _ = captions(
        2,
        train_loss=[(1, 2.0), (2, 1.0)],
        val_loss=[(1, 2.5), (2, 1.5)],
        val_map50=[(2, 0.4)],
        train_acc1=[(1, 0.1)],
        lr=[(1, 0.01), (2, 0.001)],
    )
    assert said == ["loss: validation, training", "mAP50: validation", "accuracy: training", "learning rate"]


def test_one_epoch_is_told_as_one() -> None:
    point = [(1.0, 1.0)]
    assert "Training, 1 epoch<" in captions(1, train_loss=point)[1]
    assert "Training, 2 epochs<" in captions(2, train_loss=point)[1]
