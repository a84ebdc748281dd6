"""The process of one check: `python -m tests.gpu.check_process WORK ...` writes a line per finding."""

import argparse
import importlib
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from tests.gpu.check import CPU, CUDA, Setting


def main(arguments: list[str]) -> None:
    """Run the generator that WORK names; an error is the process's own, with its traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", help="package.module:function")
    parser.add_argument("--device", choices=(CPU, CUDA), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # blocks are left in order
    module, _, function = asked.work.partition(":")
    setting = Setting(device=asked.device, folder=asked.folder, seed=asked.seed, threads=asked.threads)
    with asked.findings.open("w", buffering=1) as findings:
        for finding in getattr(importlib.import_module(module), function)(setting):
            print(json.dumps(asdict(finding)), file=findings)


if __name__ == "__main__":
    main(sys.argv[1:])
