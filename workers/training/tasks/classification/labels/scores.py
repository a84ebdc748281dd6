"""Scores of an epoch.

acc@k is with how many images a true class is among the k most probable ones; images without any class are
left out. Means over classes leave out those that do not occur: of F1 classes that are neither true nor
predicted, of recall and average precision those that are not true, of the area under the ROC also those that
all images have. Of a multilabel task a class is predicted where its probability is above one half, and
Cohen's kappa, agreement beyond chance, is the mean over classes. F1 stands for each class, too.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional import classification as scores
from torchmetrics.utilities.distributed import gather_all_tensors

from trainyard.tasks.classification import MULTILABEL
from workers.training.compute.full_precision import widened
from workers.training.epochs.objective import Row


class TrainScores:
    """Loss and acc@k, added up on the batches' device. Of blended images the larger part is the class."""

    def __init__(self, places: Sequence[int]) -> None:
        """`places` are the k of acc@k."""
        self._places = tuple(places)
        self.reset()

    def reset(self) -> None:
        self._sums: Tensor | None = None

    def update(self, outputs: Tensor, truth: Tensor, loss: Tensor) -> None:
        images = torch.ones(len(truth), device=outputs.device)
        labelled, hits = hits_of(widened(outputs), truth, self._places)
        parts = (widened(loss.detach()) * len(truth), images.sum(), labelled.sum(), *hits.sum(dim=1))
        sums = torch.stack([part.double() for part in parts])
        self._sums = sums if self._sums is None else self._sums.to(sums.device) + sums

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        own = torch.zeros(3 + len(self._places), dtype=torch.float64) if self._sums is None else self._sums
        self._sums = add_up(own.to(device))

    def row(self) -> Row:
        names = ["loss", *(f"acc{k}" for k in self._places)]
        if self._sums is None:
            return dict.fromkeys(names)
        loss, images, labelled, *hits = self._sums.tolist()
        sums = [(loss, images), *((count, labelled) for count in hits)]
        return {
            name: part / whole if whole else None for name, (part, whole) in zip(names, sums, strict=True)
        }

    def state(self) -> dict[str, Any]:
        return {"sums": self._sums}

    def load_state(self, state: dict[str, Any]) -> None:
        self._sums = state["sums"]


