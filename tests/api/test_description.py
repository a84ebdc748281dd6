"""The OpenAPI document, its page, and the probes."""

import re
from collections.abc import Iterator
from typing import Any

from flask.testing import FlaskClient

from app.http.answers.errors import STATUS
from trainyard.settings import Settings


def test_every_asset_of_the_page_comes_from_this_server(client: FlaskClient):
    page = client.get("/docs").text
    addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page)
    assert len(addresses) == 4, addresses
    for address in addresses:
        assert address.startswith("/"), address
        assert not address.startswith("//"), address
        response = client.get(address)
        assert response.status_code == 200, address
        assert len(response.data) > 500, address
    assert "http" not in re.sub(r"<!--.*?-->", "", page.lower())


def test_the_style_sheet_names_nothing_elsewhere(client: FlaskClient):
    css = client.get("/docs/assets/swagger-ui.css").text
    assert not re.findall(r"url\(['\"]?(?:https?:)?//", css)


def test_assets_stay_in_their_folder(client: FlaskClient):
    for name in ("../__init__.py", "%2e%2e/__init__.py", "nothing.js", "..%2f__init__.py"):
        assert client.get(f"/docs/assets/{name}").status_code == 404


def test_the_document_is_whole(client: FlaskClient):
    document = client.get("/openapi.json").json
    assert {
        "/api/v1/datasets",
        "/api/v1/datasets/{dataset_id}",
        "/api/v1/datasets/uploads/{request_id}",
        "/api/v1/datasets/{dataset_id}/label-map",
        "/api/v1/datasets/{dataset_id}/answers",
        "/api/v1/datasets/{dataset_id}/retry",
        "/api/v1/datasets/{dataset_id}/questions/{question}/{choice}.png",
        "/api/v1/datasets/{dataset_id}/samples",
        "/api/v1/datasets/{dataset_id}/samples/{index}.png",
        "/api/v1/runs",
        "/api/v1/runs/{run_id}",
        "/api/v1/runs/check",
        "/api/v1/runs/import",
        "/api/v1/runs/compare",
        "/api/v1/events",
        "/api/v1/metrics/series",
        "/api/v1/runs/bulk/stop",
        "/api/v1/runs/bulk/cancel",
        "/api/v1/runs/bulk/delete",
        "/api/v1/runs/{run_id}/stop",
        "/api/v1/runs/{run_id}/move",
        "/api/v1/runs/{run_id}/cancel",
        "/api/v1/runs/{run_id}/resume",
        "/api/v1/runs/{run_id}/retry",
        "/api/v1/runs/{run_id}/export",
        "/api/v1/runs/{run_id}/fork",
        "/api/v1/runs/{run_id}/metrics",
        "/api/v1/runs/{run_id}/events",
        "/api/v1/runs/{run_id}/log",
        "/api/v1/runs/{run_id}/checkpoints",
        "/api/v1/runs/{run_id}/checkpoints/{name}",
        "/api/v1/runs/{run_id}/overlays",
        "/api/v1/runs/{run_id}/overlays/{epoch}",
        "/api/v1/runs/{run_id}/artifacts",
        "/api/v1/runs/{run_id}/artifacts/{path}",
        "/api/v1/drafts",
        "/api/v1/drafts/{draft_id}",
        "/api/v1/drafts/{draft_id}/check",
        "/api/v1/drafts/{draft_id}/submit",
        "/api/v1/saved-experiments",
        "/api/v1/saved-experiments/{experiment_id}",
        "/api/v1/boards",
        "/api/v1/boards/{board_id}",
        "/api/v1/webhooks",
        "/api/v1/webhooks/{webhook_id}",
        "/api/v1/webhooks/{webhook_id}/secret",
        "/api/v1/webhooks/{webhook_id}/test",
        "/api/v1/webhooks/{webhook_id}/deliveries",
        "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}",
        "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
        "/api/v1/uploads",
        "/api/v1/uploads/{upload_id}",
        "/api/v1/uploads/{upload_id}/finish",
        "/api/v1/ws",
        "/api/v1/trained-models",
        "/api/v1/trained-models/{model_id}",
        "/api/v1/trained-models/{model_id}/files/{name}",
        "/api/v1/trained-models/{model_id}/predict",
        "/api/v1/models",
        "/api/v1/encoders",
        "/api/v1/experiments",
        "/api/v1/catalog",
        "/api/v1/queues",
        "/api/v1/workers",
        "/api/v1/workers/{worker_id}/drain",
        "/api/v1/projects",
        "/api/v1/projects/{name}",
        "/api/v1/admin/usage",
        "/api/v1/admin/prune",
        "/api/v1/admin/reindex",
        "/api/v1/keys",
        "/api/v1/keys/{key_id}",
        "/ping",
        "/metrics",
        "/healthz",
        "/readyz",
    } == document["paths"].keys()
    for reference in references(document):
        assert resolve(document, reference) is not None, reference


