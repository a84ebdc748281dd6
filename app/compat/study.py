"""The contract of the older study service, over the use cases of `app/service/contracts/studies.py`.

Every answer carries `AnswerDate`; errors are {"detail"}, with `errors` by parameter and `message` beside it.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from app.compat.parameters import Parameters
from app.composition import services
from app.http.answers.errors import envelope, headers_of, log_unexpected
from app.service.contracts.studies import StudyRequest
from trainyard.errors import Conflict, NotFound

WRONG_PARAMETERS = "Wrong parameters"
MAX_EPOCHS = 100_000
"""What the training spec takes; the contract itself names no limit."""
ROOTS = ("modeles", "study", "checkstudy")
"""First parts of the addresses that this contract has: what goes wrong below them is shown in its form."""
_ERRORS_400 = frozenset({409, 411, 413, 414, 415, 417, 422, 431, 501})
"""Statuses that this contract does not know: to its clients, parameters are wrong."""
blueprint = Blueprint("study", __name__)


def owns(path: str) -> bool:
    """Whether an address is one of this contract's, known or not."""
    return path.split("/")[1] in ROOTS


@blueprint.get("/modeles", strict_slashes=False)
def list_models() -> Response:
    """The architectures on offer."""
    return _answer(Description=services().studies.models())


@blueprint.post("/modeles", strict_slashes=False)
def offer_model() -> Response:
    """Put an architecture on the list."""
    model = Parameters.of(request).text("ModelName")
    services().studies.offer(model)
    return _answer(Description=f"{model} was added")


@blueprint.delete("/modeles", strict_slashes=False)
def withdraw_model() -> Response:
    """Take an architecture off the list; runs under way go on."""
    model = Parameters.of(request).text("ModelName")
    services().studies.withdraw(model)
    return _answer(Description=f"{model} was removed")


@blueprint.post("/study", strict_slashes=False)
def start() -> Response:
    """Start training."""
    given = Parameters.of(request)
    asked = StudyRequest(
        user=given.text("User"),
        dataset=given.text("FileName"),
        epochs=given.whole("Epochs", 1, MAX_EPOCHS),
        learning_rate=given.share("LR", 1),
        image_size=given.whole("ImgSize", 112, 1048),
        batch_size=given.whole("BatchSize", 1, 100),
        model=given.text("Model"),
        test_size=given.share("TestSize", 0.9),
    )
    return _answer(ModelName=services().studies.start(asked))


@blueprint.put("/study", strict_slashes=False)
def retarget() -> Response:
    """Change the epoch target, also while the run trains."""
    given = Parameters.of(request)
    will_stop = services().studies.retarget(given.text("ModelName"), given.whole("Epochs", 1, MAX_EPOCHS))
    return _answer(Description="Study will be stopped after current epoch" if will_stop else "Successful")


@blueprint.get("/study", strict_slashes=False)
def metrics() -> Response:
    """One number for each finished epoch."""
    rows = services().studies.metrics(Parameters.of(request).text("ModelName"))
    names = ("train_loss", "train_dice", "val_loss", "val_dice")
    return _answer(**{name: [row.get(name) for row in rows] for name in names})


@blueprint.delete("/study", strict_slashes=False)
def finish() -> Response:
    """Stop the run and keep its work."""
    path = services().studies.finish(Parameters.of(request).text("ModelName"))
    return _answer(FilePath=str(path))


@blueprint.get("/checkstudy", strict_slashes=False)
def checkpoint() -> Response:
    """Where the checkpoint of an epoch lies."""
    given = Parameters.of(request)
    path = services().studies.checkpoint(given.text("ModelName"), given.whole("Epoch", 1, MAX_EPOCHS))
    return _answer(FilePath=str(path))


def refuse(error: Exception) -> Response:
    """Any error as this contract shows it."""
    log_unexpected(error)
    content = envelope(error)
    status = _status(error, content["status"])
    response = _answer(
        detail=_detail(error, status, content["message"]),
        errors=content["errors"],
        message=content["message"],
    )
    response.status_code = status
    response.headers.extend(headers_of(error))
    return response


def _answer(**content: Any) -> Response:
    return jsonify({"AnswerDate": datetime.now(UTC).isoformat(), **content})


def _detail(error: Exception, status: int, message: str) -> str:
    """Clients compare this text: it is the contract's own, and the reason stands beside it."""
    if status == 400:
        return WRONG_PARAMETERS
    if isinstance(error, NotFound) and "checkpoint" in error.errors:
        return "Epoch not found"
    if isinstance(error, NotFound) and message.startswith("There is no run"):
        return "Study not found"
    return error.name if isinstance(error, HTTPException) else message


def _status(error: Exception, status: int) -> int:
    """The contract knows 400, 404 and, for the list of models, 409."""
    is_listed = isinstance(error, Conflict) and request.path.startswith("/modeles")
    return 400 if status in _ERRORS_400 and not is_listed else status
