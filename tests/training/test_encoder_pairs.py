"""The table of pairs says what trying them says."""

import json
from typing import Any

import pytest

from trainyard.catalog.encoder_pairs import TABLE, only_size, unfit_architectures
from trainyard.catalog.names import encoder_names
from trainyard.tasks.segmentation import ARCHITECTURES
from workers.training.tasks.segmentation.network import encoder_pairs
from workers.training.tasks.segmentation.network.encoder_pairs import (
    in_turn,
    read_table,
    try_encoder,
    write_table,
)

KEPT: dict[str, Any] = json.loads(TABLE.read_text())


def test_the_table_is_of_the_installed_libraries() -> None:
    assert read_table()["made_with"] == KEPT["made_with"], "run `make catalog`"


def test_it_names_encoders_and_architectures_that_there_are() -> None:
    assert set(KEPT["unfit"]) <= encoder_names()
    assert {name for row in KEPT["unfit"].values() for name in row} <= set(ARCHITECTURES)
    assert set(KEPT["only_size"]) <= set(KEPT["unfit"])


@pytest.mark.variants(1)
@pytest.mark.parametrize("encoder", ["resnet18", "mit_b0", "timm-tf_efficientnet_lite0", "tu-resnet18"])
def test_trying_again_finds_the_same(encoder: str) -> None:
    table: dict[str, Any] = {"unfit": {}, "only_size": {}}
    try_encoder(table, encoder)
    assert table["unfit"][encoder] == KEPT["unfit"].get(encoder, table["unfit"][encoder])
    assert "DPT" in table["unfit"][encoder]
    assert "Unet" not in table["unfit"][encoder]


def test_a_transformer_is_for_dpt_only(monkeypatch: pytest.MonkeyPatch) -> None:
    table: dict[str, Any] = {"unfit": {}, "only_size": {}}
    try_encoder(table, "tu-vit_tiny_patch16_224")
    assert table["unfit"]["tu-vit_tiny_patch16_224"] == [name for name in ARCHITECTURES if name != "DPT"]


def test_an_encoder_of_one_size_has_it_told() -> None:
    assert encoder_pairs.only_size("Unet", "tu-coatnet_nano_rw_224") == 224
    assert encoder_pairs.only_size("Unet", "resnet18") is None


def test_what_was_not_tried_is_not_judged() -> None:
    assert unfit_architectures("tu-of-tomorrow") == frozenset()
    assert only_size("Unet", "tu-of-tomorrow") is None


def test_a_table_cut_short_is_gone_on_with(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_pairs, "TABLE", tmp_path / "pairs.json")
    table = read_table()
    assert table["unfit"] == {}
    try_encoder(table, "resnet18")
    write_table(table)
    assert read_table() == table
    table["made_with"]["timm"] = "0"
    write_table(table)
    assert read_table()["unfit"] == {}


def test_all_families_have_their_turn() -> None:
    assert in_turn(["tu-b_2", "tu-a_1", "tu-a_2", "z", "tu-b_1"]) == [
        "z", "tu-a_1", "tu-b_1", "tu-a_2", "tu-b_2",
    ]  # fmt: skip
