"""/queues, /workers and /projects"""

from typing import Any

from flask.views import MethodView
from marshmallow import ValidationError

from app.composition import services
from app.http.arguments import Blueprint
from app.schemas.fields import NAME_LENGTH, check_printable
from app.schemas.yard import ProjectLimitSchema, ProjectSchema, QueuesSchema, WorkersSchema
from app.service.yard import ProjectState, QueueState
from trainyard.errors import NotFound
from trainyard.store.worker_record import WorkerState

blueprint = Blueprint(
    "yard", __name__, url_prefix="/api/v1", description="Who works, what waits and why, and limits."
)


@blueprint.route("/queues")
class Queues(MethodView):
    @blueprint.response(200, QueuesSchema)
    def get(self) -> dict[str, list[QueueState]]:
        """List the queues with what waits in them and why."""
        return {"items": services().yard.queues()}


@blueprint.route("/workers")
class Workers(MethodView):
    @blueprint.response(200, WorkersSchema)
    def get(self) -> dict[str, list[WorkerState]]:
        """List the workers that are there; one that is gone disappears within seconds."""
        return {"items": services().yard.workers()}


@blueprint.route("/projects/<path:name>")
class Project(MethodView):
    @blueprint.response(200, ProjectSchema)
    def get(self, name: str) -> ProjectState:
        """Read what is set for a project; one without records has the yard's default."""
        return services().yard.project(_checked(name))

    @blueprint.arguments(ProjectLimitSchema)
    @blueprint.response(200, ProjectSchema)
    def put(self, body: dict[str, Any], name: str) -> ProjectState:
        """Set how many runs of a project may train at once; those that train already go on."""
        return services().yard.limit(_checked(name), body["max_concurrent"])


def _checked(name: str) -> str:
    """The name; raises NotFound for one that no project can have."""
    try:
        check_printable(name)
    except ValidationError as error:
        raise NotFound("No project can have this name.") from error
    if len(name) > NAME_LENGTH:
        raise NotFound(f"No project can have a name of more than {NAME_LENGTH} characters.")
    return name
