"""What `pip install .` and `pip install ./trainyard_client` put on a machine."""

import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from trainyard.settings import REPOSITORY
from trainyard_client import __version__

CLIENT = "trainyard_client"


def built(project: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(REPOSITORY, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(REPOSITORY / CLIENT, tmp_path_factory.mktemp("client"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def metadata(wheel: Path, file: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(f".dist-info/{file}"))
        return archive.read(path)


def needs(wheel: Path) -> set[str]:
    return set(message_from_bytes(metadata(wheel, "METADATA")).get_all("Requires-Dist", []))


def files(*folders: str) -> set[str]:
    found = (path for folder in folders for path in (REPOSITORY / folder).rglob("*") if path.is_file())
    kept = {str(path.relative_to(REPOSITORY)) for path in found if "__pycache__" not in path.parts}
    return kept - {f"{CLIENT}/pyproject.toml"}


def test_the_whole_carries_every_file_of_its_packages_and_the_configs(whole: Path):
    packages = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    expected = files(*packages["targets"]["wheel"]["packages"])
    assert names(whole) == expected | {f"trainyard/{file}" for file in files("configs")}


def test_the_client_is_its_package_alone(client: Path):
    assert names(client) == files(CLIENT)


def test_what_is_needed_is_what_the_short_lists_of_roles_name(whole: Path, client: Path):
    lists = {
        role: {
            line
            for line in (REPOSITORY / "requirements" / f"{role}.in").read_text().splitlines()
            if line and not line.startswith("#")
        }
        for role in ("client", "web", "worker", "telemetry")
    }
    assert needs(client) == lists["client"]
    extra = {one.partition(";")[0] for one in needs(whole) if one.endswith("; extra == 'telemetry'")}
    assert extra == lists.pop("telemetry")
    assert {one.partition("<")[0].partition(">")[0] for one in needs(whole) if ";" not in one} == {
        one.partition("<")[0].partition(">")[0] for one in set().union(*lists.values())
    }


def test_both_have_the_one_version_and_the_command(whole: Path, client: Path):
    for wheel in (whole, client):
        assert message_from_bytes(metadata(wheel, "METADATA"))["Version"] == __version__
        assert b"trainyard = trainyard_client.command.main:main" in metadata(wheel, "entry_points.txt")


def test_the_command_of_the_wheel_runs_where_there_is_no_repository(client: Path, tmp_path: Path):
    command = [sys.executable, "-m", CLIENT, "version"]
    environment = {"PYTHONPATH": str(client), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"trainyard {__version__}\n"
