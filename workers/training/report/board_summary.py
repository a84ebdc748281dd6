"""What TensorBoard shows of a finished run beside its curves: figures, and settings beside the scores."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from torch.utils.tensorboard import SummaryWriter

from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import RunFolder

logger = logging.getLogger(__name__)

_SUFFIX = ".results"
LONGEST = 1600
"""Pixels of the longer side of a figure."""

Setting = bool | int | float | str


def write_board_summary(
    folder: RunFolder, spec: TrainingSpec, epoch: int, scores: Mapping[str, float]
) -> None:
    """Add an event file with the PNG files of `figures/`, the spec as text, and its settings as
    hyper-parameters beside the `scores` of that epoch.

    What storage does not take is logged: the same is in the report.
    """
    try:
        with SummaryWriter(str(folder.tensorboard), filename_suffix=_SUFFIX) as writer:
            writer.add_text("spec", f"```json\n{json.dumps(spec.to_dict(), indent=2)}\n```", epoch)
            settings = dict(settings_of(spec.to_dict()))
            writer.add_hparams(settings, dict(scores), run_name=".", global_step=epoch)
            for file in sorted(folder.figures.glob("*.png")):
                picture = _picture(file.read_bytes())
                if picture is not None:
                    writer.add_image(file.stem, picture, epoch, dataformats="HWC")
    except OSError as error:
        logger.warning("TensorBoard's files lack the figures: %s", error.strerror)


def settings_of(part: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Setting]]:
    """The settings by names with dots; a list is one, as JSON, and what is not given is left out."""
    for name, value in part.items():
        if isinstance(value, Mapping):
            yield from settings_of(value, f"{above}{name}.")
        elif isinstance(value, list):
            yield f"{above}{name}", json.dumps(value)
        elif value is not None:
            yield f"{above}{name}", value


def _picture(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    """RGB of a PNG file, made smaller where it is large; None for what is none."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if found is None:
        return None
    scale = min(1.0, LONGEST / max(found.shape[:2]))
    size = (max(1, round(found.shape[1] * scale)), max(1, round(found.shape[0] * scale)))
    return np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_AREA), np.uint8)
