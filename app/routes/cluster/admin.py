"""/admin: room on the storage, and Redis rebuilt from it"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.answers.errors import envelope
from app.http.requests.arguments import Blueprint
from app.schemas.cluster.reindexing import ReindexedSchema
from app.schemas.cluster.retention import PrunedSchema, PruneSchema, UsageQuery, UsagesSchema
from app.service.cluster.retention import PrunedRun, PruneRequest, Usage
from trainyard.scheduling.reindex import Report

blueprint = Blueprint("admin", __name__, url_prefix="/api/v1/admin", description="Upkeep; for admins.")


@blueprint.route("/usage")
class StorageUsage(MethodView):
    @blueprint.arguments(UsageQuery, location="query")
    @blueprint.response(200, UsagesSchema)
    def get(self, query: dict[str, Any]) -> dict[str, list[Usage]]:
        """List the runs and data sets whose files take most; this looks at every file."""
        return {"items": services().retention.usage(query.get("project"), query["limit"])}


@blueprint.route("/prune")
class Prune(MethodView):
    @blueprint.arguments(PruneSchema, example={"older_than_days": 90, "keep_best": 3, "keep_tags": ["keep"]})
    @blueprint.response(200, PrunedSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Delete runs that ended long ago, with their files; by default only say which that would be."""
        is_dry = body.pop("dry_run")
        body |= {"statuses": tuple(body["statuses"]), "keep_tags": frozenset(body["keep_tags"])}
        pruned = services().retention.prune(PruneRequest(**body, is_dry=is_dry))
        return {
            "dry_run": is_dry,
            "bytes": sum(one.bytes for one in pruned.items if one.error is None),
            "more": pruned.has_more,
            "items": [_item(one) for one in pruned.items],
        }


@blueprint.route("/reindex")
class Reindexing(MethodView):
    @blueprint.response(200, ReindexedSchema)
    def post(self) -> Report:
        """Compare every record in storage with Redis; the higher revision wins. Safe at any time.

        The API does so by itself when Redis was emptied. With many thousand records it takes a while.
        """
        return services().reindex.rebuild()


def _item(one: PrunedRun) -> dict[str, Any]:
    error = envelope(one.error) if one.error else None
    return {**vars(one.run), "bytes": one.bytes, "error": error}