def test_the_upload_is_described_as_a_form(client: FlaskClient):
    document = client.get("/openapi.json").json
    content = document["paths"]["/api/v1/datasets"]["post"]["requestBody"]["content"]
    schema = resolve(document, content["multipart/form-data"]["schema"]["$ref"])
    assert schema["properties"]["file"]["format"] == "binary"
    assert schema["properties"]["annotation"]["format"] == "binary"
    assert set(schema["required"]) == {"name"}
    assert "application/json" in content


def test_a_request_may_leave_out_any_part_of_the_spec(client: FlaskClient):
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    partial = [name for name in schemas if name.startswith("Partial")]
    assert len(partial) == 10
    assert all("required" not in schemas[name] for name in partial)
    assert schemas["PartialDataSpec"]["properties"]["image_size"]["minimum"] == 32
    assert set(schemas["TrainingSpec"]["required"]) == set(schemas["PartialTrainingSpec"]["properties"])


def test_errors_are_described_by_the_envelope(client: FlaskClient):
    schema = client.get("/openapi.json").json["components"]["schemas"]["Error"]
    assert {"code", "status", "message", "errors", "cause", "remedy", "request_id"} == set(
        schema["properties"]
    )


def test_every_error_answer_is_described_with_an_example_of_each_code(client: FlaskClient):
    """What any operation may answer, with the codes of all errors that have that status."""
    document = client.get("/openapi.json").json
    shared, codes = document["components"]["responses"], set()
    fields = document["components"]["schemas"]["Error"]["properties"].keys()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters" or not path.startswith("/api/v1"):
                continue
            answers = operation["responses"]
            wanted = {"401", "403", "429", "500", "503", *(["404"] if "{" in path else [])}
            wanted |= {"400", "413", "415", "422"} if "requestBody" in operation else set()
            assert wanted <= answers.keys(), (method, path)
            for status in (one for one in answers if one >= "400" and one != "default"):
                told = answers[status]
                told = shared[told["$ref"].rpartition("/")[2]] if "$ref" in told else told
                for content in told["content"].values():
                    assert content["schema"] == {"$ref": "#/components/schemas/Error"}
                    for code, example in content["examples"].items():
                        value = example["value"]
                        assert (value["code"], str(value["status"])) == (code, status), (method, path)
                        assert value.keys() == fields
                        assert value["message"]
                        assert value["remedy"]
                        codes.add(code)
    assert codes >= {kind.code for kind in STATUS}


def test_probes(client: FlaskClient, settings: Settings):
    for path in ("/ping", "/healthz", "/readyz"):
        assert client.get(path).json["status"] == "ok"
    assert list(settings.storage.iterdir()) == []


def test_not_ready_without_storage(client: FlaskClient, settings: Settings):
    settings.storage.write_text("a file where the folder should be")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json["code"] == "storage_unavailable"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolve(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document.get(part) if document else None
    return document
