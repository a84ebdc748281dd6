"""What a task is to everything but training: its names, and its checks of a spec. No torch."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from trainyard.catalog.names import Architecture, Loss
from trainyard.datasets.record import Kind

if TYPE_CHECKING:
    from trainyard.spec.training_spec import TrainingSpec

Direction = Literal["max", "min"]
"""Which way a metric gets better."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What a person watches: metrics of an epoch's row in one chart, under its title."""

    title: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TaskDescription:
    """One task, which learns from annotations of that `kind`; single forms of it may ask for another as well,
    by `form_kinds`.

    `help` says in a line what is learnt. `forms` are what a spec's `model.task` may be, `architectures` and
    `losses` what it may name. `monitors` are the metrics of an epoch's row that may decide, `val_loss` and
    `train_loss` among them. `headline` is the one that a person is told of, with its title; `charts` are
    drawn beside those of the loss and the learning rate. `class_scores` are how columns of single classes
    begin, with the title of their chart; `parity` is the score by which an exported file is told beside its
    network, with its title, `difference` of what else the two may differ. A set needs `min_classes` classes.
    `encoder_sources` is whether an encoder may be named by where it lies, on the model hub or in a folder.

    `check_spec` is handed a spec and the parts of it that are new: it raises InvalidRequest, naming the
    field, where two parts contradict each other. `check_classes` is handed a spec, the number of a set's
    classes, and whether its pixels have one each: `multiclass` or `multilabel`; it raises InvalidRequest
    where they do not go together.
    """

    name: str
    help: str
    kind: Kind
    form_kinds: Mapping[str, Kind] = field(default_factory=dict)
    forms: tuple[str, ...]
    architectures: Mapping[str, Architecture]
    losses: Mapping[str, Loss]
    monitors: Mapping[str, Direction]
    headline: tuple[str, str]
    charts: tuple[Chart, ...] = ()
    class_scores: tuple[str, str] | None = None
    parity: tuple[str, str] | None = None
    difference: str = "per logit"
    min_classes: int
    encoder_sources: bool = False
    check_spec: Callable[["TrainingSpec", Collection[str]], None]
    check_classes: Callable[["TrainingSpec", int, str], None]
