"""`python -m tests.training.odd_specs`: specs of values at the ends of what is accepted, drawn by a seed.

Each goes the way of a submitted one: what the API would refuse is refused, and the rest trains two epochs on
a tiny set and writes what a trained run owes. Accepted means trainable: whatever ends otherwise is a fault,
but for a loss that is no number any more, and a network whose layers no batch of that size can pass, which
only a worker can know. Exit status 1 where there was a fault; its spec and its seed are printed.
"""

import argparse
import json
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.training.conftest import CLASSES, CONFIGS, Run, draw_set
from tests.training.multilabel_set import OVERLAPPING, draw_overlapping
from trainyard.catalog import names
from trainyard.catalog.transform_rules import Rule
from trainyard.catalog.transforms import CHANCE, PARAMETERS
from trainyard.datasets.record import ClassInfo, Dataset, DatasetSummary
from trainyard.errors import EngineError, InvalidModel, InvalidRequest
from trainyard.runs.dataset_checks import check_device, fitted
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.tasks.segmentation import SEGMENTATION
from workers.training.typed_errors import EXPECTED, typed_error

REFUSED, TRAINED = "refused", "trained"
EXCUSED = ("nan_loss", "invalid_model")
"""Codes with which an accepted spec may end all the same."""
TRAIN, VAL = 5, 3
EPOCHS = 2
ENCODERS = (
    *("tu-test_resnet", "tu-test_resnet", "tu-test_resnet", "resnet18", "tu-test_convnext"),
    *("tu-test_efficientnet", "tu-test_byobnet", "tu-test_mambaout", "tu-test_vit2", "tu-test_nfnet"),
)
"""Small ones of different families."""
CLASSES_OF = {"multiclass": CLASSES, "binary": CLASSES[:2], "multilabel": OVERLAPPING}
LEFT = 0.5
"""How often a field is left at its default."""


