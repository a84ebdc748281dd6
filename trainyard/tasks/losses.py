"""Checks of a spec's losses and class weights, which all tasks that name losses make alike."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainyard.catalog.names import Loss
from trainyard.errors import InvalidRequest
from trainyard.plugins.offers import is_offered_name

if TYPE_CHECKING:
    from trainyard.spec.training_spec import LossSpec, OptimizationSpec


def check_losses(terms: Sequence["LossSpec"], known: Mapping[str, Loss], form: str) -> None:
    """Raise InvalidRequest, naming the field, for a loss that is not for the form of the task, and for
    parameters that it does not take."""
    for place, term in enumerate(terms):
        loss = known.get(term.name)
        if loss is None:  # of a stored spec: requests are held to the list by their schema
            continue
        if form not in loss.tasks:
            accepted = [name for name, other in known.items() if form in other.tasks]
            raise loss_refusal(place, "name", f"for a {form} task one of: {', '.join(accepted)}")
        for name, value in term.params.items():
            if problem := _param_problem(loss, name, value):
                raise loss_refusal(place, "params", f"{term.name}: {problem}")


def check_weighting(spec: "OptimizationSpec", weighing: Sequence[str]) -> None:
    """Raise InvalidRequest, naming the field, where class weights contradict how classes are weighed;
    `weighing` are the losses that take them."""
    is_given = spec.class_weighting == "given"
    if is_given != bool(spec.class_weights):
        wanted = "one number per class" if is_given else "an empty list, or class_weighting `given`"
        raise refusal("The class weights do not go with class_weighting.", {"class_weights": [wanted]})
    if is_given and not any(spec.class_weights):
        raise refusal("Every class weight is 0.", {"class_weights": ["at least one above 0"]})
    named = [term.name for term in spec.losses]
    if spec.class_weighting != "none" and not any(one in weighing or is_offered_name(one) for one in named):
        problem = f"none, or one of these losses: {', '.join(weighing)}"
        raise refusal("No loss of this spec takes class weights.", {"class_weighting": [problem]})


def check_weight_count(spec: "OptimizationSpec", classes: int) -> None:
    """Raise InvalidRequest where a set of so many classes has not as many weights."""
    given = len(spec.class_weights)
    if given not in (0, classes):
        raise refusal(
            f"There are {given} class weights and {classes} classes.",
            {"class_weights": [f"{classes} numbers for this set"]},
        )


def loss_refusal(place: int, field: str, problem: str) -> InvalidRequest:
    """That the loss at that place of the list cannot be used."""
    return refusal(
        f"optimization.losses[{place}] cannot be used: {problem}.",
        {"losses": {str(place): {field: [problem]}}},
    )


def refusal(message: str, errors: dict[str, object]) -> InvalidRequest:
    """That something in `optimization` cannot be used."""
    return InvalidRequest(message, errors={"spec": {"optimization": errors}})


def _param_problem(loss: Loss, name: str, value: float) -> str | None:
    if name not in loss.params:
        return f"there is no {name!r}; accepted: {', '.join(loss.params) or 'none'}"
    low, high = loss.params[name]
    return None if low <= value <= high else f"{name} must be from {low:g} to {high:g}"
