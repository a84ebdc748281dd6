"""Patterns of paths, as clients give them and as the choices of a question name them.

A pattern is compared with the end of a path, folder by folder, whatever the case of letters: `*_mask.png`,
`masks/*`, `patient*/seg/*.png`; `**` stands for any number of folders. Where no path ends so, a pattern
stands for all that lies below the folders that it names: `masks`, `data/seg`.
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

_SIGNS = re.compile(r"(\*|\?|\[!?[^\]]+\])")


def matches(pattern: str, path: str) -> bool:
    """Whether the end of a path is as the pattern says."""
    return _ending(pattern.casefold()).fullmatch(path.casefold()) is not None


def matching(pattern: str, paths: Iterable[str]) -> set[str]:
    """The paths that end as the pattern says; where there are none, those below folders that do."""
    listed = list(paths)
    ending = {path for path in listed if matches(pattern, path)}
    return ending or {path for path in listed if _is_below(pattern, path)}


def pattern_of(wanted: Sequence[str], others: Iterable[str]) -> str | None:
    """A pattern that all the wanted paths match and none of the others; None where a short one does not."""
    rest = set(others) - set(wanted)
    for pattern in _candidates(wanted):
        if all(matches(pattern, path) for path in wanted) and not any(matches(pattern, one) for one in rest):
            return pattern
    return None


@lru_cache(maxsize=256)
def _ending(pattern: str) -> re.Pattern[str]:
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    text = "".join("(?:[^/]+/)*" if part == "**" else _part(part) + "/" for part in parts[:-1])
    last = parts[-1] if parts else "*"
    text += "(?:[^/]+/)*[^/]+" if last == "**" else _part(last)
    return re.compile("(?:.*/)?" + text, re.DOTALL)


def _part(part: str) -> str:
    """One folder's or file's pattern as a regular expression; `*` and `?` never cross a folder."""
    text = ""
    for piece in _SIGNS.split(part):
        if piece == "*":
            text += "[^/]*"
        elif piece == "?":
            text += "[^/]"
        elif _SIGNS.fullmatch(piece):
            inside = re.sub(r"([\\^\[\]&~|])", r"\\\1", piece[1:-1].removeprefix("!"))
            text += f"[{'^' if piece[1] == '!' else ''}{inside}]"
        else:
            text += re.escape(piece)
    return text


def _is_below(pattern: str, path: str) -> bool:
    folders = path.split("/")[:-1]
    return any(matches(pattern, "/".join(folders[: depth + 1])) for depth in range(len(folders)))


def _candidates(paths: Sequence[str]) -> Iterable[str]:
    """Patterns that may tell these paths from others, the plainest first."""
    split = [path.split("/") for path in paths]
    depth = min(len(parts) for parts in split) - 1
    names = [parts[-1] for parts in split]
    endings = {posixpath.splitext(name)[1] for name in names}
    ending = endings.pop() if len(endings) == 1 else ""
    files = ["*"]
    stems = [posixpath.splitext(name)[0] for name in names]
    suffix = _common(stems, _from_end)
    prefix = _common(stems, _from_start)
    files += [f"*{suffix}{ending or '.*'}"] if suffix else []
    files += [f"{prefix}*"] if prefix else []
    files += [f"*{ending}"] if ending else []
    for level in range(1, depth + 1):
        folders = {parts[-1 - level] for parts in split}
        if len(folders) == 1:
            above = plain(folders.pop())
            yield from ("/".join([above, *["*"] * (level - 1), file]) for file in files)
    yield from files[1:]
    for level in range(1, depth + 1):
        folders = {parts[-1 - level] for parts in split}
        shared = _common(sorted(folders), _from_start), _common(sorted(folders), _from_end)
        for above in ([f"{shared[0]}*"] if shared[0] else []) + ([f"*{shared[1]}"] if shared[1] else []):
            yield from ("/".join([above, *["*"] * (level - 1), file]) for file in files)


def plain(name: str) -> str:
    """A name as a pattern that only it matches."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _common(texts: Sequence[str], part: Callable[[Sequence[str]], str]) -> str:
    """What all texts have in common at one end, without signs and digits that belong to what differs."""
    return plain(part(texts)) if len(texts) > 1 else ""


def _from_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    same = next((place for place, (a, b) in pairs if a != b), min(len(first), len(last)))
    return first[:same].rstrip("0123456789")


def _from_end(texts: Sequence[str]) -> str:
    return _from_start([text[::-1] for text in texts])[::-1].lstrip("0123456789")
