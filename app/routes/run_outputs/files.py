"""/runs/{id}/metrics, /checkpoints, /overlays and /artifacts"""

from typing import Any
from urllib.parse import quote

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.answers.conditional import file_response, opened_file
from app.http.answers.inline import shown_response
from app.http.requests.arguments import Blueprint
from app.http.requests.client import departure
from app.schemas.run_outputs.files import (
    ArtifactQuery,
    ArtifactsSchema,
    CheckpointQuery,
    CheckpointsSchema,
    MetricsQuery,
    MetricsSchema,
    OverlayQuery,
    OverlaysSchema,
)
from app.schemas.runs.runs import PREFIX

blueprint = Blueprint("run-files", __name__, url_prefix=PREFIX, description="What a run leaves behind.")
_CSV = "text/csv"
_BINARY = "application/octet-stream"
_JPEG = "image/jpeg"
_ROWS = MetricsSchema()
_LISTED = {"application/json": {"schema": _ROWS}, _CSV: {"schema": {"type": "string"}}}


@blueprint.route("/<run_id>/metrics")
class Metrics(MethodView):
    @blueprint.arguments(MetricsQuery, location="query")
    @blueprint.doc(responses={"200": {"content": _LISTED}})
    @blueprint.response(200, _ROWS)
    def get(self, query: dict[str, Any], run_id: str) -> Response | dict[str, Any]:
        """Read the metrics, one row for each finished epoch, as JSON or CSV."""
        if _wants_csv(query):
            path = services().run_files.metrics_csv(run_id)
            return file_response(request, path, _CSV) if path else Response(mimetype=_CSV)
        return {"items": services().run_files.metrics(run_id)}


@blueprint.route("/<run_id>/checkpoints")
class Checkpoints(MethodView):
    @blueprint.response(200, CheckpointsSchema)
    def get(self, run_id: str) -> dict[str, Any]:
        """List the checkpoints that are there."""
        found = services().run_files.checkpoints(run_id)
        url = f"{PREFIX}/{run_id}/checkpoints"
        return {"items": [{**vars(one), "url": f"{url}/{one.name}"} for one in found]}


@blueprint.route("/<run_id>/checkpoints/<name>")
class OneCheckpoint(MethodView):
    @blueprint.alt_response(503, schema="Error", description="no worker is there that writes weights")
    @blueprint.alt_response(504, schema="Error", description="they were not written in time")
    @blueprint.arguments(CheckpointQuery, location="query")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_BINARY)
    def get(self, query: dict[str, Any], run_id: str, name: str) -> Response:
        """Download `best`, `last`, or the checkpoint of an epoch by its number; or its weights alone."""
        if query["form"] == "weights":
            with services().weights.of(run_id, name, departure(request)) as weights:
                return opened_file(weights, _BINARY, f"{run_id}-{name}.safetensors")
        path = services().run_files.checkpoint(run_id, name)
        return file_response(request, path, _BINARY, f"{run_id}-{path.name}")


@blueprint.route("/<run_id>/overlays")
class Overlays(MethodView):
    @blueprint.response(200, OverlaysSchema)
    def get(self, run_id: str) -> dict[str, Any]:
        """List the pictures of validation images with what the run saw in them, of the newest epochs."""
        found = services()
        url = f"{PREFIX}/{run_id}/overlays"
        overlays = found.run_files.overlays(found.runs.get(run_id))
        return {"items": [{**vars(one), "url": f"{url}/{one.epoch}"} for one in overlays]}


@blueprint.route("/<run_id>/overlays/<int:epoch>")
class OneOverlay(MethodView):
    @blueprint.arguments(OverlayQuery, location="query")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_JPEG)
    def get(self, query: dict[str, Any], run_id: str, epoch: int) -> Response:
        """Show the picture of one epoch."""
        found, run = services(), services().runs.get(run_id)
        found.hidden_pictures.check(run.project)
        return shown_response(request, found.run_files.overlay(run, epoch))


@blueprint.route("/<run_id>/artifacts")
class Artifacts(MethodView):
    @blueprint.response(200, ArtifactsSchema)
    def get(self, run_id: str) -> dict[str, Any]:
        """List every file of the run."""
        found = services().run_files.artifacts(run_id)
        url = f"{PREFIX}/{run_id}/artifacts"
        return {"items": [{**vars(one), "url": f"{url}/{quote(one.path)}"} for one in found]}


@blueprint.route("/<run_id>/artifacts/<path:path>")
class OneArtifact(MethodView):
    @blueprint.arguments(ArtifactQuery, location="query")
    @blueprint.response(200, {"description": "the file, of its own type"}, content_type="*/*")
    def get(self, query: dict[str, Any], run_id: str, path: str) -> Response:
        """Download a file of the run, or show it."""
        found = services()
        found.hidden_pictures.check_file(found.runs.get(run_id).project, path)
        file = found.run_files.artifact(run_id, path)
        return (shown_response if query["disposition"] == "inline" else file_response)(request, file)


def _wants_csv(query: dict[str, Any]) -> bool:
    if "format" in query:
        return bool(query["format"] == "csv")
    return request.accept_mimetypes.best_match(["application/json", _CSV]) == _CSV
