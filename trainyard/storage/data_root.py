"""The data root: the folder below which data sets may lie that are read in place, and never written."""

from dataclasses import dataclass
from pathlib import Path

from trainyard.errors import InvalidRequest

NAMES_SHOWN = 20
"""Names in the data root that an error lists."""


@dataclass(frozen=True)
class DataRoot:
    """A folder of the operator's, without links on the way to it; it need not exist."""

    folder: Path

    def path(self, name: str) -> Path:
        """A file or folder in it by its path from there, reached over no link; raises InvalidRequest."""
        if not _is_own(self.folder, name):
            present = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
            more = ["..."] if len(present) > NAMES_SHOWN else []
            raise InvalidRequest(
                f"There is no file or folder {name[:200]!r} in the data root, {self.folder.name}/.",
                errors={"path": [f"there: {', '.join(present[:NAMES_SHOWN] + more) or 'nothing'}"]},
            )
        return self.folder / name

    def name_of(self, place: Path) -> str | None:
        """The path from the data root to a file or folder in it, of which `place`, absolute or from there, is
        one name, perhaps over links; None where nothing is there, or it lies outside."""
        try:
            found = (self.folder / place).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: links that lead to each other
            return None
        return found.relative_to(self.folder).as_posix() if found.is_relative_to(self.folder) else None


def _is_own(folder: Path, name: str) -> bool:
    """Whether the name is a plain path to something inside the folder, no part of which is a link."""
    try:
        parts = name.rstrip("/").split("/")
        path = folder.joinpath(*parts)
        plain = all(part not in ("", ".", "..") for part in parts)
        return plain and path.resolve() == path and path.is_relative_to(folder) and path.exists()
    except (OSError, ValueError):
        return False
