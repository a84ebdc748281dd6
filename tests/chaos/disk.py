"""A small disk of its own for one run, which can be filled to the last byte."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SIZE = "24m"
BALLAST = "ballast"


def missing() -> str | None:
    """Why there can be no such disk, or None."""
    if os.geteuid() != 0:
        return "mounting a tmpfs needs root"
    with tempfile.TemporaryDirectory() as folder:
        tried = _mount(Path(folder))
        if tried.returncode:
            return f"no tmpfs can be mounted: {tried.stderr.strip()}"
        subprocess.run(["umount", folder], check=True)
    return None


class SmallDisk:
    """A tmpfs in the place of a folder, whose content it takes over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with tempfile.TemporaryDirectory() as kept:
            shutil.copytree(folder, kept, dirs_exist_ok=True)
            _mount(folder).check_returncode()
            shutil.copytree(kept, folder, dirs_exist_ok=True)

    def fill(self) -> None:
        """Leave no byte free."""
        with (self._folder / BALLAST).open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return

    def make_room(self) -> None:
        """Free what `fill` has taken."""
        (self._folder / BALLAST).unlink(missing_ok=True)

    def remove(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "--lazy", str(self._folder)], check=True)


def _mount(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
