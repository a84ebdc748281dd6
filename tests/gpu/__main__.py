"""`python -m tests.gpu`: whether Trainyard is right, quick and honest on this machine's GPU.

Twenty-three checks, about fifteen minutes on one GPU, no network. Prints one table and writes it as
results.md and results.json. Exit status 0: nothing fell short. 1: something did, and is named with its
remedy.
`--device cpu` runs what has a form on a CPU, in a reduced size, to show that the suite's code works.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from tests.gpu.check import CPU, CUDA, FAILED, Check
from tests.gpu.results import Machine, Result, as_json, markdown, system, text
from tests.gpu.runner import Plan, adopt_orphans, run_check
from tests.gpu.table import CHECKS
from workers.devices.cuda import driver_version
from workers.devices.device_class import device_of

OUT = Path("var/gpu")


def main(arguments: list[str], checks: Sequence[Check] = CHECKS) -> int:
    """Run the checks that are asked for; returns the exit status."""
    asked = _parser(checks).parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    machine = _machine(asked.device)
    print(machine.line, flush=True)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="gpu-") as folder:
        plan = Plan(device=asked.device, seed=asked.seed, threads=asked.threads, folder=Path(folder))
        for check in checks:
            if asked.only and check.number not in asked.only:
                continue
            print(f"{check.number:>2}  {check.name} ...", end=" ", flush=True)
            results.append(run_check(check, plan))
            print(f"{results[-1].status}, {results[-1].seconds:.0f} s", flush=True)
            # After each, so that an interrupted suite has said something.
            (asked.out / "results.md").write_text(markdown(results, machine))
            (asked.out / "results.json").write_text(as_json(results, machine, asked.seed))
    print(*text(results), sep="\n")
    print(f"Written to {asked.out}/results.md and results.json.")
    return 1 if any(result.status == FAILED for result in results) else 0


def _parser(checks: Sequence[Check]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("--device", choices=(CUDA, CPU), default=CUDA, help="default: cuda")
    numbers = {check.number for check in checks}
    parser.add_argument(
        "--only", type=lambda given: _numbers(given, numbers), help="numbers of checks, separated by commas"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="CPU threads")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder for the results; default: {OUT}")
    return parser


def _numbers(given: str, known: set[int]) -> set[int]:
    numbers = {int(part) for part in given.split(",")}
    if unknown := numbers - known:
        raise argparse.ArgumentTypeError(f"there is no check {min(unknown)}")
    return numbers


def _machine(device: str) -> Machine:
    """Told without CUDA, which the checks' processes make ready for themselves."""
    name, memory = device_of(("gpu" if device == CUDA else "cpu",), os.environ.get("CUDA_VISIBLE_DEVICES"))
    return Machine(
        device=f"{name}, {memory / 2**30:.0f} GiB, {len(os.sched_getaffinity(0))} cores",
        system=system(),
        torch=torch.__version__,
        cuda=torch.version.cuda,
        driver=driver_version() if device == CUDA else None,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    adopt_orphans()
    sys.exit(main(sys.argv[1:]))
