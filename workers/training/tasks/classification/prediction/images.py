"""Classes of image files, written as JSON, as a table and as a picture."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainyard.storage.json_files import write_json, write_text
from workers.training.data.picture_files import read_image, write_picture
from workers.training.tasks.classification.labels.sheets import INK, Panel, framed, names_of, sheet
from workers.training.tasks.classification.prediction.predictor import AT_ONCE, LabelPredictor, Prediction

DRAWN = 60
"""Images that are on the sheet, the first ones; the other files have all."""


def predict_images(predictor: LabelPredictor, images: Sequence[Path], out: Path) -> None:
    """Write predictions.json, all classes of each image by probability; predictions.csv, a column for each
    class; and predictions.png, the first images with their classes. Says them on a line for each image.

    Raises InvalidRequest and StorageUnavailable.
    """
    out.mkdir(parents=True, exist_ok=True)
    found: list[tuple[Path, Prediction]] = []
    panels: list[Panel] = []
    for path, panel, prediction in _predicted(predictor, images):
        found.append((path, prediction))
        panels += [panel] if len(panels) < DRAWN else []
        print(f"{path.name}:", _most(predictor, prediction), flush=True)
    told = [{"image": str(path), "classes": predictor.told(one)} for path, one in found]
    write_json(out / "predictions.json", {"task": predictor.form, "images": told})
    write_text(out / "predictions.csv", _table(predictor, found))
    write_picture(sheet(panels), out / "predictions.png")


def _predicted(predictor: LabelPredictor, images: Sequence[Path]) -> Iterator[tuple[Path, Panel, Prediction]]:
    """A few are in memory at a time."""
    for start in range(0, len(images), AT_ONCE):
        paths = images[start : start + AT_ONCE]
        pictures = [read_image(path, predictor.depth) for path in paths]
        for path, picture, one in zip(paths, pictures, predictor.predict(pictures), strict=True):
            lines = [(path.name, INK), (_most(predictor, one), INK)]
            yield path, Panel(image=framed(picture), lines=lines), one


def _most(predictor: LabelPredictor, prediction: Prediction) -> str:
    """The classes that it has, each with its probability."""
    said = [
        f"{one['name']} {one['probability']:.1%}" for one in predictor.told(prediction) if one["predicted"]
    ]
    return ", ".join(said) or names_of((), ())


def _table(predictor: LabelPredictor, found: Sequence[tuple[Path, Prediction]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", "predicted", *(info.name for info in predictor.classes)])
    for path, one in found:
        chosen = ";".join(info.name for info, yes in zip(predictor.classes, one.has, strict=True) if yes)
        table.writerow([str(path), chosen, *(f"{value:.6g}" for value in one.probabilities)])
    return text.getvalue()
