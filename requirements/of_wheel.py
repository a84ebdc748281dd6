"""Tells the build what an installed Trainyard needs: what the short lists of its roles name."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

ROLES = ("client", "web", "worker")
EXTRAS = ("telemetry",)


class Requirements(MetadataHookInterface):
    """Fills `dependencies`, and those of extras, from requirements/*.in: no package is named twice."""

    def update(self, metadata: dict[str, Any]) -> None:
        metadata["dependencies"] = self._named(*ROLES)
        metadata["optional-dependencies"] = {extra: self._named(extra) for extra in EXTRAS}

    def _named(self, *lists: str) -> list[str]:
        folder = Path(self.root) / "requirements"
        lines = [line for name in lists for line in (folder / f"{name}.in").read_text().splitlines()]
        return sorted({line for line in lines if line and not line.startswith("#")})
