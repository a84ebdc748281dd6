"""A spec that somebody has written into a YAML file of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from trainyard.errors import InvalidRequest
from trainyard.spec.experiments import merge

_ENDINGS = (".yaml", ".yml")


def read_spec_file(experiment: str | None, spec: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """The name of a ready experiment and the spec to lay over it; the content of a file is laid under that.

    Raises InvalidRequest for a file that holds no part of a spec.
    """
    if experiment is None or not experiment.endswith(_ENDINGS):
        return experiment, spec
    try:
        content = yaml.safe_load(Path(experiment).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidRequest(f"{experiment} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise InvalidRequest(f"{experiment} must hold a mapping, as configs/defaults.yaml does.")
    return None, merge(content, spec)
