"""Objects found in image files, written as JSON, as a table, as COCO and as pictures."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainyard.errors import InvalidRequest
from trainyard.storage.json_files import write_json, write_text
from workers.training.data.picture_files import read_image, write_picture
from workers.training.tasks.detection.labels.truth import SceneAnswer
from workers.training.tasks.detection.prediction.predictor import ObjectPredictor, as_rle, boxes_of


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """An image file, its height and width, and what is found in it."""

    path: Path
    size: tuple[int, int]
    answer: SceneAnswer


def predict_images(predictor: ObjectPredictor, images: Sequence[Path], out: Path) -> None:
    """Write predictions.json, all detections of each image; predictions.csv, a line for each;
    predictions.coco.json, a COCO file of those that are believed; and `<name>.png`, the image with those.
    Says on a line for each image what is in it.

    Raises InvalidRequest and StorageUnavailable.
    """
    _refuse_equal_names(images)
    out.mkdir(parents=True, exist_ok=True)
    seen: list[_Seen] = []
    for path in images:
        image = read_image(path, predictor.depth)
        answer = predictor.predict(image)
        write_picture(predictor.drawn(image, answer), out / f"{path.stem}.png")
        seen.append(_Seen(path=path, size=(image.shape[0], image.shape[1]), answer=answer))
        print(f"{path.name}:", _said(predictor, answer), flush=True)
    told = [
        {
            "image": str(one.path),
            "width": one.size[1],
            "height": one.size[0],
            "objects": predictor.told(one.answer, one.size),
        }
        for one in seen
    ]
    content = {"task": predictor.form, "threshold": predictor.threshold, "images": told}
    write_json(out / "predictions.json", content)
    write_text(out / "predictions.csv", _table(predictor, seen))
    write_json(out / "predictions.coco.json", _coco(predictor, seen))


def _said(predictor: ObjectPredictor, answer: SceneAnswer) -> str:
    """How many objects of each class are believed."""
    classes = predictor.believed(answer).classes.tolist()
    counts = [(info.name, classes.count(info.index)) for info in predictor.classes]
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "nothing"


def _table(predictor: ObjectPredictor, seen: Sequence[_Seen]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", "class", "score", "predicted", "left", "top", "width", "height"])
    for one in seen:
        for row in predictor.told(one.answer, one.size):
            place = [str(one.path), row["name"], f"{row['score']:.6g}", str(row["predicted"]).lower()]
            table.writerow([*place, *row["box"]])
    return text.getvalue()


def _coco(predictor: ObjectPredictor, seen: Sequence[_Seen]) -> dict[str, Any]:
    """As annotation tools and this service read it, with the score of each."""
    annotations: list[dict[str, Any]] = []
    for image, one in enumerate(seen):
        answer = predictor.believed(one.answer)
        for place, box in enumerate(boxes_of(answer)):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(answer.classes[place]),
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                    "score": float(answer.scores[place]),
                    **(
                        {}
                        if answer.outlines is None
                        else {"segmentation": as_rle(answer.outlines[place], one.size)}
                    ),
                }
            )
    images = [
        {"id": image, "file_name": one.path.name, "width": one.size[1], "height": one.size[0]}
        for image, one in enumerate(seen)
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": info.index, "name": info.name} for info in predictor.classes],
    }


def _refuse_equal_names(images: Sequence[Path]) -> None:
    names = [path.stem for path in images]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidRequest(f"Two images would be written to {twice[0]}.png: rename one.")
