"""A run whose images would have nothing to learn from is refused when it is submitted."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.odd_sets import OddSet, boxed_sets, labelled_sets
from trainyard.errors import BadDataset
from trainyard.runs.dataset_checks import fitted
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from workers.prepared.version import PreparedDataset
from workers.training.tasks.classification.data.batches import labelled_split
from workers.training.tasks.detection.data.batches import split_with_objects

SETS = {"classification": labelled_sets, "detection": boxed_sets}


def judged(task: str, chosen: OddSet, storage: Storage, **data: Any) -> str | None:
    """What is said of a run on that set; None where it is taken, and then its images can be shared out."""
    form = {"task": "multilabel"} if chosen.record.summary.task == "multilabel" else {}
    spec = Experiments(CONFIGS).compose(
        {"task": task, "model": form, "data": {"batch_size": 1, **data}, "optimization": _losses(form)}
    )
    try:
        fitted(spec, chosen.record, storage)
    except BadDataset as error:
        return str(error.errors["dataset_id"])
    shared_out = labelled_split if task == "classification" else split_with_objects
    shared_out(PreparedDataset(chosen.folder), spec)
    return None


def _losses(form: dict[str, str]) -> dict[str, Any]:
    return {"losses": [{"name": "bce", "weight": 1.0, "params": {}}]} if form else {}


@pytest.mark.parametrize(
    ("task", "name", "data", "said"),
    [
        ("classification", "none_trained", {}, "No training image of the set has a label"),
        ("classification", "none_trained", {"val_fraction": 0.2}, None),
        ("classification", "none_validated", {}, None),
        ("classification", "few_drawn", {}, None),
        ("classification", "few_drawn", {"val_fraction": 0.9, "split_index": None}, None),
        ("classification", "one_drawn", {}, None),
        ("classification", "copies", {}, "copies of it"),
        ("classification", "no_validation", {}, None),
        ("classification", "plain", {}, None),
        ("detection", "none_validated", {}, "No validation image of the set has an object"),
        ("detection", "none_validated", {"val_fraction": 0.5}, "No validation image of the set"),
        ("detection", "few_drawn", {}, None),
        ("detection", "one_drawn", {}, "No validation image of the set has an object"),
        ("detection", "empty_images", {}, None),
        ("detection", "crowds", {"val_fraction": 0.2}, None),
    ],
)
def test_what_is_taken_can_be_learnt_from(
    task: str, name: str, data: dict[str, Any], said: str | None, tmp_path: Path
) -> None:
    storage = Storage(tmp_path)
    found = judged(task, SETS[task](storage)[name], storage, **data)
    assert found is None if said is None else said in (found or "")


def test_a_fold_without_labels_is_refused_and_the_others_are_taken(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    chosen = labelled_sets(storage)["none_trained"]  # five images, of which the last two have labels
    index = chosen.folder / "index.json"
    content = read_json(index)
    for place, sample in enumerate(content["samples"]):
        sample["fold"] = 0 if place > 2 else place
    write_json(index, content)
    record = chosen.record
    summary = record.summary
    assert summary is not None
    object.__setattr__(summary, "folds", 3)
    assert "No training image of the set has a label." in (
        judged("classification", chosen, storage, split_index=0) or ""
    )
    for fold in (1, 2):
        assert judged("classification", chosen, storage, split_index=fold) is None


def test_no_file_is_asked_where_the_record_tells_enough(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for task, name in (("classification", "plain"), ("detection", "plain")):
        chosen = SETS[task](storage)[name]
        (chosen.folder / "index.json").rename(tmp_path / "away")
        spec = Experiments(CONFIGS).compose({"task": task, "data": {"batch_size": 1}})
        fitted(spec, chosen.record, storage)
