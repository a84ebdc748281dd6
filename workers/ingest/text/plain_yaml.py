"""Reads YAML that nobody vouches for."""

import yaml

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.problems import Refused
from workers.ingest.text.text_files import read_text

MAX_YAML_BYTES = 1 << 20
"""Bytes of a YAML file that is read: names of classes, not data."""

_DEEPEST = 8


def yaml_members(source: Source) -> list[Member]:
    """The YAML files that are read, those nearest to the top first."""
    found = [
        member
        for member in source.members
        if member.path.casefold().endswith((".yaml", ".yml")) and member.size <= MAX_YAML_BYTES
    ]
    return sorted(found, key=lambda one: (one.path.count("/"), one.path))


def read_yaml(source: Source, member: Member) -> dict[object, object]:
    """The document, empty where it is no mapping; raises Refused where it is no YAML."""
    try:
        content = plain_document(read_text(source, member))
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Refused(
            "yaml_broken", f"The file is no YAML: {reason}.", "Write it as `key: value`, one a line."
        ) from error
    return content if isinstance(content, dict) else {}


def plain_document(text: str) -> object:
    """The document of a YAML text; raises ValueError and RecursionError."""
    try:
        content: object = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - it is a safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return content


def text_keyed_document(text: str) -> object:
    """As `plain_document`, in the form of JSON, whose keys are text: YAML has numbers and dates, too."""
    return _with_text_keys(plain_document(text), _DEEPEST)


def _with_text_keys(content: object, deepest: int) -> object:
    if not deepest:
        return None
    if isinstance(content, dict):
        return {str(key): _with_text_keys(value, deepest - 1) for key, value in content.items()}
    if isinstance(content, list):
        return [_with_text_keys(entry, deepest - 1) for entry in content]
    return content


class _PlainLoader(yaml.SafeLoader):
    """The safe loader without aliases, by which a short text can stand for an endless one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """See the base class; raises YAMLError at an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)
