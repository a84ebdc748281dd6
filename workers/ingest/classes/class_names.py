"""Fits a list of class names, which says no ids, to the values that the masks have."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from workers.ingest.classes.class_words import BACKGROUNDS
from workers.ingest.pictures.mask_files import WHITE
from workers.ingest.problems import Offer, ProblemLog

BACKGROUND = "background"
_NO_CLASS = frozenset(("void", "unlabelled", "unlabeled", "ignore", "ignored"))
_FIRST = _NO_CLASS | {"other", "others", "none"}

Names = dict[int, str]


def is_background(name: str) -> bool:
    """Whether a class of this name is what is no object."""
    return name.strip().casefold() in BACKGROUNDS


def foreground(names: Iterable[str] | Mapping[int, str]) -> list[str]:
    """The names of classes other than the background: by value, or of a list those not called so."""
    if isinstance(names, Mapping):
        return [name for value, name in names.items() if value != 0 and not is_background(name)]
    return [name for name in names if not is_background(name)]


def fitted(
    listed: Sequence[str], source: str, values: Collection[int], images: int, log: ProblemLog
) -> tuple[Names, int | None] | None:
    """Names by value for the `values` that masks have, and the value that is no class, if any.

    What is concluded is logged. None, a warning logged, where the names do not fit. `source` is where the
    names were found.
    """
    is_void = (
        WHITE in values and max({0, *values} - {WHITE}) > 0 and _is_id(set(values) - {WHITE}, len(listed))
    )
    void = WHITE if is_void else None
    ids = sorted(set(values) - {void})
    readings = _readings(listed, ids)
    if not readings:
        _warn_of_misfit(listed, source, ids, log)
        return None
    if len(readings) == 1:
        [(_, names)] = readings.items()
        log.guess(f"the names in {source} belong to the values {_told(names)}")
        return names, void
    offers = [
        Offer(key=key, text=f"The values are {_told(names)}.", count=images, options=_options(names, void))
        for key, names in readings.items()
    ]
    key = log.ask(
        "class_names",
        f"{source} lists {len(listed)} names without their values, and the masks have the values "
        f"{', '.join(map(str, ids[:20]))}: does the first name belong to 0, or is 0 the background?",
        offers,
    )
    return readings[key], void


def numbered_from_one(
    names: Mapping[int, str], values: Collection[int], images: int, log: ProblemLog
) -> Names | None:
    """The names to go on with where a file numbers the background, too, from 1 on and masks have 0; None for
    any other file. What the file means is asked."""
    moved = {value - 1: name for value, name in names.items()}
    if 0 in names or not any(map(is_background, names.values())) or not {0, *values} <= moved.keys():
        return None
    written = {0: "unlabelled", **names}
    offers = [
        Offer(key=key, text=f"The values are {_told(one)}.", count=images, options=_options(one, None))
        for key, one in (("from_0", moved), ("as_written", written))
    ]
    text = "The names are numbered from 1 on, the background too, and the masks have values from 0 on. "
    key = log.ask("class_names", text + "Which is which?", offers)
    return moved if key == "from_0" else written


def numbered_from_zero(
    names: Mapping[int, str], values: Collection[int], images: int, log: ProblemLog
) -> Names | None:
    """The names to go on with where a file numbers objects alone from 0 on and masks have one value more;
    None for any other file. Whether 0 is the background then is asked."""
    count = len(names)
    if set(names) != set(range(count)) or any(map(_is_counted, names.values())) or max(values) != count:
        return None
    moved = {0: BACKGROUND, **{value + 1: name for value, name in names.items()}}
    written = {**names, count: f"class_{count}"}
    offers = [
        Offer(key=key, text=f"The values are {_told(one)}.", count=images, options=_options(one, None))
        for key, one in (("from_1", moved), ("as_written", written))
    ]
    text = f"The names are numbered from 0 to {count - 1}, and the masks have values up to {count}: "
    key = log.ask("class_names", text + "is 0 the background, or has the last no name?", offers)
    return moved if key == "from_1" else written


def likeliest(listed: Sequence[str], ids: Sequence[int]) -> Names | None:
    """The likeliest names by value of a list; None where none fits."""
    return next(iter(_readings(listed, ids).values()), None)


def _is_id(ids: set[int], count: int) -> bool:
    return max(ids) <= count


def _readings(listed: Sequence[str], ids: Sequence[int]) -> dict[str, Names]:
    """The names by value in each way that fits, the likeliest first."""
    count = len(listed)
    from_zero = dict(enumerate(listed))
    from_one = {0: BACKGROUND} | dict(enumerate(listed, start=1))
    has_zero = listed[0].casefold() in _FIRST or any(map(_is_counted, listed))
    highest = max(ids, default=0)
    if has_zero and highest < count:
        return {"from_0": from_zero}
    if highest == count and not has_zero:
        return {"from_1": from_one}
    if highest < count:
        if len(ids) == count > 2:
            return {"from_0": from_zero}  # all values occur, each with a name
        return {"from_1": from_one, "from_0": from_zero}
    if len(ids) == count:
        return {"in_order": dict(zip(ids, listed, strict=True))}
    if len(ids) == count + 1 and ids[0] == 0 and not has_zero:
        return {"in_order": dict(zip(ids, (BACKGROUND, *listed), strict=True))}
    return {}


def _is_counted(name: str) -> bool:
    """Whether a list that has this name has one for the pixels that show nothing, too."""
    return is_background(name) or name.casefold() in _NO_CLASS


def _options(names: Names, void: int | None) -> dict[str, Any]:
    ignored = {} if void is None else {"ignore_value": void}
    return {"classes": {str(value): name for value, name in names.items()}, **ignored}


def _told(names: Names) -> str:
    told = [f"{value} {name}" for value, name in list(names.items())[:5]]
    return ", ".join(told) + (" and so on" if len(names) > len(told) else "")


def _warn_of_misfit(listed: Sequence[str], source: str, ids: Sequence[int], log: ProblemLog) -> None:
    log.warning(
        "class_names_misfit",
        source,
        f"The file lists {len(listed)} names, and the masks have {len(ids)} values: "
        f"{', '.join(map(str, ids[:20]))}{' and more' if len(ids) > 20 else ''}. It is left out.",
        "Name the classes by value in the option `classes`.",
    )
