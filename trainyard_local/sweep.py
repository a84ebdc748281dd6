"""Variants of one experiment, each trained in a process of its own, and what has become of them."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from trainyard.errors import InvalidRequest
from trainyard_client.command.runs.assignments import dotted
from trainyard_client.command.runs.comparison import read_local, show_comparison
from trainyard_client.command.terminal import exit_codes
from trainyard_client.command.terminal.output import Output

STOPPED = "stopped"
GRID, LIST = "grid", "list"
Variant: TypeAlias = Mapping[str, Any]
"""Values of a spec by their dotted names."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a variant came to: the result as JSON, None where it failed for the `reason`."""

    variant: Variant
    result: Mapping[str, Any] | None
    reason: str


def read_variants(file: Path) -> list[Variant]:
    """The parts of a spec that each variant has; raises InvalidRequest.

    Under `grid` each name has a list of values, and every combination is a variant; under `list` are the
    variants themselves. Names may be dotted, as optimization.learning_rate.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}") from error
    if not isinstance(content, dict) or set(content) - {GRID, LIST} or not content:
        raise InvalidRequest(f"{file} must hold `grid`, a mapping of names to lists of values, or `list`.")
    return [*_of_grid(file, content.get(GRID) or {}), *_of_list(file, content.get(LIST) or [])]


def sweep_to_end(file: Path, arguments: Sequence[str], *, at_once: int, threads: int, output: Output) -> int:
    """Train the variants of the file and show how they compare; the status to end with."""
    variants = read_variants(file)
    output.note(f"{len(variants)} variants, {at_once} at a time")

    def tell(number: int, outcome: Outcome) -> None:
        output.note(f"{number}/{len(variants)}  {_described(outcome)}")

    outcomes = run_sweep(variants, arguments, at_once=at_once, threads=threads, tell=tell)
    records = [read_local(Path(one.result["folder"])) for one in outcomes if one.result]
    if records:
        show_comparison(output, records)
    if any(one.result is None for one in outcomes):
        return exit_codes.RUN_FAILED
    is_stopped = any(one.result and one.result["status"] == STOPPED for one in outcomes)
    return exit_codes.RUN_STOPPED if is_stopped else exit_codes.DONE


def run_sweep(
    variants: Sequence[Variant],
    arguments: Sequence[str],
    *,
    at_once: int,
    threads: int,
    tell: Callable[[int, Outcome], None],
) -> list[Outcome]:
    """Train all, `at_once` at a time, which share out `threads`; their outcomes in the order of the variants.

    `arguments` are those of `trainyard train` that all have. `tell` is called with the number, from 1, and
    the outcome of each. Ctrl-C reaches those that train, which stop and save; no other is begun then.
    """
    share = ("--threads", str(max(1, threads // at_once)))
    stopped: list[bool] = []

    def train(variant: Variant) -> Outcome:
        if stopped:
            return Outcome(variant=variant, result=None, reason="not begun")
        outcome = _trained(variant, [*arguments, *share])
        if outcome.result is not None and outcome.result["status"] == STOPPED:
            stopped.append(True)
        return outcome

    with ThreadPoolExecutor(at_once) as pool:
        outcomes = []
        try:
            for number, outcome in enumerate(pool.map(train, variants), 1):
                tell(number, outcome)
                outcomes.append(outcome)
        except KeyboardInterrupt:
            stopped.append(True)  # those that train have had it, too, and are waited for
            raise
        return outcomes


def _trained(variant: Variant, arguments: Sequence[str]) -> Outcome:
    parts = [word for name, value in variant.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    command = [sys.executable, "-m", "trainyard_client", "train", *arguments, *parts, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return Outcome(variant=variant, result=json.loads(done.stdout), reason="")
    except ValueError:
        return Outcome(variant=variant, result=None, reason=_said(done.stderr))


def _described(outcome: Outcome) -> str:
    values = ", ".join(f"{name}={value}" for name, value in outcome.variant.items())
    if outcome.result is None:
        return f"failed ({values}): {outcome.reason}"
    found = outcome.result
    return f"{found['name']} {found['status']} ({values}): {found['monitor']} {found['best_value']}"


def _said(text: str) -> str:
    """The error of what a process has said on its way."""
    lines = [line for line in text.splitlines() if line.startswith("Error: ")] or text.splitlines()
    return lines[-1].removeprefix("Error: ") if lines else "it said nothing"


def _of_grid(file: Path, grid: Any) -> Iterator[Variant]:
    if not isinstance(grid, dict) or not all(isinstance(values, list) and values for values in grid.values()):
        raise InvalidRequest(f"{file}: under `grid` each name needs a list of values.")
    for values in product(*grid.values()) if grid else ():
        yield dict(zip(grid, values, strict=True))


def _of_list(file: Path, variants: Any) -> Iterator[Variant]:
    if not isinstance(variants, list) or not all(isinstance(one, dict) and one for one in variants):
        raise InvalidRequest(f"{file}: `list` must hold parts of a spec.")
    for one in variants:
        yield dict(dotted(one))
