"""Reads Mapillary Vistas: `SPLIT/images/`, `SPLIT/vN.N/labels/` (or `SPLIT/labels/`) and config_vN.N.json.

Format: mapillary.com/dataset/vistas. Masks are palette pictures whose indices are the places of the labels in
the config; of several versions the newest is read. The label `Unlabeled` is ignored.
"""

import posixpath
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.formats.annotations.image_lookup import CitedFiles, report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.items import Color, FoundSet, Source
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.pairing.names.renumbered_masks import renumbered_members
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.masks import IGNORED
from workers.ingest.text.sniff import mentions
from workers.ingest.text.typed_json import broken, listing, mapping, parse_json, text

_CONFIG = re.compile(r"config(_v\d+\.\d+)?\.json\Z", re.IGNORECASE)
_VERSION = re.compile(r"v(\d+)\.(\d+)\Z", re.IGNORECASE)
_KEYS = (b'"labels"', b'"readable"')
_UNLABELLED = "unlabeled"

Version = tuple[int, ...]
"""Its numbers; none where folders and files name no version."""


class Mapillary:
    """See `Format`."""

    name = "mapillary"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a config that has labels, and masks in folders `labels`."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`; with the panoptic files of the set, which are not of another one."""
        configs = [one for one in _configs(source).values() if mentions(source, one, *_KEYS)]
        if not configs or not _masks(source):
            return []
        return configs + [one for one in source.members if _is_panoptic(one)]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`: masks are no boxes."""
        return True

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        configs, masks = _configs(source), _masks(source)
        version = max(configs.keys() & masks.keys(), default=None)
        if version is None:
            log.error(
                "config_missing",
                None,
                "There is no config.json for the masks in labels/: which value is which class is not known.",
                "Add the config_v1.2.json or config_v2.0.json of the set.",
            )
            return None
        config = configs[version]
        try:
            labels = _labels(parse_json(source.read(config)))
        except Refused as refusal:
            log.refused(config.path, refusal)
            return None
        images = CitedFiles(member for member in source.members if member.folder == "images")
        found = _located(masks[version], images, source, options, log)
        images.report_unlisted({one.image.path for one in found}, log)
        if log.has_errors:
            return None
        unlabelled = [value for value, (name, _) in labels.items() if _is_unlabelled(name)]
        return FoundSet(
            items=named_items(found),
            names={value: name for value, (name, _) in labels.items() if value not in unlabelled},
            colors={value: color for value, (_, color) in labels.items() if color is not None},
            ignore_value=unlabelled[0] if unlabelled else None,
            pairs="each mask in labels/ by its image's name in images/",
            classes=f"the labels of {posixpath.basename(config.path)}",
        )


def _located(
    masks: list[Member], images: CitedFiles, source: Source, options: IngestOptions, log: ProblemLog
) -> list[Located]:
    lost = []
    couples = []
    for mask in masks:
        stem = PurePosixPath(mask.path).stem
        try:
            image = images.find_stem(stem, mask.path)
        except Refused as refusal:
            log.refused(mask.path, refusal)
            continue
        if image is None:
            lost.append((mask.path, stem))
            continue
        couples.append((image, mask))
    own = images.beside(image for image, _ in couples)
    couples = renumbered_members(
        couples, own, masks, source, options, log, called=lambda member: PurePosixPath(member.path).stem
    )
    paired = {mask.path for _, mask in couples}
    report_missing([one for one in lost if one[0] not in paired], len(couples), log)
    if not couples and not log.has_errors:
        log.error("no_pairs", None, "No mask in labels/ has an image.", "Send the folders images, too.")
    return [Located(image=image, truth=MaskTruth(member=mask)) for image, mask in couples]


def _labels(config: object) -> dict[int, tuple[str, Color | None]]:
    """Name and colour of each label by its place; raises Refused."""
    entries = listing(mapping(config, "the config").get("labels"), "labels")
    if not 0 < len(entries) <= IGNORED:
        raise broken("labels", f"from 1 to {IGNORED}", len(entries))
    found = {}
    for value, entry in enumerate(entries):
        about = mapping(entry, "a label")
        found[value] = (text(about.get("name"), "the name of a label"), _color(about.get("color")))
    return found


def _color(parts: object) -> Color | None:
    if isinstance(parts, list) and len(parts) == 3 and all(part in range(256) for part in parts):
        red, green, blue = (int(part) for part in parts)
        return red, green, blue
    return None


def _is_panoptic(member: Member) -> bool:
    return member.folder == "panoptic" and member.path.casefold().endswith(".json")


def _is_unlabelled(name: str) -> bool:
    return name.rpartition("--")[2].casefold() == _UNLABELLED


def _configs(source: Source) -> dict[Version, Member]:
    named = [(posixpath.basename(member.path), member) for member in source.members]
    return {
        _version(name.rpartition(".")[0].rpartition("_")[2]): member
        for name, member in named
        if _CONFIG.match(name)
    }


def _masks(source: Source) -> dict[Version, list[Member]]:
    found: dict[Version, list[Member]] = {}
    for member in source.members:
        if member.folder == "labels" and member.path.casefold().endswith(".png"):
            found.setdefault(_version(PurePosixPath(member.path).parent.parent.name), []).append(member)
    return found


def _version(name: str) -> Version:
    match = _VERSION.match(name)
    return tuple(int(part) for part in match.groups()) if match else ()
