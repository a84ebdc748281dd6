"""Finds the names of YOLO's class numbers: in a YAML file, classes.txt or obj.names, else in another file
that names them all."""

from collections.abc import Collection

from workers.ingest.archive import Member
from workers.ingest.classes.files.classes_file import read_classes_files
from workers.ingest.items import Source
from workers.ingest.problems import ProblemLog, Refused, shown
from workers.ingest.text.plain_yaml import read_yaml, yaml_members
from workers.ingest.text.text_files import named, read_text

_REMEDY = "Write `names:` as a list or as numbers with names, one for each class."


def class_names(source: Source, used: Collection[int], log: ProblemLog) -> tuple[dict[int, str], str]:
    """Names by class number, and where they came from; those that are used and not named are errors, or
    named by their numbers where there are no names at all. Raises Refused where the file of names cannot be
    read."""
    member, names = _names(source, used, log)
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


def _names(source: Source, used: Collection[int], log: ProblemLog) -> tuple[Member | None, dict[int, str]]:
    for member in yaml_members(source):
        names = _yaml_names(source, member, log)
        if names:
            return member, names
    for ending in ("classes.txt", "obj.names"):
        listed = named(source, ending)
        if listed is not None:
            lines = read_text(source, listed).splitlines()
            return listed, {number: line.strip() for number, line in enumerate(lines) if line.strip()}
    for file in read_classes_files(source, ProblemLog()):
        by_number = file.said.names or dict(enumerate(file.said.listed))
        says_names = any(character.isalpha() for name in by_number.values() for character in name)
        if used and set(used) <= by_number.keys() and says_names:
            return named(source, file.path), by_number
    return None, {}


def _yaml_names(source: Source, member: Member, log: ProblemLog) -> dict[int, str]:
    """What the file says under `names`; none where it has nothing of the kind."""
    try:
        content = read_yaml(source, member)
    except Refused as refusal:
        log.refused(member.path, refusal)
        return {}
    listed = content.get("names")
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
