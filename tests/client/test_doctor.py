"""What the doctor finds on this machine."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from trainyard_client.command.doctor import machine as doctor_machine
from trainyard_client.command.doctor.doctor import doctor


def test_each_check_has_a_finding_and_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(doctor, ["--local", "--json"], standalone_mode=False)
    findings = {one["check"]: one for one in json.loads(done.stdout)}
    assert {"versions", "devices", "shared memory", "disk", "disk speed"} == set(findings)
    assert "torch" in findings["versions"]["found"]
    assert done.return_value == (0 if all(one["is_well"] for one in findings.values()) else 1)
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_whose_driver_does_not_answer_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "nvidia0").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor_machine._devices(tmp_path)
    assert not found.is_well
    assert "docs/gpu.md" in found.remedy


@pytest.mark.parametrize(
    ("limit", "check"),
    [("LEAST_SHARED_MEMORY", "shared memory"), ("LEAST_DISK", "disk"), ("SLOWEST_DISK", "disk speed")],
)
def test_too_little_has_a_remedy(limit: str, check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor_machine, limit, 1 << 60)
    (found,) = (one for one in doctor_machine.machine(tmp_path) if one.check == check)
    assert not found.is_well
    assert found.remedy


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path):
    (*_, found) = doctor_machine._disk(Path("/proc"))
    assert (found.check, found.is_well) == ("disk speed", False)
