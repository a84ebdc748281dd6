"""What registered plug-ins make for a run; PluginMissing is raised where this process has none such."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import Metric

from trainyard.errors import InvalidModel, PluginMissing, WeightsUnavailable
from trainyard.plugins.offers import OfferKind
from trainyard.plugins.spec_offers import asked_of_plugins
from trainyard.spec.training_spec import LossSpec, ModelSpec, OptimizationSpec, TrainingSpec
from workers.plugins.registry import Registered, metrics_of, registered

Row = dict[str, float | None]


def require_plugins(spec: TrainingSpec) -> None:
    """Raise PluginMissing where a spec names what no plug-in of this process has."""
    for asked in asked_of_plugins(spec):
        _found(asked.kind, asked.name)


def offered_loss(term: LossSpec, form: str, class_weights: Sequence[float] | None) -> nn.Module:
    """The term of a loss that a spec names."""
    found = _found("loss", term.name)
    weights = {"class_weights": class_weights} if found.offer.takes_class_weights else {}
    made: nn.Module = found.make(form=form, **weights, **term.params)
    return made


def offered_optimizer(spec: OptimizationSpec, groups: list[dict[str, Any]]) -> Optimizer:
    """The optimizer that a spec names, over groups of weights."""
    make = _found("optimizer", spec.optimizer).make
    made: Optimizer = make(groups, lr=spec.learning_rate, momentum=spec.momentum)
    return made


def offered_network(spec: ModelSpec, outputs: int, *, pretrained: bool) -> nn.Module:
    """The network of the architecture that a spec names, which gives so many logits.

    Raises InvalidModel where it has no part `encoder`, WeightsUnavailable where its weights cannot be had.
    """
    make = _found("architecture", spec.architecture).make
    try:
        network: nn.Module = make(encoder=spec.encoder, classes=outputs, pretrained=pretrained)
    except OSError as error:
        raise WeightsUnavailable(f"{spec.architecture}'s weights cannot be had: {error}") from error
    if not any(name == "encoder" for name, _ in network.named_children()):
        raise InvalidModel(
            f"The network of {spec.architecture} has no part `encoder`, of whose learning rate and freezing "
            "a spec speaks.",
            remedy="Its plug-in must name the part that makes features so.",
        )
    return network


def terms_of(architecture: str) -> tuple[str, ...]:
    """The terms of the loss of a detector that a plug-in offers."""
    return _found("architecture", architecture).terms


Given = Callable[[Any, Any], tuple[Any, Any]]
"""What metrics are updated with, of outputs and truth."""


def _as_tensors(outputs: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    return outputs.float(), truth


class OfferedScores:
    """The scores of a task, and beside them the metrics that plug-ins have for it: a task's `Scores`."""

    def __init__(self, own: Any, task: str, *, classes: int, form: str, given: Given = _as_tensors) -> None:
        """`own` are the task's own scores."""
        self._own = own
        self._given = given
        made = ((one.offer.name, one.make(classes=classes, form=form)) for one in metrics_of(task))
        self._metrics: dict[str, Metric] = dict(made)

    def reset(self) -> None:
        self._own.reset()
        for metric in self._metrics.values():
            metric.reset()

    def update(self, outputs: Any, truth: Any, loss: Tensor) -> None:
        self._own.update(outputs, truth, loss)
        for metric in self._metrics.values():
            metric.to(loss.device).update(*self._given(outputs, truth))

    def gather(self, add_up: Callable[[Tensor], Tensor], device: torch.device) -> None:
        self._own.gather(add_up, device)
        for metric in self._metrics.values():
            metric.to(device)
            for name, value in metric.metric_state.items():
                setattr(metric, name, add_up(_tensor(name, value)))
            metric._update_count = int(add_up(torch.tensor(metric.update_count, device=device)))

    def row(self) -> Row:
        return {**self._own.row(), **{name: _value(metric) for name, metric in self._metrics.items()}}

    def state(self) -> dict[str, Any]:
        plugins = {
            name: {"states": dict(metric.metric_state), "updates": metric.update_count}
            for name, metric in self._metrics.items()
        }
        return {"own": self._own.state(), "plugins": plugins}

    def load_state(self, state: dict[str, Any]) -> None:
        """Of a metric that the saving process had not, the batches before are not counted."""
        self._own.load_state(state["own"])
        for name, saved in state["plugins"].items():
            if (metric := self._metrics.get(name)) is None:
                continue
            for part, value in saved["states"].items():
                setattr(metric, part, value)
            metric._update_count = saved["updates"]


def with_offered(own: Any, task: str, *, classes: int, form: str, given: Given = _as_tensors) -> Any:
    """The task's own scores where no plug-in has a metric for it, else both."""
    return OfferedScores(own, task, classes=classes, form=form, given=given) if metrics_of(task) else own


def _found(kind: OfferKind, name: str) -> Registered:
    found = registered(kind, name)
    if found is None:
        raise PluginMissing(f"No plug-in of this worker has the {kind} {name!r}.")
    return found


def _tensor(name: str, value: Tensor | list[Tensor]) -> Tensor:
    if isinstance(value, Tensor):
        return value
    raise InvalidModel(
        f"The state {name} of a plug-in's metric is a list, which several devices cannot add up.",
        remedy="Train on one device, or let the metric keep sums.",
    )


def _value(metric: Metric) -> float | None:
    """None before the first batch and where it is no number."""
    if not metric.update_count:
        return None
    value = float(metric.compute())
    return value if value == value and abs(value) != float("inf") else None
