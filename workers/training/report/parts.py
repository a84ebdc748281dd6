"""What reports of all tasks do alike with their files, and tell alike of times."""

from typing import Any

import torch

from trainyard.storage.files import RunFolder
from workers.training.report.learning import Learning


def clear_report(folder: RunFolder) -> None:
    """Remove an earlier report, whose figures may be more."""
    for pattern in ("val-*.png", "test-*.png"):
        for figure in folder.figures.glob(pattern):
            figure.unlink(missing_ok=True)
    folder.report_json.unlink(missing_ok=True)
    folder.report_html.unlink(missing_ok=True)


def times_of(learning: Learning) -> dict[str, Any]:
    """How long training took, and what lay between its epochs."""
    return {
        "epochs": learning.epochs,
        "training_seconds": learning.training_seconds,
        "training_images_per_second": learning.images_per_second,
        "validation_seconds": learning.validation_seconds,
    }


def place_of(device: torch.device) -> str:
    """Where a report was computed, in words."""
    return "the CPU" if device.type == "cpu" else torch.cuda.get_device_name(device)
