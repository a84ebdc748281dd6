"""Reads Pascal VOC segmentation: `JPEGImages/` and `SegmentationClass/`.

Masks are pictures of class indices, 255 being void; where labelmap.txt gives colours, or they are RGB, they
are read by colour instead. Only images with a mask belong to the set.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from trainyard.datasets.record import MASKS as MASKS_ALONE
from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import Member
from workers.ingest.classes.class_names import foreground
from workers.ingest.classes.class_rules import are_ids
from workers.ingest.classes.files.voc_labels import palette_color
from workers.ingest.formats.annotations.image_lookup import CitedFiles, report_missing
from workers.ingest.formats.annotations.item_names import Located, named_items
from workers.ingest.formats.annotations.kinds import INSTANCES
from workers.ingest.formats.annotations.part_of import PartOf
from workers.ingest.formats.voc.classes import VocClasses, is_voc, labelled, set_classes, used_ids, voc_table
from workers.ingest.formats.voc.label_sets import MASKS, mask_files
from workers.ingest.items import FoundSet, Source, Truth
from workers.ingest.masks.objects.instance_twins import instance_twins
from workers.ingest.masks.objects.instances import InstancesTruth
from workers.ingest.masks.reading import MaskSet, mask_reading, white_value
from workers.ingest.masks.sizes import settle_sizes
from workers.ingest.masks.survey import survey
from workers.ingest.masks.truth import MaskTruth
from workers.ingest.pairing.names.copies import exact_copies
from workers.ingest.pairing.names.renumbered_masks import renumbered_members
from workers.ingest.paths.layout import PICTURES, pictures
from workers.ingest.paths.words import ending_of, stem_of
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.masks import IGNORED
from workers.ingest.text.text_files import named

_MARK = re.compile(r"[-_. ](mask|seg|gt|label|segmentation|annotation)\Z", re.IGNORECASE)

_Couple = tuple[Member, Member]


class Voc:
    """See `Format`."""

    name = "voc"

    def recognises(self, source: Source) -> bool:
        """See `Format.recognises`: a folder SegmentationClass."""
        return bool(self.evidence(source))

    def evidence(self, source: Source) -> list[Member]:
        """See `Annotations.evidence`: a mask."""
        return _masks_of_images(source)[:1]

    def outlines(self, source: Source, files: Sequence[Member]) -> bool:
        """See `Annotations.outlines`."""
        return True

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> FoundSet | None:
        """See `Format.read`."""
        source = _without_copies(source, options, log)
        masks = mask_files(source, log)
        if not masks:
            log.error(
                "masks_missing",
                None,
                "There is no folder SegmentationClass with masks.",
                "Add the masks; or send `format: voc_boxes` to have boxes in XML files read.",
            )
            return None
        try:
            classes = labelled(source, log) if options.classes is None else VocClasses()
        except Refused as refusal:
            log.refused(getattr(named(source, "labelmap.txt"), "path", None), refusal)
            return None
        referenced = CitedFiles(member for member in source.members if not _is_segmentation(member))
        couples = _couples(masks, referenced, log)
        if log.is_blocked() or not couples:
            return None
        images = referenced.beside(image for image, _ in couples)
        couples = renumbered_members(couples, images, masks, source, options, log)
        referenced.report_unlisted({image.path for image, _ in couples}, log)
        try:
            return _of_couples(couples, classes, source, options, log)
        except Refused as refusal:
            log.refused(None, refusal)
            return None


def _without_copies(source: Source, options: IngestOptions, log: ProblemLog) -> Source:
    copies = exact_copies(pictures(source.members), options, source.read, log)
    taken = {copy.member.path for copy in copies}
    return PartOf(source, [one for one in source.members if one.path not in taken]) if taken else source


def _of_couples(
    couples: Sequence[_Couple],
    classes: VocClasses,
    source: Source,
    options: IngestOptions,
    log: ProblemLog,
) -> FoundSet:
    resample, left_out = settle_sizes(couples, source.read, options, log)
    couples = [couple for couple in couples if couple[1].path not in left_out]
    names = options.classes or classes.names or {}
    white = white_value(names)
    given = MaskSet(
        couples=couples,
        kinds=survey([mask for _, mask in couples], source.read),
        read=source.read,
        options=options,
        listed=lambda: classes.table or voc_table(names),
        named=len(foreground(names or classes.listed)),
        white=white,
        by_listed_palette=False,
    )
    kinds, reading = given.kinds, mask_reading(given, log)
    by_map = classes.table if kinds.paletted and reading.shown == "values" else None
    table = reading.table or by_map
    truths = [
        MaskTruth(
            member=mask,
            white=white,
            shown=reading.shown,
            table=table,
            levels=reading.levels,
            resample=resample,
        )
        for _, mask in couples
    ]
    ids = used_ids(truths, source.read)
    in_vocs_colors = table is not None or is_voc(kinds.palette)
    if options.classes is None and not reading.objects:
        classes = set_classes(classes, ids, len(truths), in_vocs_colors, log)
    planes = _objects_of(couples, source, log) if not reading.objects else {}
    rasterized: Sequence[Truth] = truths
    if planes:
        rasterized = [
            InstancesTruth(rasterized=truth, planes=(planes[truth.member.path],), resample=resample)
            for truth in truths
        ]
    found = [Located(image=image, truth=truth) for (image, _), truth in zip(couples, rasterized, strict=True)]
    listed = {value: color for color, value in (classes.table or {}).items() if value != IGNORED}
    return FoundSet(
        items=named_items(found),
        kinds=INSTANCES if planes else MASKS_ALONE,
        names=classes.names,
        colors=listed or {value: palette_color(value) for value in range(IGNORED)},
        ignore_value=IGNORED if in_vocs_colors or (ids and are_ids(set(ids) - {IGNORED})) else None,
        listed=classes.listed,
        listed_in=classes.file or "",
        others=classes.others if reading.table is None else (),
        objects=reading.objects,
        cut_off=reading.objects and bool(given.kinds.deep),
        pairs="each mask in SegmentationClass has its image's name",
        classes=classes.origin if classes.names else None,
    )


def _objects_of(couples: Sequence[_Couple], source: Source, log: ProblemLog) -> Mapping[str, Member]:
    """The mask in SegmentationObject of each mask of classes; empty unless each has one."""
    twins = instance_twins(one for one in source.members if _is_segmentation(one))
    if not couples or not twins.keys() >= {mask.path for _, mask in couples}:
        return {}
    log.guess("the masks in SegmentationObject tell the objects apart")
    return twins


def _couples(masks: Iterable[Member], referenced: CitedFiles, log: ProblemLog) -> list[_Couple]:
    """Each mask behind its image."""
    found: list[_Couple] = []
    lost = []
    for mask in masks:
        try:
            image = _image_of(mask, referenced)
        except Refused as refusal:
            log.refused(mask.path, refusal)
            continue
        if image is None:
            lost.append(mask)
        else:
            found.append((image, mask))
    apart = _nearest(found)
    lost += [mask for _, mask in found if mask.path not in apart]
    report_missing([(mask.path, PurePosixPath(mask.path).stem) for mask in lost], len(apart), log)
    return [(image, mask) for image, mask in found if mask.path in apart]


def _image_of(mask: Member, referenced: CitedFiles) -> Member | None:
    """The image of the mask's name, with or without what marks a mask at its end. Raises Refused."""
    path = PurePosixPath(mask.path)
    near = str(_top(mask) / "JPEGImages" / path.name)
    image = referenced.find_stem(path.stem, near)
    bare = _MARK.sub("", path.stem)
    return image if image is not None or bare == path.stem else referenced.find_stem(bare, near)


