"""What a checkpoint file holds, read without pickle; without Lightning, whose import takes seconds."""

from pathlib import Path
from typing import Any

from trainyard.errors import StorageUnavailable
from trainyard.storage.json_files import SCHEMA, check_schema
from workers.training.torch_files import read_torch_file

ABOUT = "trainyard"
"""The key of a checkpoint under which our own part lies."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU.

    Raises StorageUnavailable for a file that is none of ours, NewerFormat for one of a newer Trainyard.
    """
    try:
        content = read_torch_file(path)
    except (OSError, ValueError) as error:
        raise StorageUnavailable(f"{path.name} cannot be read: {error}.") from error
    if not isinstance(content, dict) or ABOUT not in content:
        raise StorageUnavailable(f"{path.name} was not written by Trainyard.")
    check_schema(path, content[ABOUT].get("schema", SCHEMA))
    return content
