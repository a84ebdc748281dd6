"""Tells the build what an installed Trainyard needs: what the short lists of its roles name."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

ROLES = ("client", "web", "worker")


class Requirements(MetadataHookInterface):
    """Fills `dependencies` from requirements/*.in, so that no package is named twice."""

    def update(self, metadata: dict[str, Any]) -> None:
        folder = Path(self.root) / "requirements"
        lines = [line for role in ROLES for line in (folder / f"{role}.in").read_text().splitlines()]
        metadata["dependencies"] = sorted({line for line in lines if line and not line.startswith("#")})