class ValScores:
    """All scores, of what the network gave for every image: 4 bytes for each image and class are kept."""

    def __init__(self, names: Sequence[str], form: str, places: Sequence[int]) -> None:
        """`names` are those of the classes, `places` are the k of acc@k."""
        self._classes = len(names)
        self._columns = [f"f1/{name}" for name in names] if len(names) <= MOST_COLUMNS else []
        self._form = form
        self._places = tuple(places)
        self.reset()

    def reset(self) -> None:
        self._logits: list[Tensor] = []
        self._truth: list[Tensor] = []
        self._loss: list[Tensor] = []

    def update(self, outputs: Tensor, truth: Tensor, loss: Tensor) -> None:
        self._logits.append(widened(outputs))
        self._truth.append(truth)
        self._loss.append(widened(loss.detach()) * len(truth))

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        logits, truth, loss = self._whole()
        self._logits = gather_all_tensors(logits.to(device))
        self._truth = gather_all_tensors(truth.to(device))
        self._loss = [add_up(loss.to(device))]

    def row(self) -> Row:
        logits, truth, loss = (part.cpu() for part in self._whole())
        names = ("loss", *(f"acc{k}" for k in self._places), *_NAMES, *self._columns)
        if not len(truth):
            return dict.fromkeys(names)
        labelled, hits = hits_of(logits, truth, self._places)
        found = [_share(part, labelled.sum()) for part in hits.sum(dim=1)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of classes that do not occur, which are left out
            over_classes, f1 = _of_classes(logits, truth, self._form)
        values = [float(loss) / len(truth), *found, *over_classes, *(f1 if self._columns else ())]
        return dict(zip(names, values, strict=True))

    def state(self) -> dict[str, Any]:
        return dict(zip(("logits", "truth", "loss"), self._whole(), strict=True))

    def load_state(self, state: dict[str, Any]) -> None:
        self._logits, self._truth, self._loss = [state["logits"]], [state["truth"]], [state["loss"]]

    def _whole(self) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (N, C), truth, and the sum of the images' losses."""
        several = self._form == MULTILABEL
        none = torch.zeros(0, self._classes) if several else torch.zeros(0, dtype=torch.int64)
        logits = torch.cat(self._logits) if self._logits else torch.zeros(0, self._classes)
        truth = torch.cat(self._truth) if self._truth else none
        return logits, truth, torch.stack(self._loss).sum() if self._loss else torch.zeros(())


MOST_COLUMNS = 100
"""Classes that have a column each; of more, the report tells them one by one."""
_NAMES = ("f1", "map", "auroc", "kappa", "recall_micro", "recall_macro")


def hits_of(logits: Tensor, truth: Tensor, places: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Which images have any class, (N,) bool, and of which a true one is among the k greatest logits,
    (len(places), N) bool.

    `truth` is (N,) int64, or (N, C) float32: the classes above one half, and that of the greatest share.
    """
    order = logits.topk(min(max(places), logits.shape[1]), dim=1).indices
    if truth.ndim == 1:
        right, labelled = order == truth[:, None], torch.ones_like(truth, dtype=torch.bool)
    else:
        most = truth.amax(dim=1, keepdim=True)
        right, labelled = ((truth == most) & (most > 0)).gather(1, order), most[:, 0] > 0
    return labelled, torch.stack([right[:, :k].any(dim=1) for k in places])


def kappa_of(hits: Tensor, true: Tensor, predicted: Tensor, images: int) -> float | None:
    """Cohen's kappa of so many images, from what each class has of them, (C,); None where chance is sure."""
    agreed = float(hits.sum()) / images
    chance = float((true.double() * predicted.double()).sum()) / images**2
    return (agreed - chance) / (1 - chance) if chance < 1 else None


def _of_classes(logits: Tensor, truth: Tensor, form: str) -> tuple[list[float | None], list[float | None]]:
    """By _NAMES, and the F1 of each class."""
    images, classes = logits.shape
    if form == MULTILABEL:
        has, given = truth > 0, logits > 0
        likely, wanted = logits.sigmoid(), truth.long()
        precision = scores.multilabel_average_precision(likely, wanted, classes, average="none")
        areas = scores.multilabel_auroc(likely, wanted, classes, average="none")
    else:
        has = torch.nn.functional.one_hot(truth, classes).bool()
        given = torch.nn.functional.one_hot(logits.argmax(dim=1), classes).bool()
        likely = logits.softmax(dim=1)
        precision = scores.multiclass_average_precision(likely, truth, classes, average="none")
        areas = scores.multiclass_auroc(likely, truth, classes, average="none")
    hits, true, predicted = (has & given).sum(dim=0), has.sum(dim=0), given.sum(dim=0)
    if form == MULTILABEL:
        pairs = zip(hits, true, predicted, strict=True)
        kappa = _mean([_yes_no_kappa(*counts, images) for counts in pairs])
    else:
        kappa = kappa_of(hits, true, predicted, images)
    occurs, told = true > 0, (true + predicted) > 0
    f1 = 2 * hits / (true + predicted)
    over_classes = [
        _mean_where(f1, told),
        _mean_where(precision, occurs),
        _mean_where(areas, occurs & (true < images)),
        kappa,
        _share(hits.sum(), true.sum()),
        _mean_where(hits / true, occurs),
    ]
    return over_classes, [
        value if is_told else None for value, is_told in zip(f1.tolist(), told.tolist(), strict=True)
    ]


def _yes_no_kappa(hits: Tensor, true: Tensor, predicted: Tensor, images: int) -> float | None:
    """Of a class that an image has or has not."""
    both = torch.stack([hits, images - true - predicted + hits])
    return kappa_of(
        both, torch.stack([true, images - true]), torch.stack([predicted, images - predicted]), images
    )


def _share(part: Tensor, whole: Tensor) -> float | None:
    return float(part / whole) if whole else None


def _mean_where(values: Tensor, counts: Tensor) -> float | None:
    return float(values[counts].mean()) if counts.any() else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
