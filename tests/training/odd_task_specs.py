"""`python -m tests.training.odd_task_specs TASK`: as `odd_specs`, of two further tasks, on odd sets.

Exit status 1 where there was a fault; its set, spec and seed are printed.
"""

import argparse
import json
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from tests.training.conftest import CONFIGS, Run
from tests.training.odd_sets import OddSet, boxed_sets, labelled_sets
from tests.training.odd_specs import EPOCHS, EXCUSED, REFUSED, TRAINED, Drawer
from trainyard.catalog import names
from trainyard.errors import BadDataset, EngineError, InvalidModel, InvalidRequest
from trainyard.runs.dataset_checks import check_dataset, check_device, fitted
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.tasks.classification import CLASSIFICATION
from trainyard.tasks.detection import DETECTION, TERMS
from workers.training.typed_errors import EXPECTED, typed_error

Spec = dict[str, Any]
_FAMILIES = (
    "tu-test_resnet", "tu-test_vit", "tu-test_vit2", "tu-test_convnext", "tu-test_efficientnet",
    "tu-test_byobnet", "tu-test_mambaout", "tu-test_nfnet", "resnet18", "tu-mobilenetv3_small_050",
)  # fmt: skip


class LabelDrawer(Drawer):
    """Draws specs of classification."""

    def spec(self) -> Spec:
        return {**super().spec(), "task": "classification", **self._monitored(CLASSIFICATION.monitors)}

    def _monitored(self, monitors: Mapping[str, Any]) -> Spec:
        return {
            "early_stopping": self._some(monitor=tuple(monitors), patience=(0, 1), min_delta=(0, 1000)),
            "checkpoints": self._some(monitor=tuple(monitors), every_epochs=(0, 1), keep_last=(0, 1)),
        }

    def _model(self) -> Spec:
        return {
            "encoder": self._chance.choice(_FAMILIES),
            "task": self._chance.choice(("multiclass", "multiclass", "multilabel")),
            "encoder_weights": "none",
        }

    def _data(self) -> Spec:
        found = super()._data()
        found.pop("rare_class_chance", None)
        return {
            **found,
            **self._some(
                class_sampling=names.CLASS_SAMPLINGS, crop_min_area=(0.01, 1), eval_topk=([], [2], [2, 10])
            ),
        }

    def _loss(self) -> Spec:
        return self._of(CLASSIFICATION.losses)

    def _of(self, losses: Mapping[str, Any]) -> Spec:
        name = self._chance.choice(tuple(losses))
        ends = {param: (low, (low + high) / 2, high) for param, (low, high) in losses[name].params.items()}
        return {"name": name, "weight": self._chance.choice((0.001, 1, 1000)), "params": self._some(**ends)}

    def _augmentation(self) -> Spec:
        return {
            **super()._augmentation(),
            **self._some(mixup_alpha=(0.0, 1e-9, 0.2, 10.0), cutmix_alpha=(0.0, 1e-9, 1.0, 10.0)),
        }


class ObjectDrawer(LabelDrawer):
    """Draws specs of detection."""

    def spec(self) -> Spec:
        monitors = {name for name in DETECTION.monitors if "mask" not in name}
        found = {**super().spec(), "task": "detection", **self._monitored(dict.fromkeys(sorted(monitors)))}
        found["export"] = {"onnx": found["export"]["onnx"]}
        return found

    def _model(self) -> Spec:
        architecture = self._chance.choice((*TERMS, "SSDlite", "FCOS"))
        return {
            "architecture": architecture,
            "task": "instance_segmentation" if architecture == "MaskRCNN" else "detection",
            "encoder": self._chance.choice(("tu-test_resnet", "resnet18", "tu-test_efficientnet")),
            "encoder_weights": "none",
        }

    def _data(self) -> Spec:
        found = super()._data()
        for other in ("class_sampling", "eval_topk", "crop_min_area"):
            found.pop(other, None)
        return {**found, "image_size": self._chance.choice((32, 64, 96))}

    def _optimization(self, classes: int) -> Spec:
        found = super()._optimization(classes)
        return {**found, "class_weighting": "none", "class_weights": [], "losses": [self._loss()]}

    def _loss(self) -> Spec:
        return self._of(DETECTION.losses) | {"params": {}}

    def _augmentation(self) -> Spec:
        found = super()._augmentation()
        return {"transforms": found["transforms"], **self._some(min_visibility=(0, 0.5, 1))}


TASKS: dict[str, tuple[type[Drawer], Callable[[Storage], dict[str, OddSet]]]] = {
    "classification": (LabelDrawer, labelled_sets),
    "detection": (ObjectDrawer, boxed_sets),
}


def outcome(spec: Spec, chosen: OddSet, storage: Storage, folder: Path) -> str:
    """What becomes of a partial spec on a set: REFUSED, TRAINED, or the code of its end. Raises what has
    none."""
    try:
        composed = Experiments(CONFIGS).compose(spec)
        check_device(composed, "cpu")
        check_dataset(chosen.record)
        composed, _ = fitted(composed, chosen.record, storage)
    except (InvalidRequest, InvalidModel, BadDataset):
        return REFUSED
    try:
        Run(folder, chosen.folder, finishes=True).fit(epochs=EPOCHS, spec=composed.to_dict())
    except EXPECTED as error:
        if (known := typed_error(error)) is None:
            raise
        print(known.message, flush=True)
        return known.code
    return TRAINED


def fits_the_set(spec: Spec, chosen: OddSet, chance: Random) -> Spec:
    """The spec with the form of the set, and weights for its classes, three times of four."""
    summary = chosen.record.summary
    if chance.random() < 0.25 or summary is None:
        return spec
    found = dict(spec)
    if spec["task"] == "classification":
        found["model"] = {**spec["model"], "task": summary.task}
        if spec["optimization"]["class_weights"]:
            found["optimization"] = {**spec["optimization"], "class_weights": [1.0] * len(summary.classes)}
    return found


def main() -> int:
    """Try so many specs; prints how they ended, and every fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.training.odd_task_specs", description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the first spec; each has one of its own")
    asked = parser.parse_args()
    drawer, sets_of = TASKS[asked.task]
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        storage = Storage(Path(temporary))
        sets = sets_of(storage)
        for seed in range(asked.seed, asked.seed + asked.count):
            chance = Random(seed)
            name = chance.choice(sorted(sets))
            spec = fits_the_set(drawer(chance).spec(), sets[name], chance)
            with tempfile.TemporaryDirectory() as folder:
                try:
                    end = outcome(spec, sets[name], storage, Path(folder))
                except Exception:  # noqa: BLE001 - what has no name is what is looked for
                    end = EngineError.code
                    traceback.print_exc()
            ends[end] += 1
            if end not in (REFUSED, TRAINED, *EXCUSED):
                print(f"seed {seed} on {name} ended with {end}: {json.dumps(spec)}", flush=True)
    print(dict(ends))
    return 0 if ends.keys() <= {REFUSED, TRAINED, *EXCUSED} else 1


if __name__ == "__main__":
    sys.exit(main())
