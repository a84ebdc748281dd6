"""Which epochs are validated: every n-th one, and the last."""

from collections.abc import Callable

from lightning import Callback, LightningModule, Trainer


def is_due(epoch: int, every: int, target: int) -> bool:
    """Whether that epoch, counted from 1, is validated on the way to the target."""
    return epoch % every == 0 or epoch >= target


def due_after(epoch: int, every: int, target: int) -> int:
    """How many of the epochs after that one, up to the target, are validated."""
    if epoch >= target:
        return 0
    return target // every - epoch // every + (target % every > 0)


class Validation(Callback):
    """Validates an epoch as soon as its training has ended, before its row is made.

    Lightning's own validation is turned off: it goes by the epoch's number alone, and which epoch is the last
    is known only when it ends, by what clients have asked for meanwhile. `is_last` says so, and is asked for
    no epoch that is validated anyhow.
    """

    def __init__(self, every: int, is_last: Callable[[Trainer], bool]) -> None:
        self._every = every
        self._is_last = is_last

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if (trainer.current_epoch + 1) % self._every and not self._is_last(trainer):
            return
        pl_module.on_validation_model_zero_grad()  # gradients take memory, and no step needs them any more
        trainer.validating = True
        trainer.fit_loop.epoch_loop.val_loop.run()
        trainer.training = True
