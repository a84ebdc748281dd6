"""Checks of the suite for GPUs that end in every way that one may; their processes import little."""

import os
import subprocess
import sys
from collections.abc import Iterator

from tests.gpu.check import Finding, Setting, holds, measured, not_shown


def sound(setting: Setting) -> Iterator[Finding]:
    yield holds("it is so", True)
    yield setting.at_least("a speed, which a CPU is not judged by", 1.0, 2.0, speed=True)
    yield not_shown("two at once", "needs two GPUs")


def only_measured(setting: Setting) -> Iterator[Finding]:
    yield measured("something", 3)


def short(setting: Setting) -> Iterator[Finding]:
    yield setting.at_most("a figure", float("nan"), 1.0)


def crashes(setting: Setting) -> Iterator[Finding]:
    yield holds("it is so", True)
    os._exit(3)


def hangs(setting: Setting) -> Iterator[Finding]:
    yield holds("it is so", True)
    subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"], check=True)


def says_nothing(setting: Setting) -> Iterator[Finding]:
    yield from ()
