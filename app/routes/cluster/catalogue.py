"""/models, /encoders, /experiments and /catalog"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.cluster.catalogue import (
    ArchitecturesSchema,
    CatalogueSchema,
    EncoderQuery,
    EncodersSchema,
    ExperimentsSchema,
)

blueprint = Blueprint(
    "catalog", __name__, url_prefix="/api/v1", description="What may be asked for in a spec."
)


@blueprint.route("/models")
class Models(MethodView):
    @blueprint.response(200, ArchitecturesSchema)
    def get(self) -> dict[str, Any]:
        """List the architectures with their rules."""
        return {"items": services().catalogue.architectures()}


@blueprint.route("/encoders")
class Encoders(MethodView):
    @blueprint.arguments(EncoderQuery, location="query")
    @blueprint.response(200, EncodersSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List encoders, or search among all of them."""
        names, total = services().catalogue.encoders(query.get("search"))
        return {"items": names, "total": total}


@blueprint.route("/experiments")
class Experiments(MethodView):
    @blueprint.response(200, ExperimentsSchema)
    def get(self) -> dict[str, Any]:
        """List the ready specs."""
        return {"items": services().catalogue.experiments()}


@blueprint.route("/catalog")
class Catalogue(MethodView):
    @blueprint.response(200, CatalogueSchema)
    def get(self) -> dict[str, list[str]]:
        """List the other names that a spec takes."""
        return services().catalogue.names()
