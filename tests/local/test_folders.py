"""Names of experiments."""

from pathlib import Path

import pytest

from trainyard.errors import Conflict, InvalidRequest
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard_local.folders import make_folder

SPEC = Experiments(CONFIGS).compose({"model": {"encoder": "tu-test_resnet"}})


def test_the_next_number_is_taken(tmp_path: Path):
    for taken in ("exp1", "exp7", "experiment9", "exp"):
        (tmp_path / taken).mkdir()
    assert make_folder(tmp_path, None, SPEC).path.name == "exp8"


def test_a_readable_name_is_made_of_the_spec(tmp_path: Path):
    named = "unet-tu-test_resnet__dice+cross_entropy__none"
    assert [make_folder(tmp_path, "auto", SPEC).path.name for _ in range(2)] == [f"{named}-v1", f"{named}-v2"]


def test_a_name_of_ones_own_is_taken_once(tmp_path: Path):
    assert make_folder(tmp_path, "first-try.2", SPEC).path == tmp_path / "first-try.2"
    with pytest.raises(Conflict):
        make_folder(tmp_path, "first-try.2", SPEC)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/tmp/x", ".hidden", "a b", "a\n", "x" * 101])
def test_what_is_no_plain_name_is_refused(name: str, tmp_path: Path):
    with pytest.raises(InvalidRequest):
        make_folder(tmp_path / "runs", name, SPEC)