class Drawer:
    """Draws partial specs; every choice is of its `chance`."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def spec(self) -> dict[str, Any]:
        """One partial spec, which may be refused."""
        model = self._model()
        parts = {
            "model": model,
            "data": self._data(),
            "optimization": self._optimization(len(CLASSES_OF.get(model["task"], CLASSES))),
            "augmentation": self._augmentation(),
            "early_stopping": self._some(
                monitor=tuple(SEGMENTATION.monitors), patience=(0, 1, 100_000), min_delta=(0, 0.5, 1000)
            ),
            "checkpoints": self._some(
                monitor=tuple(SEGMENTATION.monitors), every_epochs=(0, 1, 2, 10_000), keep_last=(0, 1, 10_000)
            ),
            "export": {"onnx": self._chance.random() < 0.2},
            "compute": self._some(deterministic=(True, False)),
            **self._some(seed=(0, 1, 2**32 - 1), precision=("auto", "32", "bf16-mixed")),
        }
        if parts["export"]["onnx"]:
            parts["export"] |= self._some(
                half=(True, False), int8=(True, False), with_preprocessing=(True, False)
            )
        return parts

    def _model(self) -> dict[str, Any]:
        pick = self._chance.choice
        return {
            "architecture": pick(tuple(SEGMENTATION.architectures)),
            "encoder": pick(ENCODERS),
            "task": pick(("multiclass", "multiclass", "binary", "multilabel")),
            "encoder_weights": "none",
        }

    def _data(self) -> dict[str, Any]:
        return {
            "image_size": self._chance.choice((32, 33, 47, 64)),
            "batch_size": self._chance.choice((1, 2, 3, 5, 1024)),
            "loader_workers": 0,
            **self._some(
                fit=names.FITS,
                rare_class_chance=(0, 0.5, 1),
                val_fraction=(None, 1e-9, 0.5, 0.9),
                val_every_epochs=(1, 2, 100_000),
                val_max_images=(None, 1, 2, 1_000_000),
            ),
        }

    def _optimization(self, classes: int) -> dict[str, Any]:
        weighting = self._chance.choice(("none", "none", "auto", "given"))
        weights: list[float] = []
        if weighting == "given":
            weights = [self._chance.choice((0, 1e-9, 1, 1000)) for _ in range(classes)]
        return {
            "losses": [self._loss() for _ in range(self._chance.choice((1, 1, 2, 3)))],
            "class_weighting": weighting,
            "class_weights": weights,
            **self._some(
                optimizer=names.OPTIMIZERS,
                learning_rate=(1e-8, 1e-3, 0.1, 1.0),
                encoder_lr_factor=(0, 1e-9, 0.1),
                layer_lr_decay=(0.01, 0.5),
                weight_decay=(0, 1),
                momentum=(0, 0.9999),
                gradient_clip=(0, 1e-9, 1000),
                accumulate_batches=(1, 2, 1024),
                freeze_encoder_epochs=(0, 1, 100_000),
                ema_decay=(None, 0.5, 0.9999),
            ),
            "schedule": self._some(
                name=names.SCHEDULES,
                warmup_fraction=(0, 1e-9, 0.5),
                final_factor=(0, 1),
                power=(0.1, 10),
                drop_factor=(0.01, 0.99),
                drop_every=(0.01, 1),
                patience=(1, 10_000),
            ),
        }

    def _loss(self) -> dict[str, Any]:
        name = self._chance.choice(tuple(SEGMENTATION.losses))
        params = SEGMENTATION.losses[name].params.items()
        ends = {param: (low, (low + high) / 2, high) for param, (low, high) in params}
        return {"name": name, "weight": self._chance.choice((0.001, 1, 1000)), "params": self._some(**ends)}

    def _augmentation(self) -> dict[str, Any]:
        count = self._chance.choice((0, 1, 2, 4))
        chosen = self._chance.choices(names.TRANSFORMS, k=count)
        return {"transforms": [self._transform(name) for name in chosen]}

    def _transform(self, name: str) -> dict[str, Any]:
        rules: dict[str, Rule] = {**PARAMETERS[name], "p": CHANCE}
        return {"name": name, "params": self._some(**{key: rule.examples for key, rule in rules.items()})}

    def _some(self, **accepted: Any) -> dict[str, Any]:
        """A value for about half of the fields."""
        return {
            name: self._chance.choice(values)
            for name, values in accepted.items()
            if self._chance.random() >= LEFT
        }


_CONTENT = "0" * 64
_IDS = {task: f"ds-{place:012x}" for place, task in enumerate(CLASSES_OF)}


class Sets:
    """A set for each task: of three classes, of two, and of three that overlap."""

    def __init__(self, folder: Path) -> None:
        self.storage = Storage(folder / "storage")
        places = {task: self.storage.dataset(_IDS[task]).version(_CONTENT) for task in CLASSES_OF}
        self.folders = {
            "multiclass": draw_set(places["multiclass"], train=TRAIN, val=VAL),
            "binary": _with_two_classes(draw_set(places["binary"], train=TRAIN, val=VAL)),
            "multilabel": draw_overlapping(places["multilabel"], train=TRAIN, val=VAL),
        }

    def record(self, task: str) -> Dataset:
        """What the API knows of it."""
        classes = [
            ClassInfo(
                index=one.index, name=one.name, value=one.value, color=one.color, pixels=1, share=0, images=1
            )
            for one in CLASSES_OF[task]
        ]
        summary = DatasetSummary(
            content_hash=_CONTENT,
            images=TRAIN + VAL,
            splits={"train": TRAIN, "val": VAL},
            classes=tuple(classes),
            ignore_share=0.0,
            sizes={},
            mean=(0.3, 0.3, 0.3),
            std=(0.1, 0.1, 0.1),
            task="multilabel" if task == "multilabel" else "multiclass",
        )
        return Dataset(id=_IDS[task], name="d", project="p", created_at=0, summary=summary)


def _with_two_classes(folder: Path) -> Path:
    """Boxes become ground."""
    masks = np.fromfile(folder / "masks.bin", np.uint8)
    np.where(masks == 2, 0, masks).astype(np.uint8).tofile(folder / "masks.bin")
    index = read_json(folder / "index.json")
    write_json(folder / "index.json", {**index, "classes": index["classes"][:2]})
    return folder


def outcome(spec: dict[str, Any], sets: Sets, folder: Path) -> str:
    """What becomes of a partial spec: REFUSED, TRAINED, or the code of its end. Raises what has none."""
    task = spec["model"]["task"]
    try:
        composed = Experiments(CONFIGS).compose(spec)
        check_device(composed, "cpu")
        composed, _ = fitted(composed, sets.record(task), sets.storage)
    except (InvalidRequest, InvalidModel):
        return REFUSED
    try:
        Run(folder, sets.folders[task], finishes=True).fit(epochs=EPOCHS, spec=composed.to_dict())
    except EXPECTED as error:
        if (known := typed_error(error)) is None:
            raise
        return known.code
    return TRAINED


def main() -> int:
    """Try so many specs; prints how they ended, and every fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.training.odd_specs", description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="of the first spec; each has one of its own")
    asked = parser.parse_args()
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        sets = Sets(Path(temporary))
        for seed in range(asked.seed, asked.seed + asked.count):
            spec = Drawer(Random(seed)).spec()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    end = outcome(spec, sets, Path(folder))
                except Exception:  # noqa: BLE001 - what has no name is what is looked for
                    end = EngineError.code
                    traceback.print_exc()
            ends[end] += 1
            if end not in (REFUSED, TRAINED, *EXCUSED):
                print(f"seed {seed} ended with {end}: {json.dumps(spec)}", flush=True)
    print(dict(ends))
    return 0 if ends.keys() <= {REFUSED, TRAINED, *EXCUSED} else 1


if __name__ == "__main__":
    sys.exit(main())
