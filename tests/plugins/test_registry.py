"""What plug-ins register, how they are loaded, and what is said of those that cannot be."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.conftest import ACME
from trainyard.errors import SettingsError
from trainyard.plugins.offers import is_offered_name, metric_of
from trainyard.settings import REPOSITORY, plugin_modules
from trainyard.tasks.registry import direction_of
from workers.plugins import registry
from workers.plugins.announced import announced_offers
from workers.plugins.loading import load_plugins
from workers.plugins.registry import loss, offers


def test_offers_are_announced_by_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRAINYARD_PLUGINS", ACME)
    found = {offer.key: offer for offer in announced_offers((ACME,))}
    assert sorted(found) == [
        "architecture acme.grid", "architecture acme.pooled", "format acme.pairs", "loss acme.tversky",
        "loss acme.weighted", "metric acme.first_class_error", "metric acme.first_share",
        "metric acme.per_object", "optimizer acme.plain_sgd",
    ]  # fmt: skip
    tversky, pooled = found["loss acme.tversky"], found["architecture acme.pooled"]
    assert (tversky.task, tversky.forms, tversky.params) == (
        "segmentation",
        ("multiclass",),
        {"alpha": (0, 1)},
    )
    assert (pooled.size_multiple, pooled.encoders) == (8, ("acme.small", "acme.large"))


def test_without_plug_ins_no_process_is_started(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subprocess, "run", None)
    assert announced_offers(()) == ()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("1 / 0\n", "ZeroDivisionError"),
        (
            "from workers.plugins.registry import loss\nloss('tversky', task='segmentation')(print)\n",
            "no name",
        ),
        ("import os\nos._exit(5)\n", "with status 5"),
    ],
)
def test_a_plug_in_that_cannot_be_imported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
):
    (tmp_path / "lab_broken.py").write_text(f"print('a line of its own')\n{source}")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{REPOSITORY}")
    monkeypatch.setenv("TRAINYARD_PLUGINS", "lab_broken")
    with pytest.raises(SettingsError, match=r"lab_broken|tversky") as raised:
        announced_offers(("lab_broken",))
    assert said in raised.value.message


def test_a_worker_with_such_a_plug_in_does_not_start(redis_url: str, tmp_path: Path):
    environment = {
        "PATH": "/usr/bin:/bin", "TRAINYARD_REDIS_URL": redis_url, "TRAINYARD_STORAGE": str(tmp_path),
        "TRAINYARD_PLUGINS": "lab.gone", "PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "workers", "predict"],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1
    assert "This worker does not start: The plug-in lab.gone cannot be imported" in done.stderr


def test_a_task_that_takes_none_is_told(acme: None):
    with pytest.raises(SettingsError, match="for the task 'detection'"):
        loss("lab.giou", task="detection")(print)


def test_loading_twice_registers_once(acme: None):
    before = offers()
    load_plugins()
    load_plugins()
    assert offers() == before


def test_a_name_belongs_to_one_module(acme: None):
    def of_another_module(form: str) -> None: ...

    with pytest.raises(SettingsError, match=r"acme.tversky is registered by tests.plugins.acme and by"):
        loss("acme.tversky", task="segmentation")(of_another_module)
    assert registry.registered("loss", "acme.tversky").make.__module__ == ACME


@pytest.mark.parametrize(
    ("name", "may_be"),
    [
        ("lab.tversky", True), ("lab.group.tversky2", True), ("tversky", False), ("Lab.tversky", False),
        ("lab.", False), (".tversky", False), ("lab..x", False), ("lab.x\n", False), ("lab/x.y", False),
        ("lab." + "x" * 80, False), ("", False),
    ],
)  # fmt: skip
def test_names_have_a_dot_and_small_letters(name: str, may_be: bool):
    assert is_offered_name(name) is may_be


def test_metrics_fall_or_rise_by_their_names():
    assert (metric_of("val_acme.first_share"), metric_of("val_miou"), metric_of("acme.x")) == (
        "acme.first_share", None, None,
    )  # fmt: skip
    found = [direction_of(f"val_lab.{name}") for name in ("kappa", "edge_distance", "rank_error", "nll_loss")]
    assert found == ["max", "min", "min", "min"]
    assert (direction_of("val_miou"), direction_of("val_loss")) == ("max", "min")


@pytest.mark.parametrize(
    ("text", "modules"), [("", ()), ("lab", ("lab",)), (" lab.a , lab.b,", ("lab.a", "lab.b"))]
)
def test_the_setting_names_modules(text: str, modules: tuple[str, ...]):
    assert plugin_modules({"TRAINYARD_PLUGINS": text}) == modules


@pytest.mark.parametrize("text", ["lab/x.py", "lab;x", "1lab", "lab..x"])
def test_anything_else_is_refused(text: str):
    with pytest.raises(SettingsError, match="takes modules"):
        plugin_modules({"TRAINYARD_PLUGINS": text})
