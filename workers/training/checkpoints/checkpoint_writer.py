"""Writes checkpoints beside training: the loop waits for a copy in memory, not for the disk."""

import hashlib
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from trainyard.storage.errors import storage_error
from trainyard.storage.json_files import write_json
from workers.training.checkpoints.staging import copied_to_host


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file that is whole and on disk: its size, and the SHA-256 of its content in hexadecimal.

    It took so many `seconds` from the order to save it.
    """

    bytes: int
    sha256: str
    seconds: float


class BackgroundWriter(TorchCheckpointIO):
    """Lightning's writer of checkpoints, with a thread of its own for one file at a time.

    Whoever saves takes the outcome with `outcome` before saving again.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._writing: Future[Written] | None = None

    @property
    def is_writing(self) -> bool:
        """Whether a file is not yet whole; its outcome would have to be waited for."""
        return self._writing is not None and not self._writing.done()

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Copy the tensors to memory of their own and begin to write.

        `storage_options` is what stands beside the file as JSON, for those who list files.
        """
        began = time.monotonic()
        snapshot = copied_to_host(checkpoint)
        self._writing = self._thread.submit(_write, snapshot, Path(path), dict(storage_options), began)

    def outcome(self) -> Written | None:
        """Wait for the file that was begun last; None where none was. Raises StorageUnavailable."""
        writing, self._writing = self._writing, None
        return writing.result() if writing else None

    def close(self) -> None:
        """Wait for the thread to end."""
        self._thread.shutdown()


def _write(content: dict[str, Any], path: Path, about: dict[str, Any], began: float) -> Written:
    """Write whole or not at all: a temporary name, fsync, rename. `began` is when it was ordered."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w+b") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            written = Written(
                bytes=os.fstat(file.fileno()).st_size,
                sha256=hashlib.file_digest(file, "sha256").hexdigest(),
                seconds=time.monotonic() - began,
            )
        write_json(path.with_name(f"{path.name}.json"), about)
        temporary.replace(path)
    except OSError as error:
        raise storage_error("A checkpoint could not be written", error) from error
    except RuntimeError as error:  # torch's own, out of the file's
        if not isinstance(error.__context__, OSError):
            raise
        raise storage_error("A checkpoint could not be written", error.__context__) from error
    finally:
        with suppress(OSError):  # it is there only where something failed
            temporary.unlink()
    return written
