"""The REST API and the pages. The factory below is the only code that a package file of this house holds."""

from flask import Flask

from app.compat import contracts
from app.composition import EXTENSION, Services, compose
from app.http import openapi, prometheus, tracing
from app.http.access import guard
from app.http.answers import compression, errors
from app.http.requests.json_data import StrictJSONProvider
from app.http.requests.path_prefix import below
from app.pages import blueprint as pages
from app.pages import refusals
from app.routes.cluster import metrics
from trainyard.settings import Settings

MAX_BODY_BYTES = 1024 * 1024
"""The largest body of a request that is no upload."""


def create_app(settings: Settings, services: Services | None = None) -> Flask:
    """The WSGI application; `services` replaces what `compose` would wire, for tests."""
    app = Flask(__name__, static_folder=None)
    app.json = StrictJSONProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    found = app.extensions[EXTENSION] = services or compose(settings)
    app.extensions[metrics.REGISTRY] = prometheus.register(app, found.figures.look)
    tracing.register(app)
    compression.register(app)
    guard.register(app, settings, found.access_keys, found.sessions, found.audit, found.projects_of)
    openapi.register(app, settings.path_prefix)
    pages.register(app)
    errors.register(app, {"api": errors.respond} | contracts.FORMS, refusals.refuse)
    app.wsgi_app = below(settings.path_prefix, app.wsgi_app)  # type: ignore[assignment,method-assign]
    return app
