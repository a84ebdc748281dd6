"""The contract of the older training service, over the use cases of `app/service/contracts/trainings.py`.

Errors are {"error"} with the HTTP status, with `errors` by field beside it where fields are at fault.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from webargs import missing

from app.composition import services
from app.http.answers.errors import envelope, headers_of, log_unexpected
from app.http.requests.arguments import read_json_body
from app.schemas.fields import NAME_LENGTH
from app.service.contracts.trainings import TrainingRequest
from app.service.run_outputs.metric_log import PLACES, MetricLog
from trainyard.errors import InvalidRequest
from trainyard.runs.record import ACTIVE, Run, RunStatus

ROOTS = ("training",)
"""First parts of the addresses that this contract has: what goes wrong below them is shown in its form."""
PATH_LENGTH = 4096
_ERRORS_400 = frozenset({411, 413, 414, 415, 417, 422, 431, 501})
"""Statuses that this contract does not know: to its clients, the request is bad."""
_STATUSES = {
    RunStatus.QUEUED: "started",
    RunStatus.RUNNING: "running",
    RunStatus.FINISHING: "running",  # its models are being written
    RunStatus.STOPPED: "stopped",
    RunStatus.CANCELLED: "stopped",
    RunStatus.COMPLETED: "not_running",
}
blueprint = Blueprint("training", __name__, url_prefix="/training")


@blueprint.post("/start", strict_slashes=False)
def start() -> Response:
    """Register the folders and train on them."""
    body = _body()
    names = {"train": "train_data_dir", "test": "test_data_dir", "val": "val_data_dir"}
    folders = {split: _text(body, name, PATH_LENGTH) for split, name in names.items() if split != "val"}
    if body.get("val_data_dir") is not None:
        folders["val"] = _text(body, "val_data_dir", PATH_LENGTH)
    config, model = (_text(body, name, NAME_LENGTH) for name in ("config_name", "model_name"))
    services().trainings.start(TrainingRequest(config=config, model=model, folders=folders))
    return jsonify(status="started")


@blueprint.post("/stop", strict_slashes=False)
def stop() -> Response:
    """Stop what is trained, and keep its work."""
    return jsonify(status="stopped" if services().trainings.stop() else "not_running")


@blueprint.get("/status", strict_slashes=False)
def status() -> Response:
    """Where the training stands."""
    run = services().trainings.present()
    return jsonify(status=_status(run) if run else "not_running")


@blueprint.get("/configs", strict_slashes=False)
def configs() -> Response:
    """The configurations that a training may be started with."""
    return jsonify(available_configs=services().trainings.configs())


@blueprint.get("/trained_models", strict_slashes=False)
def trained_models() -> Response:
    """Where the exported models lie."""
    return jsonify(model_paths=[str(path) for path in services().trainings.models()])


@blueprint.get("/datasets", strict_slashes=False)
def datasets() -> Response:
    """The folders that a training may be started with."""
    return jsonify(
        datasets=[
            {
                "dataset_name": found.name,
                "train_path": str(found.train),
                "test_path": str(found.test),
                "val_path": str(found.val) if found.val else None,
                "dataset_base_path": str(found.base),
            }
            for found in services().trainings.folders()
        ]
    )


@blueprint.get("/metrics/latest", strict_slashes=False)
def latest_metrics() -> Response:
    """The metrics of the newest run."""
    return jsonify(_metrics(*services().trainings.log(None)))


@blueprint.get("/metrics/runs", strict_slashes=False)
def runs() -> Response:
    """All runs, newest first."""
    return jsonify(
        [
            {
                "run_id": run.id,
                "created_at": _time(run.created_at),
                "modified_at": _time(path.stat().st_mtime if path else run.ended_at or run.created_at),
                "status": "in_progress" if run.status in ACTIVE else "completed",
                "has_metrics": path is not None,
                "metrics_file": str(path) if path else None,
            }
            for run, path in services().trainings.runs()
        ]
    )


@blueprint.get("/metrics/runs/<name>", strict_slashes=False)
def metrics(name: str) -> Response:
    """The metrics of a run."""
    return jsonify(_metrics(*services().trainings.log(name)))


@blueprint.get("/metrics/runs/<name>/summary", strict_slashes=False)
def summary(name: str) -> Response:
    """The best and the newest value of each metric of a run."""
    run, log = services().trainings.log(name)
    return jsonify(
        run_id=run.id,
        total_epochs=log.max_epoch,
        total_steps=log.max_step,
        best_metrics={f"best_{name}": value for name, value in log.best().items()},
        final_metrics=dict.fromkeys(PLACES) | log.final(),
        available_columns=log.columns,
    )


def refuse(error: Exception) -> Response:
    """Any error as this contract shows it."""
    log_unexpected(error)
    content = envelope(error)
    fields = {"errors": content["errors"]} if content["errors"] else {}
    response = jsonify(error=content["message"], **fields)
    response.status_code = 400 if content["status"] in _ERRORS_400 else content["status"]
    response.headers.extend(headers_of(error))
    return response


def _status(run: Run) -> str:
    if services().trainings.is_stopping(run):
        return _STATUSES[RunStatus.STOPPED]  # as `stop` has answered
    if run.status == RunStatus.FAILED:
        return f"error: {(run.error or {}).get('message', 'unknown')}"
    return _STATUSES[run.status]


def _metrics(run: Run, log: MetricLog) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "available_columns": log.columns,
        "total_rows": len(log.rows),
        "max_epoch": log.max_epoch,
        "max_step": log.max_step,
        "data": log.rows,
        "csv_file": str(log.path) if log.path else None,
        "last_modified": None if log.modified_at is None else _time(log.modified_at),
    }


def _body() -> dict[str, Any]:
    content = read_json_body(request)
    if content is missing or not isinstance(content, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return content


def _text(body: dict[str, Any], name: str, length: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= length or not value.isprintable():
        raise InvalidRequest(
            f"{name} must be text.", errors={name: [f"must be text of 1 to {length} printable characters"]}
        )
    return value


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
