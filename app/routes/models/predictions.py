"""/trained-models/{id}/predict"""

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.answers.conditional import opened_file
from app.http.requests.arguments import Blueprint
from app.http.requests.client import departure
from app.http.requests.multipart import read_images
from app.schemas.models.predictions import PredictionFields, PredictionFormSchema, PredictionSchema
from app.schemas.models.trained_models import PREFIX
from trainyard.library.prediction import JSON

blueprint = Blueprint(
    "predictions", __name__, url_prefix=PREFIX, description="What trained models make of images."
)
_PNG, _ZIP = "image/png", "application/zip"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"required": True, "content": {"multipart/form-data": {"schema": PredictionFormSchema}}}
_ANSWER = {
    "description": "of one image the picture, of several an archive with `predictions.json`; or JSON",
    "content": {_PNG: _BINARY, _ZIP: _BINARY, "application/json": {"schema": PredictionSchema}},
}


@blueprint.route("/<model_id>/predict")
class Predict(MethodView):
    @blueprint.doc(requestBody=_FORM, responses={200: _ANSWER})
    @blueprint.alt_response(503, schema="Error", description="no worker predicts, or too many wait")
    @blueprint.alt_response(504, schema="Error", description="it was not done in time")
    def post(self, model_id: str) -> Response:
        """Have a worker predict classes of the images' pixels by the model's ONNX file."""
        predictions, is_gone = services().predictions, departure(request)
        with predictions.receiving(model_id, is_gone) as prediction:
            asked, names = read_images(request, prediction.images, PredictionFields())
            predictions.wait(prediction, model_id, asked, names, is_gone)
            if asked.form == JSON:
                return _json(prediction.embedded(asked.pictures))
            path = prediction.picture(asked.form)
            is_archive = path.suffix == ".zip"
            name = f"{model_id}-{asked.form}{path.suffix}"
            return opened_file(path, _ZIP if is_archive else _PNG, name, as_attachment=is_archive)


def _json(content: dict[str, object]) -> Response:
    return Response(PredictionSchema().dumps(content), mimetype="application/json")
