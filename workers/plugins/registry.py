"""What a plug-in registers: this module is all of Trainyard that one imports (docs/plugins.md).

    from workers.plugins.registry import loss

    @loss("lab.tversky", task="segmentation", forms=("multiclass",), params={"alpha": (0, 1)})
    class Tversky(nn.Module): ...

Each decorator hands on what it is put before. A name begins with whose it is, and is registered once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from trainyard.errors import SettingsError
from trainyard.plugins.offers import NAME_PATTERN, Offer, OfferKind, is_offered_name

Made = TypeVar("Made", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Registered:
    """An offer, and what makes the thing; `terms` are those of a detector's loss."""

    offer: Offer
    make: Callable[..., Any]
    terms: tuple[str, ...] = ()


TASKS = ("segmentation", "classification", "detection")
OF_TENSORS = TASKS[:2]
"""Tasks whose logits and truth are one tensor each, which is what losses are handed: that of a detector is
its own, of what it draws by the truth."""

_registered: dict[tuple[OfferKind, str], Registered] = {}


def loss(
    name: str,
    *,
    task: str,
    forms: Sequence[str] = (),
    params: Mapping[str, tuple[float, float]] | None = None,
    takes_class_weights: bool = False,
    help: str = "",
) -> Callable[[Made], Made]:
    """A term of the loss of a task, for these forms of it, all if none is named.

    It is called with `form`, with `class_weights` (a number for each class, or None) where it takes them, and
    with those of its `params` that a spec gives, each a number within its range. What comes is a module that
    maps logits and truth, as the task's own losses take them, to a scalar; both are float32.
    """
    return _registering(
        Offer(
            kind="loss",
            name=name,
            help=help,
            task=task,
            forms=tuple(forms),
            params=dict(params or {}),
            takes_class_weights=takes_class_weights,
        )
    )


def optimizer(name: str, *, help: str = "") -> Callable[[Made], Made]:
    """Called with the groups of a network's weights, each with its own lr and weight_decay, and with `lr` and
    `momentum`; what comes is an optimizer of torch's."""
    return _registering(Offer(kind="optimizer", name=name, help=help))


def metric(name: str, *, task: str, help: str = "") -> Callable[[Made], Made]:
    """A score of the validation of a task: called with `classes`, how many there are, and `form`, and gives a
    metric of torchmetrics whose states are sums; it is updated with logits and truth, of detection with two
    lists as torchmetrics' own take them: of each image boxes, labels and scores, and boxes and labels, in
    pixels of the square.

    It is computed in each run of that task, stands in the epochs' rows as val_ and its name, and may be
    monitored. It is better the higher it is, unless its name ends with loss, error or distance.
    """
    return _registering(Offer(kind="metric", name=name, help=help, task=task))


def architecture(
    name: str,
    *,
    task: str,
    size_multiple: int = 1,
    encoders: Sequence[str] = (),
    terms: Sequence[str] = (),
    help: str = "",
) -> Callable[[Made], Made]:
    """A network of a task: called with `encoder`, `classes` and `pretrained` gives a module that maps images,
    (N, 3, H, W) float32, to one tensor of logits, as the task's own do, and has a part `encoder`.

    `encoders` are names of its own, with a dot, that a spec may name; without any it takes Trainyard's.
    `pretrained` is whether the spec asks for weights (`encoder_weights` is not none): OSError says that they
    cannot be had. A binary form has one logit, and `classes` is 1 then.

    One of detection finds boxes: called with images and, where it is told, the truth, a list with `boxes`
    (M, 4) float32, in pixels, and `labels` (M,) from 0 of each image, it gives a pair: a mapping of its
    `terms` to scalars, empty without the truth, and a list with `boxes`, `labels` and `scores` of each image,
    the most probable first, empty in training.
    """
    offer = Offer(
        kind="architecture",
        name=name,
        help=help,
        task=task,
        size_multiple=size_multiple,
        encoders=tuple(encoders),
    )
    if task == "detection" and not terms:
        raise SettingsError(
            f"A plug-in registers the detector {name} without the terms of its loss.",
            remedy="Name them: terms=('classification', 'box').",
        )
    return _registering(offer, tuple(terms))


def dataset_format(name: str, *, help: str = "") -> Callable[[Made], Made]:
    """A reader of data sets: called with nothing gives what `workers.ingest.items.Format` describes. It is
    read where a client names it as the set's `format`."""
    return _registering(Offer(kind="format", name=name, help=help))


def offers() -> tuple[Offer, ...]:
    """All that is registered in this process, by kind and name."""
    return tuple(one.offer for _, one in sorted(_registered.items()))


def registered(kind: OfferKind, name: str) -> Registered | None:
    """What is registered under that name; None where nothing is."""
    return _registered.get((kind, name))


def metrics_of(task: str) -> list[Registered]:
    """The metrics of a task, by name."""
    found = (one for (kind, _), one in sorted(_registered.items()) if kind == "metric")
    return [one for one in found if one.offer.task == task]


def _registering(offer: Offer, terms: tuple[str, ...] = ()) -> Callable[[Made], Made]:
    if not is_offered_name(offer.name):
        raise SettingsError(
            f"A plug-in registers the {offer.kind} {offer.name!r}, which is no name: {NAME_PATTERN}.",
            remedy="Name it as lab.tversky: whose it is, a dot, and what it is, in small letters.",
        )

    accepted = OF_TENSORS if offer.kind == "loss" else TASKS
    if offer.task not in (None, *accepted):
        raise SettingsError(
            f"A plug-in registers the {offer.kind} {offer.name} for the task {offer.task!r}.",
            remedy=f"Plug-ins may do so for: {', '.join(accepted)}.",
        )

    def register(make: Made) -> Made:
        key = offer.kind, offer.name
        other = _registered.get(key)
        if other is not None and other.make.__module__ != make.__module__:
            raise SettingsError(
                f"The {offer.kind} {offer.name} is registered by {other.make.__module__} and by "
                f"{make.__module__}.",
                remedy="Take one of them out of TRAINYARD_PLUGINS, or rename it.",
            )
        _registered[key] = Registered(offer=offer, make=make, terms=terms)
        return make

    return register
