"""Draws, while a run trains, what its network sees in validation images: the first batch of each validation.

What the network gives is there already, so that a picture costs a copy from the device, drawing and one small
file. The same images are drawn each time. It is bounded in number, by the newest epochs, and in time.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any

from lightning import Callback, LightningModule, Trainer

from trainyard.errors import StorageUnavailable
from trainyard.storage.epoch_overlays import drop_old_overlays, overlay_file
from trainyard.storage.files import RunFolder
from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.loaders import Batch
from workers.training.data.picture_files import write_picture
from workers.training.epochs.loggers import Board
from workers.training.epochs.module import TrainingModule

logger = logging.getLogger(__name__)

SHARE = 0.01
"""Of the time of training that drawing may take: epochs that follow each other more quickly have no picture,
but for the first one that an attempt validates."""
LONGEST_PAUSE_S = 30.0
"""Between two pictures: the first one is dear, since fonts are read for it."""
_BOARD_TAG = "validation"


class EpochOverlays(Callback):
    """Draws into the attempt's folder; TensorBoard's files get the epochs 1, 2, 4, 8 and so on, since nothing
    in them can be deleted."""

    def __init__(self, folder: RunFolder, classes: Sequence[PreparedClass]) -> None:
        self._folder = folder
        self._classes = classes
        self._next = 0.0

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        is_early = time.monotonic() < self._next
        if batch_idx or trainer.sanity_checking or not trainer.is_global_zero or is_early:
            return
        begun = time.thread_time()  # a machine with other work makes no picture dearer
        assert isinstance(pl_module, TrainingModule)  # noqa: S101 - narrows the type
        picture = pl_module.objective.picture(batch, outputs, self._classes)
        if picture is not None:
            self._keep(trainer, picture)
        pause = min(LONGEST_PAUSE_S, (time.thread_time() - begun) / SHARE)
        self._next = time.monotonic() + pause

    def _keep(self, trainer: Trainer, picture: Uint8) -> None:
        epoch = trainer.current_epoch + 1
        try:
            write_picture(picture, overlay_file(self._folder, epoch))
            drop_old_overlays(self._folder)
        except (StorageUnavailable, OSError) as error:
            logger.warning("The validation images of epoch %d could not be kept: %s", epoch, error)
        if epoch & (epoch - 1) == 0:
            for board in trainer.loggers:
                if isinstance(board, Board):
                    board.show(_BOARD_TAG, picture, trainer.global_step)
