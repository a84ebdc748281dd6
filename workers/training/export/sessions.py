"""onnxruntime on the CPU, for graphs that are checked and for files that are used; without torch."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from trainyard.errors import ExportMismatch, StorageUnavailable

RUNTIME_FAILURES = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
)
"""What onnxruntime raises for a graph that it cannot load or compute."""


OURS = "trainyard.classes"
"""The key of a file's metadata that tells that Trainyard wrote it."""
LEARNING_TASK = "trainyard.learning_task"
"""The key that names the task; files without it are of segmentation."""
VIEW = "trainyard.view"
"""The key that has the transforms which images are seen through, as JSON; files without it have none."""


def open_file(path: Path, threads: int) -> tuple[onnxruntime.InferenceSession, dict[str, str]]:
    """A session of an exported file, and its metadata.

    Raises StorageUnavailable for a file that is not there or was not written by Trainyard, and
    ExportMismatch for one that onnxruntime cannot load.
    """
    if not path.is_file():
        raise StorageUnavailable(f"{path.name} cannot be read: there is no such file.")
    session = open_session(str(path), threads)
    facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if OURS not in facts:
        raise StorageUnavailable(f"{path.name} was not written by Trainyard.")
    return session, facts


def open_session(model: bytes | str, threads: int) -> onnxruntime.InferenceSession:
    """A session of a graph's bytes or a file, which computes in so many threads; raises ExportMismatch.

    Threads of a session that computes nothing sleep.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except RUNTIME_FAILURES as error:
        raise ExportMismatch(f"onnxruntime cannot load the exported network: {error}") from error


def run_session(
    session: onnxruntime.InferenceSession, output: str, feed: dict[str, NDArray[Any]]
) -> NDArray[Any]:
    """One output of the graph; raises ExportMismatch where onnxruntime cannot compute it."""
    try:
        (answer,) = session.run([output], feed)
    except RUNTIME_FAILURES as error:
        raise ExportMismatch(f"onnxruntime cannot run the exported network: {error}") from error
    return np.asarray(answer)
