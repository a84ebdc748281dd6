"""What a model makes of one image as a whole, in the forms that clients ask for."""

from typing import Any

from trainyard.errors import InvalidRequest
from trainyard.library.prediction import CLASS_MAP, JSON, OVERLAY, TILES, PredictionJob
from trainyard.storage.files import PredictionFolder
from workers.predict.received import received_image
from workers.training.data.picture_files import write_picture
from workers.training.tasks.classification.labels.sheets import INK, Panel, names_of, sheet
from workers.training.tasks.classification.prediction.predictor import LabelPredictor


def predict_labels(
    predictor: LabelPredictor, job: PredictionJob, folder: PredictionFolder, place: int
) -> dict[str, Any]:
    """Tell how probable each class of the job's image at `place`, from 0, is, and write the picture that the
    job wants: the image above its classes.

    Raises InvalidRequest for what is no image and for forms that there are none of, and StorageUnavailable.
    """
    forms = {job.form, *job.pictures}
    if CLASS_MAP in forms:
        raise InvalidRequest(
            "The model tells classes of whole images, of which there is no class map.",
            remedy=f"Ask for the form {JSON} or {OVERLAY}.",
            errors={"form": [f"of this model: {JSON}, {OVERLAY}"]},
        )
    if job.way == TILES:
        raise InvalidRequest(
            "The model tells classes of whole images, not of tiles.",
            errors={"way": ["of this model: trained, resize"]},
        )
    image, notice = received_image(job, folder, place, predictor.depth)
    (prediction,) = predictor.predict([image])
    if OVERLAY in forms:
        lines = [(names_of(predictor.classes, prediction.has), INK)]
        write_picture(sheet([Panel(image=image, lines=lines)]), folder.picture(place, OVERLAY))
    colors = {info.index: list(info.color) for info in predictor.classes}
    told = predictor.told(prediction)
    height, width = image.shape[:2]
    return {
        "name": job.names[place],
        "width": width,
        "height": height,
        "notices": [notice] if notice else [],
        "classes": [{**one, "color": colors[int(str(one["index"]))]} for one in told],
    }
