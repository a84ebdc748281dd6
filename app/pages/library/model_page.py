"""The page of one trained model: its stage, what it was made of, its versions, and a place to try it."""

from typing import Any

from flask import Blueprint, Response

from app.composition import services
from app.pages.early_head import page_response
from app.pages.library.model_scores import class_scores, score_of
from app.schemas.models.trained_models import STAGES, file_url
from app.service.models.received_images import MAX_IMAGES
from trainyard.errors import NotFound, Unreadable
from trainyard.library.trained_model import TrainedModel
from trainyard.registry.models import ModelQuery

VERSIONS = 50
"""Of its name, the newest, that are listed."""


def add_to(blueprint: Blueprint) -> None:
    """Add the address."""
    blueprint.add_url_rule("/models/<model_id>", "model", show)


def show(model_id: str) -> Response:
    """The page; raises NotFound and Unreadable."""
    model = services().models.get(model_id)
    return page_response("library/model.html", lambda: _found(model), model=model)


def _found(model: TrainedModel) -> dict[str, Any]:
    query = ModelQuery(project=model.project, name=model.name, limit=VERSIONS)
    return {
        "stages": STAGES,
        "score_of": score_of,
        "classes": class_scores(model.metrics),
        "versions": services().models.page(query).readable,
        "dataset": services().datasets.names([model.dataset_id]).get(model.dataset_id),
        "has_run": _has_run(model),
        "files": [(one, file_url(model.id, one.name)) for one in model.files],
        "most": MAX_IMAGES,
    }


def _has_run(model: TrainedModel) -> bool:
    try:
        services().runs.get(model.run_id)
    except (NotFound, Unreadable):
        return False
    return True
