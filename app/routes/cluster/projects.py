"""/projects"""

from typing import Any

from flask.views import MethodView
from marshmallow import ValidationError

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.cluster.projects import (
    DescribedProjectSchema,
    NewProjectSchema,
    ProjectLimitSchema,
    ProjectQuery,
    ProjectSchema,
)
from app.schemas.fields import NAME_LENGTH, check_printable, page_schema
from app.service.cluster.projects import ProjectPage, ProjectState
from trainyard.access import require_project
from trainyard.errors import NotFound

blueprint = Blueprint(
    "projects", __name__, url_prefix="/api/v1/projects", description="Projects: what they have, and limits."
)


@blueprint.route("")
class Projects(MethodView):
    @blueprint.arguments(ProjectQuery, location="query")
    @blueprint.response(200, page_schema(ProjectSchema))
    def get(self, query: dict[str, Any]) -> ProjectPage:
        """List the projects that have records or a description, by name."""
        return services().projects.page(query.get("cursor"), query["limit"])

    @blueprint.arguments(NewProjectSchema)
    @blueprint.alt_response(409, schema="Error", description="there is such a project already")
    @blueprint.response(201, ProjectSchema)
    def post(self, body: dict[str, Any]) -> ProjectState:
        """Make a project known. Runs and data sets need no such call: they make theirs by its name."""
        require_project(body["name"])
        return services().projects.create(body["name"], body["description"])


@blueprint.route("/<path:name>")
class Project(MethodView):
    @blueprint.response(200, ProjectSchema)
    def get(self, name: str) -> ProjectState:
        """Read a project; one without records has the cluster's default."""
        return services().projects.get(_checked(name))

    @blueprint.arguments(DescribedProjectSchema)
    @blueprint.response(200, ProjectSchema)
    def patch(self, body: dict[str, Any], name: str) -> ProjectState:
        """Say what a project is for."""
        require_project(_checked(name))
        return services().projects.describe(name, body["description"])

    @blueprint.arguments(ProjectLimitSchema)
    @blueprint.response(200, ProjectSchema)
    def put(self, body: dict[str, Any], name: str) -> ProjectState:
        """Set how many runs of a project may train at once; those that train already go on."""
        return services().projects.limit(_checked(name), body["max_concurrent"])


def _checked(name: str) -> str:
    """The name; raises NotFound for one that no project can have."""
    try:
        check_printable(name)
    except ValidationError as error:
        raise NotFound("No project can have this name.") from error
    if len(name) > NAME_LENGTH:
        raise NotFound(f"No project can have a name of more than {NAME_LENGTH} characters.")
    return name
