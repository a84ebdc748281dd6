"""/queues and /workers"""

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.cluster.queues_and_workers import QueuesSchema, WorkerSchema, WorkersSchema
from app.service.cluster.queues_and_workers import QueueState
from trainyard.store.processes.worker_record import WorkerState

blueprint = Blueprint("cluster", __name__, url_prefix="/api/v1", description="Who works, what waits and why.")


@blueprint.route("/queues")
class Queues(MethodView):
    @blueprint.response(200, QueuesSchema)
    def get(self) -> dict[str, list[QueueState]]:
        """List the queues with what waits in them and why."""
        return {"items": services().cluster.queues()}


@blueprint.route("/workers")
class Workers(MethodView):
    @blueprint.response(200, WorkersSchema)
    def get(self) -> dict[str, list[WorkerState]]:
        """List the workers that are there; one that is gone disappears within seconds."""
        return {"items": services().cluster.workers()}


@blueprint.route("/workers/<worker_id>/drain")
class Drain(MethodView):
    @blueprint.response(202, WorkerSchema)
    def post(self, worker_id: str) -> WorkerState:
        """Have a worker take nothing new, within seconds. It ends what it has in work, and stays."""
        return services().cluster.drain(worker_id)

    @blueprint.response(202, WorkerSchema)
    def delete(self, worker_id: str) -> WorkerState:
        """Let a worker take work again, within seconds."""
        return services().cluster.end_drain(worker_id)
