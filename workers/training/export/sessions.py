"""onnxruntime on the CPU, for graphs that are checked and for files that are used; without torch."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from trainyard.errors import ExportMismatch

RUNTIME_FAILURES = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
)
"""What onnxruntime raises for a graph that it cannot load or compute."""


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
