"""`--set data.batch_size=16`: parts of a spec by their dotted names; the server checks them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def spec_options(function: F) -> F:
    """Give the command `--spec` and `--set`, as `spec_file` and `assignments` for `spec_of`."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    of_file = click.option("--spec", "spec_file", type=file, help="A JSON file with a spec or a part of one.")
    of_parts = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="NAME=VALUE",
        help="A part of the spec, as data.batch_size=16; may be given again and again.",
    )
    return of_file(of_parts(function))


def run_options(function: F) -> F:
    """Give the command what a run is asked for with, as those of `spec_of` and fields of a request."""
    options = (
        click.option(
            "-e",
            "--experiment",
            help="A ready spec (`trainyard model experiments`), or a saved one of the project.",
        ),
        spec_options,
        click.option("--epochs", type=int, help="Epochs to train."),
        click.option("--name", help="Name of the run."),
        click.option("--project", help="Project it belongs to; the data set's by default."),
        click.option("--notes", help="Free text."),
        click.option("--priority", type=int, help="0 to 9; 9 goes first."),
        click.option("--max-hours", type=float, help="Hours that all attempts together may train."),
        click.option("--device-class", help="cpu, gpu or gpu-large."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def spec_of(
    file: Path | None, assignments: Iterable[str], *, base: Mapping[str, Any] | None = None, **shortcuts: Any
) -> dict[str, Any]:
    """The spec of a JSON file, else the `base`, with assignments laid over it, and shortcuts that are not
    None over these."""
    spec = _read(file) if file else deepcopy(dict(base or {}))
    for text in assignments:
        name, sign, value = text.partition("=")
        if not sign or not all(name.split(".")):
            raise click.BadParameter(f"{text!r} is not NAME=VALUE, as data.batch_size=16", param_hint="--set")
        _assign(spec, name, _value(value))
    return {**spec, **{name: value for name, value in shortcuts.items() if value is not None}}


def dotted(spec: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a spec by the dotted names that `--set` takes; a list is one value."""
    for name, value in spec.items():
        if isinstance(value, Mapping) and value:
            yield from dotted(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def object_of(text: str, option: str) -> dict[str, Any]:
    """The JSON object of an option."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"this is no JSON: {error}", param_hint=option) from error
    if not isinstance(value, dict):
        raise click.BadParameter('a JSON object is needed, as {"0": "background"}', param_hint=option)
    return value


def _read(file: Path) -> dict[str, Any]:
    try:
        return object_of(file.read_text(), "--spec")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file} cannot be read: {error}", param_hint="--spec") from error


def _assign(spec: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split(".")
    for parent in parents:
        inner = spec.setdefault(parent, {})
        if not isinstance(inner, Mapping):
            raise click.BadParameter(f"{parent} is set to a value already", param_hint="--set")
        spec[parent] = dict(inner)
        spec = spec[parent]
    spec[last] = value


def _value(text: str) -> Any:
    """JSON where it is any, else the text itself: 16, true, [1, 2] and Unet mean what they look like."""
    try:
        return json.loads(text)
    except ValueError:
        return text
