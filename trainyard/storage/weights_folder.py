"""The folder of storage with weights of encoders, and whole encoders, that an operator puts there."""

from pathlib import Path

from trainyard.errors import InvalidRequest


class WeightsFolder:
    """What a spec names lies in it, never outside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, name: str) -> Path:
        """A file; raises InvalidRequest for one outside or absent."""
        if not self._is_file(name):
            present = sorted(self._named(path) for path in self._folder.rglob("*") if path.is_file())
            raise InvalidRequest(
                f"There is no weights file {name!r} in storage.",
                errors={"spec": {"model": {"encoder_weights": [f"files: {', '.join(present) or 'none'}"]}}},
            )
        return (self._folder / name).resolve()

    def folder_with(self, name: str, file: str) -> Path:
        """A folder of an encoder, which has that file; raises InvalidRequest for one outside or absent."""
        if not self._is_file(f"{name}/{file}"):
            present = sorted(self._named(path.parent) for path in self._folder.rglob(file))
            raise InvalidRequest(
                f"There is no folder {name!r} with a {file} in the weights of storage.",
                errors={"spec": {"model": {"encoder": [f"folders: {', '.join(present) or 'none'}"]}}},
            )
        return (self._folder / name).resolve()

    def _named(self, path: Path) -> str:
        return str(path.relative_to(self._folder))

    def _is_file(self, name: str) -> bool:
        """Whether the name, of whatever characters and length, is that of a file inside the folder."""
        try:
            path = (self._folder / name).resolve()
            return path.is_relative_to(self._folder) and path.is_file()
        except (OSError, ValueError):
            return False
