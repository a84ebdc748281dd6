"""Finds the names of YOLO's class numbers: in a YAML file, else in classes.txt or obj.names."""

from collections.abc import Collection

import yaml

from workers.ingest.archive import Member
from workers.ingest.formats.base import Source
from workers.ingest.formats.text_files import named, read_text
from workers.ingest.problems import ProblemLog, Refused, shown

MAX_YAML_BYTES = 1 << 20
"""Bytes of a YAML file that is read: names of classes, not data."""

_REMEDY = "Write `names:` as a list or as numbers with names, one for each class."


def class_names(source: Source, used: Collection[int], log: ProblemLog) -> tuple[dict[int, str], str]:
    """Names by class number, and where they came from; those that are used and not named are errors, or
    named by their numbers where there are no names at all. Raises Refused where the file of names cannot be
    read."""
    member, names = _names(source, log)
    if member is None or not names:
        found = f"Nothing names the {len(used)} class(es); they are named by their numbers."
        log.warning(
            "class_names_missing",
            None,
            found if used else "No label has an object, and nothing names the classes.",
            "Add a data.yaml with `names:`, or name the classes when you upload the set.",
        )
        return {number: f"class_{number}" for number in sorted(used)}, "the class numbers of the labels"
    unnamed = sorted(set(used) - names.keys())
    if unnamed:
        log.error(
            "unknown_class",
            member.path,
            f"Labels have the class number(s) {', '.join(map(str, unnamed[:20]))}; the names are for "
            f"{min(names)} to {max(names)}.",
            "Add the missing names, or mend the labels.",
        )
    return names, f"the names in {shown(member.path)}"


def _names(source: Source, log: ProblemLog) -> tuple[Member | None, dict[int, str]]:
    for member in sorted(source.members, key=lambda one: (one.path.count("/"), one.path)):
        if member.path.casefold().endswith((".yaml", ".yml")) and member.size <= MAX_YAML_BYTES:
            names = _yaml_names(source, member, log)
            if names:
                return member, names
    for ending in ("classes.txt", "obj.names"):
        listed = named(source, ending)
        if listed is not None:
            lines = read_text(source, listed).splitlines()
            return listed, {number: line.strip() for number, line in enumerate(lines) if line.strip()}
    return None, {}


def _yaml_names(source: Source, member: Member, log: ProblemLog) -> dict[int, str]:
    """What the file says under `names`; none where it has nothing of the kind."""
    try:
        content = yaml.load(read_text(source, member), Loader=_PlainLoader)  # noqa: S506 - it is a safe loader
    except Refused as refusal:
        log.refused(member.path, refusal)
        return {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        log.error("yaml_broken", member.path, f"The file is no YAML: {reason}.", _REMEDY)
        return {}
    listed = content.get("names") if isinstance(content, dict) else None
    if isinstance(listed, list):
        listed = dict(enumerate(listed))
    if not isinstance(listed, dict):
        return {}
    names = {key: str(name) for key, name in listed.items() if type(key) is int and _is_text(name)}
    count = content.get("nc")
    if len(names) < len(listed):
        log.error("names_broken", member.path, "`names` has entries that are no names.", _REMEDY)
    elif isinstance(count, int) and count != len(names):
        log.warning("names_count", member.path, f"nc is {count}, and there are {len(names)} names.", _REMEDY)
    return names


def _is_text(name: object) -> bool:
    return isinstance(name, str | int | float) and len(str(name)) < 1000


class _PlainLoader(yaml.SafeLoader):
    """The safe loader without aliases, by which a short text can stand for an endless one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """See the base class; raises YAMLError at an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)
