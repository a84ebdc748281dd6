"""`make catalog`: tries every architecture with every encoder, and keeps which pairs cannot train.

A pair is built, and a training batch of shapes alone passed through it (no numbers, so little time and
memory). One that fails at SIZE is tried at the size its encoder was made for: it may take no other.
The command goes on where an earlier one ended, and begins anew when a library has another version.
"""

import argparse
import json
import math
import time
import warnings
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import timm
import torch
from torch import nn

from trainyard.catalog.encoder_pairs import TABLE
from trainyard.catalog.names import TIMM_PREFIX, encoder_names
from trainyard.errors import InvalidModel
from trainyard.spec.training_spec import ModelSpec
from trainyard.tasks.registry import rounded_size
from trainyard.tasks.segmentation import ARCHITECTURES
from workers.training.network.shapes import pass_shapes
from workers.training.tasks.segmentation.network.networks import empty_network

SIZE = 256
"""Height and width, in pixels, at which pairs are tried; rounded to what the architecture takes."""
CLASSES = 3
BATCH = 2
SAVE_EVERY_S = 20.0

Table = dict[str, Any]


def only_size(architecture: str, encoder: str) -> int | None:
    """None where the pair trains, else the only size, in pixels, that it takes; 0 where it takes none."""
    first = rounded_size(architecture, SIZE)
    if trains(architecture, encoder, first):
        return None
    own = pretrained_size(encoder)
    is_another = own is not None and own != first and rounded_size(architecture, own) == own
    return own if own and is_another and trains(architecture, encoder, own) else 0


def trains(architecture: str, encoder: str, size: int) -> bool:
    """Whether the pair trains on images of `size` x `size` pixels, as far as shapes can tell."""
    model = ModelSpec(architecture=architecture, encoder=encoder, task="multiclass", encoder_weights="none")
    try:
        pass_shapes(_network(model), size, BATCH)
    except InvalidModel:
        return False
    return True


def _network(model: ModelSpec) -> nn.Module:
    """Without numbers where the encoder's code can be run so, which saves seconds."""
    try:
        with torch.device("meta"):
            network: nn.Module = empty_network(model, CLASSES)
    except InvalidModel as error:
        if "meta tensor" not in str(error.__cause__):
            raise
        network = empty_network(model, CLASSES)
    return network


def pretrained_size(encoder: str) -> int | None:
    """Height and width, in pixels, that a timm encoder was made for; None where it is not known."""
    if not encoder.startswith(TIMM_PREFIX):
        return None
    known = timm.get_pretrained_cfg(encoder.removeprefix(TIMM_PREFIX))
    return int(known.input_size[-1]) if known else None


def read_table() -> Table:
    """What was found so far with these versions of the libraries; empty for others."""
    made_with = {name: version(name) for name in ("segmentation_models_pytorch", "timm", "torch")}
    if TABLE.exists():
        table: Table = json.loads(TABLE.read_text())
        if table["made_with"] == made_with:
            return table
    return {"made_with": made_with, "unfit": {}, "only_size": {}}


def write_table(table: Table) -> None:
    """One encoder a line, so that a new release shows as a readable difference."""
    lines = [f' "made_with": {json.dumps(table["made_with"])}']
    for part in ("unfit", "only_size"):
        rows = (f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(table[part].items()))
        lines.append(f' "{part}": {{\n' + ",\n".join(rows) + "\n }")
    temporary = TABLE.with_suffix(".tmp")
    temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    temporary.replace(TABLE)


def try_encoder(table: Table, encoder: str) -> None:
    """Put what the encoder does with each architecture into the table."""
    found = {name: only_size(name, encoder) for name in ARCHITECTURES}
    table["unfit"][encoder] = [name for name, size in found.items() if size == 0]
    if sizes := {name: size for name, size in found.items() if size}:
        table["only_size"][encoder] = sizes


def in_turn(names: Iterable[str]) -> list[str]:
    """smp's own first, then one of each family of timm's after another: a table cut short has some of all."""
    members: Counter[str] = Counter()
    turns = {}
    for name in sorted(names):
        family = name.partition("_")[0].rstrip("0123456789") if name.startswith(TIMM_PREFIX) else ""
        turns[name] = (family != "", members[family] if family else 0, name)
        members[family] += 1
    return sorted(turns, key=turns.__getitem__)


def main() -> None:
    """Try the encoders that the table lacks; may be ended at any time."""
    parser = argparse.ArgumentParser(
        prog="python -m workers.training.tasks.segmentation.network.encoder_pairs", description=__doc__
    )
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so long")
    ends = time.monotonic() + 60 * parser.parse_args().minutes
    warnings.filterwarnings("ignore")
    table, saved = read_table(), time.monotonic()
    names = encoder_names()
    table["unfit"] = {name: row for name, row in table["unfit"].items() if name in names}
    for encoder in in_turn(names - table["unfit"].keys()):
        if time.monotonic() > ends:
            break
        try_encoder(table, encoder)
        if time.monotonic() - saved > SAVE_EVERY_S:
            write_table(table)
            saved = time.monotonic()
    write_table(table)
    print(f"{len(table['unfit'])} of {len(names)} encoders tried with all architectures")


if __name__ == "__main__":
    main()
