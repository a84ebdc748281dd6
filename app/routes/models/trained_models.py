"""/trained-models: the registry, and what a model is asked"""

from typing import Any

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.answers.conditional import file_response
from app.http.requests.arguments import Blueprint
from app.schemas.fields import page_schema
from app.schemas.models.trained_models import (
    EXAMPLE,
    PREFIX,
    ModelChangeSchema,
    ModelListQuery,
    ModelRequestSchema,
    TrainedModelSchema,
)
from app.service.models.models import ModelRequest
from trainyard.library.trained_model import TrainedModel
from trainyard.registry.models import ModelQuery
from trainyard.store.records import Page

blueprint = Blueprint(
    "trained-models", __name__, url_prefix=PREFIX, description="Trained models, by name, version and stage."
)
_BINARY = "application/octet-stream"


@blueprint.route("")
class TrainedModels(MethodView):
    @blueprint.arguments(ModelListQuery, location="query")
    @blueprint.response(200, page_schema(TrainedModelSchema))
    def get(self, query: ModelQuery) -> Page[TrainedModel]:
        """List models, newest first."""
        return services().models.page(query)

    @blueprint.alt_response(409, schema="Error", description="the run has no export")
    @blueprint.arguments(ModelRequestSchema, example=EXAMPLE)
    @blueprint.response(201, TrainedModelSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: ModelRequest) -> tuple[TrainedModel, int, dict[str, str]]:
        """Register a completed run as the next version of a name.

        The model gets files of its own: the run and its data set may be deleted afterwards. The same export
        under the same name again answers with the model that there is.
        """
        created, model = services().models.register(body)
        headers = {"Location": f"{PREFIX}/{model.id}"} | ({} if created else {"Idempotent-Replayed": "true"})
        return model, 201, headers


@blueprint.route("/<model_id>")
class OneTrainedModel(MethodView):
    @blueprint.response(200, TrainedModelSchema)
    def get(self, model_id: str) -> TrainedModel:
        """Read a model: its version, its stage, its files, and what it was made of."""
        return services().models.get(model_id)

    @blueprint.arguments(ModelChangeSchema, example={"stage": "production"})
    @blueprint.response(200, TrainedModelSchema)
    def patch(self, body: dict[str, Any], model_id: str) -> TrainedModel:
        """Give a model another stage or other notes."""
        return services().models.change(model_id, body.get("stage"), body.get("notes"))

    @blueprint.alt_response(409, schema="Error", description="the model is in production")
    @blueprint.response(204)
    def delete(self, model_id: str) -> None:
        """Delete a model with its files; refused while it is in production."""
        services().models.remove(model_id)


@blueprint.route("/<model_id>/files/<name>")
class ModelFileOf(MethodView):
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_BINARY)
    def get(self, model_id: str, name: str) -> Response:
        """Download a file of the model: `model.onnx`, another precision, or `card.json`, its description."""
        model, path = services().models.file(model_id, name)
        return file_response(request, path, _BINARY, f"{model.id}-v{model.version}-{path.name}")
