"""/saved-experiments: settings under a name, of which runs are made"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.fields import PageQuery, page_schema
from app.schemas.runs.saved_experiments import (
    EXAMPLE,
    PREFIX,
    SavedExperimentChangeSchema,
    SavedExperimentRequestSchema,
    SavedExperimentSchema,
)
from app.service.runs.saved_experiments import ExperimentRequest
from trainyard.library.saved_experiment import SavedExperiment
from trainyard.store.records import Page

blueprint = Blueprint(
    "saved_experiments", __name__, url_prefix=PREFIX, description="Settings that a project keeps by name."
)


@blueprint.route("")
class SavedExperiments(MethodView):
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_schema(SavedExperimentSchema))
    def get(self, query: dict[str, Any]) -> Page[SavedExperiment]:
        """List saved experiments, newest first; GET /experiments lists those that every project has."""
        return services().saved_experiments.page(query.get("project"), query.get("cursor"), query["limit"])

    @blueprint.alt_response(409, schema="Error", description="the name has other settings")
    @blueprint.arguments(SavedExperimentRequestSchema, example=EXAMPLE)
    @blueprint.response(201, SavedExperimentSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: ExperimentRequest) -> tuple[SavedExperiment, int, dict[str, str]]:
        """Save settings under a name: a part of a spec, perhaps over an experiment's or a run's.

        Runs of the project name it as `experiment`. Saved again as it is, it is the same.
        """
        created, made = services().saved_experiments.save(body)
        headers = {"Location": f"{PREFIX}/{made.id}"} | ({} if created else {"Idempotent-Replayed": "true"})
        return made, 201, headers


@blueprint.route("/<experiment_id>")
class OneSavedExperiment(MethodView):
    @blueprint.response(200, SavedExperimentSchema)
    def get(self, experiment_id: str) -> SavedExperiment:
        """Read a saved experiment."""
        return services().saved_experiments.get(experiment_id)

    @blueprint.arguments(SavedExperimentChangeSchema, example={"spec": {"epochs": 200}})
    @blueprint.response(200, SavedExperimentSchema)
    def patch(self, body: dict[str, Any], experiment_id: str) -> SavedExperiment:
        """Replace what is given; `spec` is replaced whole. Runs that exist stay as they are."""
        return services().saved_experiments.change(experiment_id, body)

    @blueprint.response(204)
    def delete(self, experiment_id: str) -> None:
        """Forget a saved experiment; runs that were made of it stay."""
        services().saved_experiments.remove(experiment_id)
