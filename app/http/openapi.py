"""The OpenAPI document, its page, and the blueprints that both describe."""

import json
from importlib import resources
from threading import Lock
from typing import Any

from flask import Blueprint, Flask, Response, send_from_directory
from flask_smorest import Api

from app.compat import study, training
from app.http.answers.errors import ErrorSchema
from app.http.error_answers import ErrorAnswers
from app.routes.cluster import (
    admin,
    catalogue,
    health,
    keys,
    metrics,
    projects,
    queues_and_workers,
    webhooks,
)
from app.routes.datasets import datasets, resumable_uploads, samples
from app.routes.models import predictions, trained_models
from app.routes.run_outputs import boards, event_feed, events, files, log
from app.routes.runs import (
    bulk,
    comparison,
    drafts,
    imports,
    lifecycle,
    metric_series,
    move,
    runs,
    saved_experiments,
)

ASSETS = "/docs/assets"
_API_SPEC = {
    "info": {"description": "Trains vision models."},
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
    samples,
    resumable_uploads,
    runs,
    imports,
    comparison,
    metric_series,
    bulk,
    drafts,
    saved_experiments,
    webhooks,
    lifecycle,
    move,
    files,
    log,
    events,
    event_feed,
    trained_models,
    predictions,
    boards,
    catalogue,
    projects,
    queues_and_workers,
    keys,
    admin,
    health,
    metrics,
)


class TrainyardApi(Api):  # type: ignore[misc]
    """flask-smorest with the house's error envelope.

    The document is written when it is first asked for: that takes most of the time that the application takes
    to start, and few of its processes are ever asked.
    """

    ERROR_SCHEMA = ErrorSchema

    def __init__(self, app: Flask, **options: Any) -> None:
        self._described: list[Any] = []
        self._options: dict[str, Any] = {}
        self._writing = Lock()
        self._document: str | None = None
        super().__init__(app, **options)

    def _init_spec(self, **options: Any) -> None:
        self._options = options

    def register_blueprint(self, blp: Any, **options: Any) -> None:
        """Serve the blueprint's routes, which the document will describe."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._described.append(blp)

    def _openapi_json(self) -> Response:
        return Response(self._written(), mimetype="application/json")

    def _openapi_swagger_ui(self) -> str:
        self._written()
        page: str = super()._openapi_swagger_ui()
        return page

    def _written(self) -> str:
        with self._writing:
            if self._document is None:
                self._document = self._write()
            return self._document

    def _write(self) -> str:
        super()._init_spec(**self._options)
        for blp in self._described:
            blp.register_views_in_doc(self, self._app, self.spec, name=blp.name, parameters=None)
            self.spec.tag({"name": blp.name, "description": blp.description})
        return json.dumps(self.spec.to_dict(), indent=2)

    def _register_error_handlers(self) -> None:
        """None of its own: `errors` answers for the whole application."""


def register(app: Flask, prefix: str) -> None:
    """Add every route to the application, which a proxy may serve below a prefix."""
    app.config.update(_CONFIG, OPENAPI_SWAGGER_UI_URL=f"{prefix}{ASSETS}/")
    if prefix:
        app.config["API_SPEC_OPTIONS"] = {**_API_SPEC, "servers": [{"url": prefix}]}
    api = TrainyardApi(app, spec_kwargs={"extra_plugins": [ErrorAnswers()]})
    for module in _DESCRIBED:
        api.register_blueprint(module.blueprint)
    app.register_blueprint(event_feed.sockets)
    app.register_blueprint(study.blueprint)
    app.register_blueprint(training.blueprint)
    app.register_blueprint(_assets())


def _assets() -> Blueprint:
    """Swagger UI's own files, from the package that ships them."""
    folder = str(resources.files("flask_swagger_ui") / "dist")
    blueprint = Blueprint("docs-assets", __name__)

    @blueprint.get(f"{ASSETS}/<path:name>")
    def asset(name: str) -> Response:
        return send_from_directory(folder, name, max_age=3600)

    return blueprint
