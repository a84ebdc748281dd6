"""/boards: TensorBoard over some runs"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.run_outputs.boards import EXAMPLE, PREFIX, BoardListSchema, BoardRequestSchema, BoardSchema
from trainyard.access import present_access
from trainyard.library.board import Board

blueprint = Blueprint(
    "boards",
    __name__,
    url_prefix=PREFIX,
    description="TensorBoard over some runs, while it is looked at.",
)


@blueprint.route("")
class Boards(MethodView):
    @blueprint.response(200, BoardListSchema)
    def get(self) -> dict[str, list[Board]]:
        """List boards, the oldest first."""
        return {"items": services().boards.all()}

    @blueprint.alt_response(409, schema="Error", description="no worker runs boards")
    @blueprint.alt_response(503, schema="Error", description="there are as many as may be")
    @blueprint.arguments(BoardRequestSchema, example=EXAMPLE)
    @blueprint.response(201, BoardSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any]) -> tuple[Board, int, dict[str, str]]:
        """Open a board of some runs, or take the one that there is of the same.

        Its `url` answers at once, with a page that waits until TensorBoard is ready.
        """
        found = services()
        for run_id in body["runs"]:
            found.hidden_pictures.check(found.runs.get(run_id).project)
        is_new, board = found.boards.open(body["runs"], present_access().who)
        return board, 201 if is_new else 200, {"Location": f"{PREFIX}/{board.id}"}


@blueprint.route("/<board_id>")
class OneBoard(MethodView):
    @blueprint.response(200, BoardSchema)
    def get(self, board_id: str) -> Board:
        """Read a board."""
        return services().boards.get(board_id)

    @blueprint.response(204)
    def delete(self, board_id: str) -> None:
        """Close a board."""
        services().boards.close(board_id)
