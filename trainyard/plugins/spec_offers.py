"""What a spec asks of plug-ins, and whether workers offer it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trainyard.errors import InvalidRequest
from trainyard.plugins.offers import Offer, OfferKind, is_offered_name, metric_of
from trainyard.spec.training_spec import LossSpec, TrainingSpec


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One name of a spec that is a plug-in's, and the field that has it, by dots."""

    kind: OfferKind
    name: str
    field: str

    @property
    def key(self) -> str:
        """As an Offer's."""
        return f"{self.kind} {self.name}"


def asked_of_plugins(spec: TrainingSpec) -> Iterator[Asked]:
    """All names of a spec that no release of Trainyard has of its own."""
    model, optimization = spec.model, spec.optimization
    named: list[tuple[OfferKind, str, str]] = [
        ("architecture", model.architecture, "model.architecture"),
        ("optimizer", optimization.optimizer, "optimization.optimizer"),
        *(("loss", term.name, f"optimization.losses.{n}.name") for n, term in enumerate(optimization.losses)),
        *(
            ("metric", metric, f"{part}.monitor")
            for part, monitor in (
                ("early_stopping", spec.early_stopping.monitor),
                ("checkpoints", spec.checkpoints.monitor),
            )
            if (metric := metric_of(monitor)) is not None
        ),
    ]
    for kind, name, field in named:
        if is_offered_name(name):
            yield Asked(kind=kind, name=name, field=field)


def check_offers(spec: TrainingSpec, offers: Iterable[Offer], whose: str) -> None:
    """Raise InvalidRequest, naming the field, where a spec asks plug-ins for what is not among the offers, or
    for what its task, form, parameters or size do not go with. `whose` offers they are is told in words."""
    by_name = {(offer.kind, offer.name): offer for offer in offers}
    found: dict[str, Offer] = {}
    for asked in asked_of_plugins(spec):
        offer = by_name.get((asked.kind, asked.name))
        if offer is None:
            others = sorted(name for kind, name in by_name if kind == asked.kind)
            accepted = f"{', '.join(others)}, or one" if others else "one"
            raise refusal(
                asked.field,
                f"No {whose} offers the {asked.kind} {asked.name!r}.",
                f"{accepted} of Trainyard's own",
            )
        if offer.task not in (None, spec.task):
            raise refusal(
                asked.field,
                f"{asked.name} is of the task {offer.task}, and the spec's task is {spec.task}.",
                f"a {asked.kind} of {spec.task}",
            )
        found[asked.field] = offer
    _check_architecture(spec, found)
    for place, term in enumerate(spec.optimization.losses):
        if (offer := found.get(f"optimization.losses.{place}.name")) is not None:
            _check_loss(spec, place, term, offer)
    _check_ways(spec, found)


def _check_architecture(spec: TrainingSpec, found: Mapping[str, Offer]) -> None:
    offer = found.get("model.architecture")
    encoder = spec.model.encoder
    if offer is None:
        if is_offered_name(encoder):
            raise refusal(
                "model.encoder",
                f"{encoder} is of a plug-in's architecture, and {spec.model.architecture} is none.",
                "an encoder of smp, or tu- and a model of timm",
            )
        return
    if offer.encoders and encoder not in offer.encoders:
        raise refusal(
            "model.encoder",
            f"{offer.name} has no encoder {encoder!r}.",
            f"one of: {', '.join(offer.encoders)}",
        )
    if spec.data.image_size % offer.size_multiple:
        raise refusal(
            "data.image_size",
            f"{offer.name} takes images whose sides are multiples of {offer.size_multiple} px.",
            f"a multiple of {offer.size_multiple}",
        )


def _check_loss(spec: TrainingSpec, place: int, term: LossSpec, offer: Offer) -> None:
    at = f"optimization.losses.{place}"
    if offer.forms and spec.model.task not in offer.forms:
        raise refusal(
            f"{at}.name",
            f"{offer.name} is for {', '.join(offer.forms)}, and model.task is {spec.model.task}.",
            f"another loss, or model.task: {' or '.join(offer.forms)}",
        )
    for name, value in term.params.items():
        if name not in offer.params:
            accepted = ", ".join(offer.params) or "none"
            raise refusal(f"{at}.params", f"{offer.name} has no parameter {name!r}.", f"accepted: {accepted}")
        low, high = offer.params[name]
        if not low <= value <= high:
            problem = f"{name} must be from {low:g} to {high:g}"
            raise refusal(f"{at}.params", f"{offer.name}: {problem}.", problem)


def _check_ways(spec: TrainingSpec, found: Mapping[str, Offer]) -> None:
    """Class weights need a loss that takes them."""
    optimization = spec.optimization
    offered = [found.get(f"optimization.losses.{n}.name") for n in range(len(optimization.losses))]
    if optimization.class_weighting == "none" or not all(offered):
        return  # of Trainyard's own losses it has been asked
    if not any(offer.takes_class_weights for offer in offered if offer is not None):
        raise refusal(
            "optimization.class_weighting",
            "No loss of this spec takes class weights.",
            "none, or a loss that takes them",
        )


def refusal(field: str, message: str, problem: str) -> InvalidRequest:
    """That the field of a spec, named by dots, cannot be what it is."""
    errors: object = [problem]
    for name in reversed(field.split(".")):
        errors = {name: errors}
    return InvalidRequest(message, errors={"spec": errors})
