"""Asks which file counts where several name a set's classes and contradict each other."""

from collections.abc import Collection, Mapping, Sequence

from workers.ingest.classes.class_names import BACKGROUND, Names, is_background, likeliest
from workers.ingest.items import OtherNames
from workers.ingest.problems import Offer, ProblemLog, shown


def ask_about_rivals(
    names: Mapping[int, str],
    origin: str,
    others: Sequence[OtherNames],
    values: Collection[int],
    masks: int,
    log: ProblemLog,
) -> None:
    """Ask whether the `values` of so many masks have the `names`, or those that another file gives them."""
    own = {value: names[value] for value in sorted(values) if value in names}
    offers = [_offer("first", f"Those of {shown(origin)}", own, masks)]
    for other in others:
        given = _given(other, own)
        if given is not None and not any(_are_same(given, one.options["classes"]) for one in offers):
            offers.append(_offer(f"file_{len(offers) + 1}", f"Those in {shown(other.file)}", given, masks))
    if len(offers) > 1:
        log.ask("class_files", "Files name the classes differently. Which names are right?", offers)


def _given(other: OtherNames, own: Mapping[int, str]) -> Names | None:
    """The names that a file gives these values; None where it does not name all of them."""
    by_value = {0: BACKGROUND, **other.names}
    found = (likeliest(other.listed, sorted(own)) or {}) if other.listed else by_value
    return {value: found[value] for value in own} if own.keys() <= found.keys() else None


def _offer(key: str, text: str, names: Mapping[int, str], masks: int) -> Offer:
    told = ", ".join(f"{value} {name}" for value, name in list(names.items())[:8])
    classes = {str(value): name for value, name in names.items()}
    return Offer(key=key, text=f"{text}: {told}.", count=masks, options={"classes": classes})


def _are_same(given: Names, classes: Mapping[str, str]) -> bool:
    return all(_plain(name) == _plain(classes[str(value)]) for value, name in given.items())


def _plain(name: str) -> str:
    return BACKGROUND if is_background(name) else " ".join(name.casefold().replace("_", " ").split())
