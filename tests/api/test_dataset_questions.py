"""What the files of a set leave open: shown, in the way of runs, answered, and read again."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Hand, upload
from tests.api.summary import SUMMARY
from trainyard.storage.files import Storage

DATASETS = "/api/v1/datasets"

QUESTIONS = [
    {
        "code": "objects",
        "text": "The values of the masks may be classes or objects.",
        "choices": [
            {
                "key": "one_class",
                "text": "each is an object of one class",
                "count": 8,
                "options": {"objects": "one_class"},
                "examples": ["masks/0.png"],
                "preview": True,
            },
            {
                "key": "classes",
                "text": "each is a class",
                "count": 8,
                "options": {"objects": "classes"},
                "examples": [],
                "preview": False,
            },
        ],
    },
    {
        "code": "unmasked",
        "text": "3 images have no mask.",
        "choices": [
            {
                "key": "background",
                "text": "they are background",
                "count": 3,
                "options": {"unmasked": "background"},
                "examples": [],
                "preview": False,
            },
        ],
    },
]


@pytest.fixture
def uploaded(client: FlaskClient) -> str:
    """A data set that waits for its ingest."""
    return str(upload(client).get_json()["id"])


@pytest.fixture
def asked(client: FlaskClient, hand: Hand, uploaded: str) -> str:
    """A data set that waits for answers."""
    held = hand.datasets.claim("ingest", "hand")
    assert held
    assert held.id == uploaded
    return hand.datasets.finish(held, "question", questions=QUESTIONS).id


def answer(client: FlaskClient, dataset_id: str, **body: Any) -> Any:
    return client.post(f"{DATASETS}/{dataset_id}/answers", json=body)


def test_a_set_with_questions_shows_them_and_blocks_runs(client: FlaskClient, asked: str) -> None:
    record = client.get(f"{DATASETS}/{asked}").get_json()
    assert record["status"] == "question"
    assert record["questions"] == QUESTIONS
    listed = client.get(f"{DATASETS}?status=question").get_json()["items"]
    assert [one["id"] for one in listed] == [asked]
    refused = client.post("/api/v1/runs", json={"dataset_id": asked, "spec": {}})
    assert refused.status_code == 409
    assert [one["code"] for one in refused.get_json()["errors"]["questions"]] == ["objects", "unmasked"]
    assert "/answers" in refused.get_json()["remedy"]


def test_answers_become_options_of_another_ingest(client: FlaskClient, hand: Hand, asked: str) -> None:
    answered = answer(client, asked, answers={"objects": "classes"}, options={"unmasked": "leave_out"})
    assert answered.status_code == 202
    record = answered.get_json()
    assert (record["status"], record["questions"]) == ("queued", [])
    assert (record["options"]["objects"], record["options"]["unmasked"]) == ("classes", "leave_out")
    assert hand.ingest() == asked
    assert client.get(f"{DATASETS}/{asked}").get_json()["status"] == "ready"


def test_an_option_of_the_clients_own_outranks_a_choice(client: FlaskClient, asked: str) -> None:
    body = {"answers": {"objects": "classes"}, "options": {"objects": "one_class", "label_map": {"3": None}}}
    record = answer(client, asked, **body).get_json()
    assert record["options"]["objects"] == "one_class"
    assert record["options"]["label_map"] == {"3": None}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "the questions are objects, unmasked"),
        ({"answers": {"objects": "both"}}, "must be one of: one_class, classes"),
        ({"answers": {"pairs": "x"}}, "no open question"),
        ({"options": {"objects": "maybe"}}, "Must be one of"),
        ({"options": {"colour": "red"}}, "Unknown field"),
    ],
)
def test_answers_to_nothing_asked_are_refused(
    client: FlaskClient, asked: str, body: dict[str, Any], said: str
) -> None:
    refused = answer(client, asked, **body)
    assert refused.status_code == 422
    assert said in str(refused.get_json()["errors"])
    assert client.get(f"{DATASETS}/{asked}").get_json()["status"] == "question"


def test_a_change_with_questions_leaves_the_version_in_use(
    client: FlaskClient, hand: Hand, uploaded: str
) -> None:
    hand.ingest()
    change = client.post(f"{DATASETS}/{uploaded}/label-map", json={"label_map": {"2": 1}})
    assert change.status_code == 202
    held = hand.datasets.claim("ingest", "hand")
    assert held
    options = hand.datasets.to_json(held)["change"]
    refused = {"options": options, "error": {"code": "dataset_question"}, "questions": QUESTIONS}
    hand.datasets.finish(held, "ready", change=None, refused_change=refused)
    record = client.get(f"{DATASETS}/{uploaded}").get_json()
    assert (record["status"], record["summary"]["content_hash"]) == ("ready", SUMMARY["content_hash"])
    change = answer(client, uploaded, answers={"objects": "one_class"}).get_json()["change"]
    assert (change["objects"], change["label_map"]) == ("one_class", {"2": 1})


def test_a_choice_is_shown_where_it_has_a_preview(client: FlaskClient, storage: Storage, asked: str) -> None:
    folder = storage.dataset(asked).previews
    folder.mkdir()
    (folder / "objects-one_class.png").write_bytes(b"\x89PNG")
    shown = client.get(f"{DATASETS}/{asked}/questions/objects/one_class.png")
    assert (shown.status_code, shown.mimetype, shown.data) == (200, "image/png", b"\x89PNG")
    for missing in ("objects/classes", "objects/..%2F..%2Fdataset", "pairs/one_class"):
        assert client.get(f"{DATASETS}/{asked}/questions/{missing}.png").status_code == 404
