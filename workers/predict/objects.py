"""What a model finds in one image, in the forms that clients ask for."""

from typing import Any

from trainyard.errors import InvalidRequest
from trainyard.library.prediction import CLASS_MAP, JSON, OVERLAY, TILES, PredictionJob
from trainyard.storage.files import PredictionFolder
from workers.predict.received import received_image
from workers.training.data.picture_files import write_picture
from workers.training.tasks.detection.prediction.predictor import ObjectPredictor


def predict_objects(
    predictor: ObjectPredictor, job: PredictionJob, folder: PredictionFolder, place: int
) -> dict[str, Any]:
    """Tell what is found in the job's image at `place`, from 0, and write the picture that the job wants:
    the image with what is believed of it.

    Raises InvalidRequest for what is no image and for forms that there are none of, and StorageUnavailable.
    """
    forms = {job.form, *job.pictures}
    if CLASS_MAP in forms:
        raise InvalidRequest(
            "The model finds objects, which may overlap: there is no class map of them.",
            remedy=f"Ask for the form {JSON} or {OVERLAY}.",
            errors={"form": [f"of this model: {JSON}, {OVERLAY}"]},
        )
    if job.way == TILES:
        raise InvalidRequest(
            "The model finds objects in whole images, not in tiles.",
            errors={"way": ["of this model: trained, resize"]},
        )
    image, notice = received_image(job, folder, place, predictor.depth)
    height, width = image.shape[:2]
    answer = predictor.predict(image)
    if OVERLAY in forms:
        write_picture(predictor.drawn(image, answer), folder.picture(place, OVERLAY))
    believed = predictor.believed(answer).classes.tolist()
    return {
        "name": job.names[place],
        "width": width,
        "height": height,
        "notices": [notice] if notice else [],
        "classes": [
            {
                "index": info.index,
                "name": info.name,
                "color": list(info.color),
                "objects": believed.count(info.index),
            }
            for info in predictor.classes
        ],
        "threshold": predictor.threshold,
        "objects": predictor.told(answer, (height, width)),
    }
