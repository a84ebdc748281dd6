"""/keys: who may do what"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.cluster.keys import KeyRequestSchema, KeysSchema, MadeKeySchema
from trainyard.access import present_access
from trainyard.registry.access_keys import ListedKey

PREFIX = "/api/v1/keys"
blueprint = Blueprint("keys", __name__, url_prefix=PREFIX, description="Access keys; for admins.")


@blueprint.route("")
class Keys(MethodView):
    @blueprint.response(200, KeysSchema)
    def get(self) -> dict[str, list[ListedKey]]:
        """List keys, those that were revoked or have expired too."""
        return {"items": services().access_keys.all()}

    @blueprint.arguments(
        KeyRequestSchema, example={"name": "anna's laptop", "role": "trainer", "projects": ["lab"]}
    )
    @blueprint.response(201, MadeKeySchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Make a key. The answer has it, this once; what is kept is its hash."""
        made, secret = services().access_keys.create(
            body["name"], body["role"], body["projects"], body.get("expires_at"), present_access().who
        )
        return {"made": made, "key": secret}, 201, {"Location": f"{PREFIX}/{made.id}"}


@blueprint.route("/<key_id>")
class OneKey(MethodView):
    @blueprint.response(204)
    def delete(self, key_id: str) -> None:
        """Revoke a key: it is accepted no more, from the next request on. It stays listed."""
        services().access_keys.revoke(key_id)
