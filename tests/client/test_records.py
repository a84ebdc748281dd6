"""Records are those of the API's description, and read what newer and older servers send."""

from dataclasses import FrozenInstanceError, is_dataclass, replace
from datetime import UTC, datetime

import pytest

from tests.client.make_records import TARGET, description, formatted, records
from trainyard_client.decoding import decode
from trainyard_client.records import Dataset, Progress, Waiting


def test_the_module_is_what_the_description_makes():
    assert TARGET.read_text() == formatted(records(description()))


def test_fields_that_are_not_known_stay_in_raw():
    waiting = decode(Waiting, {"position": 2, "reason": {"code": "new", "message": "so"}, "later": 1})
    assert (waiting.position, waiting.reason.message, waiting.raw["later"]) == (2, "so", 1)


def test_fields_that_an_older_server_lacks_are_none():
    dataset = decode(Dataset, {"id": "ds-1", "created_at": "2026-01-02T03:04:05+00:00", "problems": []})
    assert dataset.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (dataset.summary, dataset.questions, dataset.problems) == (None, None, [])


def test_records_are_frozen_dataclasses_also_before_one_was_read():
    progress = Progress(
        stage="train", epoch=1, epochs=2, step=3, steps_per_epoch=4, loss=None, images_per_second=None,
        eta_seconds=None, eta_low_seconds=None, eta_high_seconds=None,
    )  # fmt: skip
    assert is_dataclass(progress)
    assert replace(progress, epoch=2) != progress == replace(progress, raw={"epoch": 9})
    assert "epoch=1" in repr(progress)
    assert "raw" not in repr(progress)
    with pytest.raises(FrozenInstanceError):
        progress.epoch = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        Progress(epoch=1)  # type: ignore[call-arg]
