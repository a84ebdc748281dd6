"""The pages: what people see in a browser, over the same use cases as the REST API."""

from flask import Blueprint, Flask, Response, g, request
from jinja2 import StrictUndefined

from app.http.access.authentication import authentication
from app.pages import assets, filters
from app.pages.cluster import board_page, cluster_page, projects_page, settings_page, sign_in
from app.pages.library import dataset_list, dataset_page, model_list, model_page
from app.pages.policy import WORKER_POLICY, policy
from app.pages.runs import compare_page, draft_list, new_run_page, run_list, run_page
from trainyard.access import Role, present_access
from trainyard.version import VERSION

_PAGES = (
    sign_in, projects_page, run_list, draft_list, new_run_page, compare_page, run_page, dataset_list,
    dataset_page, model_list, model_page, board_page, cluster_page, settings_page,
)  # fmt: skip


def register(app: Flask) -> None:
    """Add the pages to the application."""
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.filters.update(filters.ALL)
    blueprint = Blueprint("pages", __name__, template_folder="templates")
    blueprint.after_request(_finish)
    blueprint.app_context_processor(_shared)
    blueprint.add_url_rule(f"{assets.FOLDER}/<stamp>/<path:name>", "asset", _asset)
    for module in _PAGES:
        module.add_to(blueprint)
    app.register_blueprint(blueprint)


def _asset(stamp: str, name: str) -> Response:  # noqa: ARG001 - Flask hands it by name
    """Under any stamp: a page that is open while the server is upgraded may still ask by the old one."""
    response = assets.asset_response(request, name)
    response.headers["Content-Security-Policy"] = WORKER_POLICY
    return response


def _finish(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", policy())
        response.headers.setdefault("Cache-Control", "no-cache")
        # With `no-referrer`, which all else has, a browser says `Origin: null` of the page's own forms.
        response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


def _shared() -> dict[str, object]:
    """What every page is made with."""
    prefix = request.script_root
    return {
        "base": prefix,
        "api": f"{prefix}/api/v1",
        "static": f"{prefix}{assets.FOLDER}/{assets.stamp()}",
        "modules": assets.modules,
        "theme": assets.theme(),
        "version": VERSION,
        "is_signed_in": bool(g.get("has_session")),
        "is_admin": present_access().has(Role.ADMIN) or not authentication().needs_key,
        "may_change": present_access().has(Role.TRAINER) or not authentication().needs_key,
    }