def _nearest(found: Sequence[_Couple]) -> set[str]:
    """The paths of the masks without those whose image has one in its own part of the upload: sets of several
    years or splits may have images of one name each."""
    own = {image.path for image, mask in found if image.path.startswith(f"{_top(mask)}/")}
    return {
        mask.path
        for image, mask in found
        if image.path not in own or image.path.startswith(f"{_top(mask)}/") or str(_top(mask)) == "."
    }


def _top(mask: Member) -> PurePosixPath:
    """The folder that SegmentationClass lies in."""
    return next(one for one in PurePosixPath(mask.path).parents if one.name.casefold() == MASKS).parent


def _is_segmentation(member: Member) -> bool:
    return "/segmentation" in f"/{posixpath.dirname(member.path)}".casefold()


def _masks_of_images(source: Source) -> list[Member]:
    """The masks in SegmentationClass/, or in folders of it, if one or more are called as pictures elsewhere,
    as VOC's are; none where they are called otherwise, or lie deeper, since these are to be paired
    as those of any other folder."""
    masks = [one for one in source.members if MASKS in PurePosixPath(one.path.casefold()).parts[-3:-1]]
    elsewhere = (one for one in source.members if masks and not _is_segmentation(one))
    images = {stem_of(one.path).casefold() for one in elsewhere if ending_of(one.path) in PICTURES}
    names = (stem_of(mask.path).casefold() for mask in masks)
    return masks if any(name in images or _MARK.sub("", name) in images for name in names) else []
