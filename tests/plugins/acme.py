"""A plug-in as an operator may write one: one thing of each kind."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torchmetrics import Metric

from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.folders.pictures import Pictures
from workers.ingest.items import FoundSet, Source
from workers.ingest.problems import ProblemLog
from workers.plugins.registry import architecture, dataset_format, loss, metric, optimizer


@loss(
    "acme.tversky", task="segmentation", forms=("multiclass",), params={"alpha": (0, 1)}, help="Tversky index"
)
class Tversky(nn.Module):
    """1 - TP / (TP + alpha FP + (1 - alpha) FN), the mean over classes: Salehi et al., 2017."""

    def __init__(self, form: str, alpha: float = 0.5) -> None:
        super().__init__()
        assert form == "multiclass"
        self._alpha = alpha

    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        known = (masks != 255).unsqueeze(1)
        shares = logits.softmax(dim=1) * known
        truth = nn.functional.one_hot(masks.clamp(max=logits.shape[1] - 1), logits.shape[1])
        truth = truth.permute(0, 3, 1, 2) * known
        hits, claimed, present = ((one).sum(dim=(0, 2, 3)) for one in (shares * truth, shares, truth))
        alpha = self._alpha
        missed = alpha * (claimed - hits) + (1 - alpha) * (present - hits)
        return 1 - (hits / (hits + missed).clamp(min=1e-6)).mean()


@loss("acme.weighted", task="classification", takes_class_weights=True)
class Weighted(nn.Module):
    """Cross-entropy, by torch."""

    def __init__(self, form: str, class_weights: Sequence[float] | None) -> None:
        super().__init__()
        self.register_buffer("_weights", None if class_weights is None else torch.tensor(class_weights))

    def forward(self, logits: Tensor, shares: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, shares, weight=self._weights)


@optimizer("acme.plain_sgd", help="SGD without momentum")
def plain_sgd(groups: list[dict[str, object]], *, lr: float, momentum: float) -> Optimizer:
    return SGD(groups, lr=lr)


class _Share(Metric):
    """The share of images or pixels whose likeliest class is the first."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("first", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("all", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, logits: Tensor, truth: Tensor) -> None:
        chosen = logits.argmax(dim=1)
        self.first += (chosen == 0).sum()
        self.all += chosen.numel()

    def compute(self) -> Tensor:
        return self.first / self.all


@metric("acme.first_share", task="segmentation")
@metric("acme.first_class_error", task="classification")
def share(classes: int, form: str) -> Metric:
    return _Share()


class _Pooling(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, features, 3, stride=4)

    def forward(self, images: Tensor) -> Tensor:
        return self.convolution(images).relu().mean(dim=(2, 3))


@architecture(
    "acme.pooled", task="classification", size_multiple=8, encoders=("acme.small", "acme.large"), help="tiny"
)
class Pooled(nn.Module):
    """One convolution, the mean over its map, and a linear layer."""

    def __init__(self, encoder: str, classes: int, pretrained: bool) -> None:
        super().__init__()
        if pretrained:
            raise OSError("the lab's server does not answer")
        features = {"acme.small": 8, "acme.large": 16}[encoder]
        self.encoder = _Pooling(features)
        self.head = nn.Linear(features, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.encoder(images))


@architecture("acme.grid", task="detection", terms=("there", "box"), encoders=("acme.grid4",))
class Grid(nn.Module):
    """Says of the whole image whether it has an object of each class, and where."""

    def __init__(self, encoder: str, classes: int, pretrained: bool) -> None:
        super().__init__()
        self.encoder = _Pooling(8)
        self.head = nn.Linear(8, classes + 4)
        self.classes = classes

    def forward(self, images: Tensor, truth: Any = None) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
        told = self.head(self.encoder(images))
        there, boxes = told[:, : self.classes], told[:, self.classes :].sigmoid().sort(dim=1).values
        losses: dict[str, Tensor] = {}
        if truth is not None:
            wanted = torch.zeros_like(there)
            for row, one in zip(wanted, truth, strict=True):
                row[one["labels"]] = 1
            losses = {
                "there": nn.functional.binary_cross_entropy_with_logits(there, wanted),
                "box": boxes.mean(),
            }
        found = [
            {
                "boxes": box[[0, 1, 2, 3]].repeat(self.classes, 1) * images.shape[-1],
                "labels": torch.arange(self.classes),
                "scores": scores.sigmoid(),
            }
            for box, scores in zip(boxes, there, strict=True)
        ]
        return losses, [] if self.training else found


class _Count(Metric):
    """Detections for each object."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("found", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("there", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, detections: list[dict[str, Tensor]], truth: list[dict[str, Tensor]]) -> None:
        self.found += sum(len(one["scores"]) for one in detections)
        self.there += sum(len(one["labels"]) for one in truth)

    def compute(self) -> Tensor:
        return self.found / self.there


@metric("acme.per_object", task="detection")
def per_object(classes: int, form: str) -> Metric:
    return _Count()


@dataset_format("acme.pairs", help="images and masks in folders")
class Pairs:
    """As pictures, under a name of its own."""

    name = "acme.pairs"

    def recognises(self, source: Source) -> bool:
        return True

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        return Pictures().read(source, options, log)
