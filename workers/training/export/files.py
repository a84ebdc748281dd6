"""Files of exported networks, and graphs that are to become such."""

import hashlib
import os
from pathlib import Path

import onnx
import onnxruntime
import torch

from trainyard.storage.errors import storage_error
from workers.training.export.sessions import open_session


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A session with torch's number of threads; raises ExportMismatch."""
    return open_session(model.SerializeToString(), torch.get_num_threads())


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_model(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph, whole or not at all; raises StorageUnavailable."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save_model(model, os.fspath(temporary))
        temporary.replace(path)
    except OSError as error:
        raise storage_error(f"{path.name} could not be written", error) from error
    finally:
        temporary.unlink(missing_ok=True)
