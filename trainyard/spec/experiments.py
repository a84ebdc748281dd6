"""Compose a complete training spec: request over experiment over defaults."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

import yaml
from marshmallow import ValidationError
from marshmallow_dataclass import class_schema

from trainyard.errors import InvalidRequest
from trainyard.spec.checks import check_parts
from trainyard.spec.stored import read_spec, with_lowest_version
from trainyard.spec.training_spec import SPEC_VERSION, TrainingSpec
from trainyard.tasks.registry import TASKS
from trainyard.unknown_fields import with_names

CUSTOM = "custom"
FILES_KEPT = 256
"""Parsed files of configurations that a process remembers."""
_spec_schema = class_schema(TrainingSpec)


class Experiments:
    """The ready specs, defaults and augmentation presets of a `configs/` folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Names of `configs/experiment/*.yaml`, sorted, without the ending."""
        return sorted(path.stem for path in (self._folder / "experiment").glob("*.yaml"))

    def presets(self) -> list[str]:
        """Names of the augmentation presets, sorted."""
        return sorted(path.stem for path in (self._folder / "augmentation").glob("*.yaml"))

    def read(self, name: str) -> dict[str, Any]:
        """One experiment as written; raises InvalidRequest that lists the names."""
        return self._named("experiment", name, self.names())

    def compose(
        self, overrides: Mapping[str, Any], experiment: str | Mapping[str, Any] | None = None
    ) -> TrainingSpec:
        """A complete, valid spec; raises InvalidRequest whose `errors` name each bad field.

        The experiment is a ready one by name, or what another one says.
        """
        defaults = _read_yaml(self._folder / "defaults.yaml")
        named = self.read(experiment) if isinstance(experiment, str) else experiment or {}
        asked = self.layered(named, overrides)
        return load_spec(self.layered(defaults, *self._defaults_of(asked), named, overrides))

    def layered(self, *layers: Mapping[str, Any]) -> dict[str, Any]:
        """Parts of a spec, each laid over those before it; raises InvalidRequest for an unknown preset."""
        return reduce(merge, map(self._with_transforms, layers), {})

    def _defaults_of(self, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What a task has other than the shared defaults, which are those of segmentation, and then what the
        form of it has other than these."""
        task, model = asked.get("task"), asked.get("model")
        if not isinstance(task, str) or task not in TASKS:
            return
        form = model.get("task") if isinstance(model, Mapping) else None
        names = (task, f"{task}.{form}") if form in TASKS[task].forms else (task,)
        for name in names:
            path = self._folder / "defaults" / f"{name}.yaml"
            if path.exists():
                yield _read_yaml(path)

    def vary(self, spec: TrainingSpec, overrides: Mapping[str, Any]) -> TrainingSpec:
        """A stored spec with some of it changed; raises InvalidRequest for the changes, as `compose`.

        What is left as it was is trusted: a name that today's lists lack is the stored run's own matter.
        """
        changes = self._with_transforms(overrides)
        data = merge(spec.to_dict(), changes)
        if problems := _within(_spec_schema().validate(data), changes):
            raise _invalid(with_names(_spec_schema(), problems))
        varied = read_spec(data)
        check_parts(varied, changes.keys())
        return varied

    def _with_transforms(self, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lay a preset's transforms into a layer; transforms given by themselves make it `custom`."""
        augmentation = spec.get("augmentation")
        if not isinstance(augmentation, Mapping) or not augmentation:
            return spec
        if "transforms" in augmentation:
            if self._is_preset(augmentation):
                return spec
            return {**spec, "augmentation": {**augmentation, "preset": CUSTOM}}
        if "preset" not in augmentation:
            return spec
        preset = self._named("augmentation", augmentation["preset"], self.presets())
        return {**spec, "augmentation": {**augmentation, "transforms": preset["transforms"]}}

    def _is_preset(self, augmentation: Mapping[str, Any]) -> bool:
        """Whether the transforms are those of the preset that is named beside them."""
        name = augmentation.get("preset")
        if not isinstance(name, str) or name not in self.presets():
            return False
        return bool(
            self._named("augmentation", name, self.presets())["transforms"] == augmentation["transforms"]
        )

    def _named(self, kind: str, name: object, accepted: list[str]) -> dict[str, Any]:
        if name not in accepted:
            field = {"experiment": "experiment", "augmentation": "spec.augmentation.preset"}[kind]
            raise InvalidRequest(
                f"No {kind} is called {name!r}.", errors={field: [f"one of: {', '.join(accepted)}"]}
            )
        return _read_yaml(self._folder / kind / f"{name}.yaml")


def load_spec(data: Mapping[str, Any]) -> TrainingSpec:
    """Check a complete spec; raises InvalidRequest whose `errors` are keyed as the spec is nested."""
    try:
        spec: TrainingSpec = _spec_schema().load({"version": SPEC_VERSION, **data})
    except ValidationError as error:
        raise _invalid(with_names(_spec_schema(), error.messages_dict)) from error
    check_parts(spec)
    return with_lowest_version(spec)


def _invalid(problems: Any) -> InvalidRequest:
    return InvalidRequest("The training spec is not valid.", errors={"spec": problems})


def _within(problems: Mapping[Any, Any], changes: Mapping[str, Any]) -> dict[Any, Any]:
    """Those of the problems, keyed as the spec is nested, that are in the changes."""
    found = {}
    for key, problem in problems.items():
        change = changes.get(key)
        if isinstance(problem, Mapping) and isinstance(change, Mapping):
            problem = _within(problem, change)
        if key in changes and problem:
            found[key] = problem
    return found


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`, mapping by mapping; anything else replaces."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        nested = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = merge(below, value) if nested else value  # type: ignore[arg-type]
    return merged


def _read_yaml(path: Path) -> dict[str, Any]:
    found = path.stat()
    return deepcopy(_parsed(path, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=FILES_KEPT)
def _parsed(path: Path, _changed_ns: int, _size: int) -> dict[str, Any]:
    """The file as it was then. Each submission asks for the defaults, and they take 10 ms to parse."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return dict(content or {})
