"""The content of JSON and YAML files that may name classes, as lists and mappings with text for keys."""

import json

from workers.ingest.classes.named_classes import Unread
from workers.ingest.text.plain_yaml import text_keyed_document


def parsed_json(text: str) -> object:
    """What a JSON file holds; raises Unread."""
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unread("it is no JSON") from error
    return content


def parsed_yaml(text: str) -> object:
    """What a YAML file holds, numbered `names` from 0 on as a list; raises Unread.

    YOLO numbers its classes so, and has no background among them.
    """
    try:
        content = text_keyed_document(text)
    except (ValueError, RecursionError) as error:
        raise Unread("it is no YAML") from error
    if isinstance(content, dict) and isinstance(content.get("names"), dict):
        names = content["names"]
        if list(names) == [str(number) for number in range(len(names))]:
            return {**content, "names": list(names.values())}
    return content
