"""Redis compared with storage by an admin's call."""

from flask.testing import FlaskClient

from tests.api.conftest import submit
from trainyard.storage.files import Storage
from trainyard.store.connection import Client

PATH = "/api/v1/admin/reindex"


def test_records_that_redis_lacks_are_restored(
    client: FlaskClient, dataset_id: str, storage: Storage, redis_client: Client
):
    run_id = submit(client, dataset_id).json["id"]
    assert client.post(PATH).json == {"counts": {"same": 2}, "problems": []}
    redis_client.flushall()
    assert client.post(PATH).json == {"counts": {"restored": 2}, "problems": []}
    assert client.get(f"/api/v1/runs/{run_id}").json["status"] == "queued"


def test_a_file_that_cannot_be_read_is_told_and_keeps_no_other(
    client: FlaskClient, dataset_id: str, storage: Storage, redis_client: Client
):
    broken, whole = (submit(client, dataset_id).json["id"] for _ in range(2))
    redis_client.flushall()
    storage.run(broken).record.write_text("{")
    found = client.post(PATH).json
    assert found["counts"]["restored"] == 2
    assert len(found["problems"]) == 1
    assert broken in found["problems"][0]
    assert client.get(f"/api/v1/runs/{whole}").status_code == 200
