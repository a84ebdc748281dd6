"""The OpenAPI document, its page, and the blueprints that both describe."""

from importlib.resources import files

from flask import Blueprint, Flask, Response, send_from_directory
from flask_smorest import Api

from app.compat import study, training
from app.http.errors import ErrorSchema
from app.routes import (
    admin,
    boards,
    catalogue,
    dataset_samples,
    datasets,
    drafts,
    event_feed,
    health,
    keys,
    metric_series,
    metrics,
    predictions,
    projects,
    resumable_uploads,
    run_bulk,
    run_comparison,
    run_events,
    run_files,
    run_life,
    run_log,
    run_move,
    runs,
    trained_models,
    webhooks,
    yard,
)

ASSETS = "/docs/assets"
_API_SPEC = {
    "info": {"description": "Trains image-segmentation models."},
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "security": [{}, {"bearer": []}],
}
_CONFIG = {
    "API_TITLE": "Trainyard",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.0.3",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
    "OPENAPI_SWAGGER_UI_PATH": "docs",
    "OPENAPI_SWAGGER_UI_URL": f"{ASSETS}/",
    "OPENAPI_SWAGGER_UI_CONFIG": {"validatorUrl": None},
    "API_SPEC_OPTIONS": _API_SPEC,
}
_DESCRIBED = (
    datasets,
    dataset_samples,
    resumable_uploads,
    runs,
    run_comparison,
    metric_series,
    run_bulk,
    drafts,
    webhooks,
    run_life,
    run_move,
    run_files,
    run_log,
    run_events,
    event_feed,
    trained_models,
    predictions,
    boards,
    catalogue,
    projects,
    yard,
    keys,
    admin,
    health,
    metrics,
)


class TrainyardApi(Api):  # type: ignore[misc]
    """flask-smorest with the house's error envelope."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        """None of its own: `errors` answers for the whole application."""


def register(app: Flask, prefix: str) -> None:
    """Add every route to the application, which a proxy may serve below a prefix."""
    app.config.update(_CONFIG, OPENAPI_SWAGGER_UI_URL=f"{prefix}{ASSETS}/")
    if prefix:
        app.config["API_SPEC_OPTIONS"] = {**_API_SPEC, "servers": [{"url": prefix}]}
    api = TrainyardApi(app)
    for module in _DESCRIBED:
        api.register_blueprint(module.blueprint)
    app.register_blueprint(event_feed.sockets)
    app.register_blueprint(study.blueprint)
    app.register_blueprint(training.blueprint)
    app.register_blueprint(_assets())


def _assets() -> Blueprint:
    """Swagger UI's own files, from the package that ships them."""
    folder = str(files("flask_swagger_ui") / "dist")
    blueprint = Blueprint("docs-assets", __name__)

    @blueprint.get(f"{ASSETS}/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(folder, name, max_age=3600)

    return blueprint
