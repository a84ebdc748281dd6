"""Reads sets whose folders name the classes of the images in them, with or without folders of splits."""

from collections import Counter
from collections.abc import Mapping, Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import Item, LabelledSet, Labels, Source
from workers.ingest.labels.class_levels import (
    ClassLevels,
    are_numbered,
    class_levels,
    is_unlabelled,
    say_masks,
)
from workers.ingest.labels.folder_looks import FolderLooks
from workers.ingest.labels.image_choice import chosen_images, item_names
from workers.ingest.labels.label_names import in_order, merged
from workers.ingest.paths.split_folders import SplitFolders
from workers.ingest.problems import Offer, ProblemLog, Refused, shown

_SHOWN = 8
"""Names of folders that a question tells."""


class FolderPerClass:
    """A LabelFormat."""

    name = "folder_per_class"

    def recognises(self, source: Source) -> bool:
        """See `LabelFormat.recognises`: most pictures lie in one of several folders, which say no role."""
        images = {image.path: image for image in chosen_images(source, None)}
        if not images or say_masks(list(images)):
            return False
        levels = class_levels(list(images))
        labelled = {path: found[0] for path, found in levels.folders.items() if found}
        loose = [
            path for path in images if path not in labelled and not any(map(is_unlabelled, path.split("/")))
        ]
        if len(levels.names(1)) < 2 or len(labelled) < len(loose):
            return False
        return not FolderLooks(labelled, images, source).are_flat()  # masks whose images are missing

    def read(self, source: Source, options: IngestOptions, log: ProblemLog) -> LabelledSet | None:
        """See `LabelFormat.read`."""
        try:
            images = {image.path: image for image in chosen_images(source, options.images)}
            levels = class_levels(list(images))
            level = _level(levels, options, log)
            if level is None:
                return None
        except Refused as refusal:
            log.refused(None, refusal)
            return None
        labelled = {path: found[level - 1] for path, found in levels.folders.items() if len(found) >= level}
        if options.format is None and not _are_classes(
            levels.names(level), FolderLooks(labelled, images, source), log
        ):
            return None
        _report_unlabelled([path for path in images if path not in labelled], labelled, log)
        splits = SplitFolders(images)
        meant = merged([(name, splits.of(path)) for path, name in labelled.items()], log)
        names = in_order(set(meant.values()))
        index = {name: place for place, name in enumerate(names)}
        item_name = item_names(list(labelled))
        items = [
            Item(
                name=item_name[path],
                image=images[path],
                truth=Labels(file=path, indices=(index[meant[name]],)),
            )
            for path, name in sorted(labelled.items())
        ]
        return LabelledSet(
            items=items,
            names=names,
            task="multiclass",
            pairs="each image lies in the folder of its class",
            classes="the names of folders",
        )


def _level(levels: ClassLevels, options: IngestOptions, log: ProblemLog) -> int | None:
    """Which folder names the class, counted from the outermost; None, an error logged, where none does.

    Raises Refused where the client names one that is not there.
    """
    if options.label_depth is not None:
        if options.label_depth > levels.depth:
            raise Refused(
                "label_depth_absent",
                f"`label_depth` is {options.label_depth}, and the images differ in {levels.depth} folder(s).",
                f"Send a number from 1 to {levels.depth}, counted from the outermost folder that differs."
                if levels.depth
                else "Put the images of each class into a folder of its name.",
            )
        return options.label_depth
    if not levels.depth:
        log.error(
            "no_labels",
            None,
            "All images lie in one folder, or in folders of splits alone: none names a class.",
            "Put the images of each class into a folder of its name, or send a table with a label for each.",
        )
        return None
    if levels.depth == 1:
        return 1
    inner = [list(levels.names(level)) for level in range(2, levels.depth + 1)]
    if all(map(are_numbered, inner)) and not are_numbered(list(levels.names(1))):
        log.guess(f"the folders {_listed(levels.names(1))} name classes, and numbered ones in them do not")
        return 1
    return _asked_for_level(levels, log)


def _asked_for_level(levels: ClassLevels, log: ProblemLog) -> int:
    offers = []
    for level in range(1, levels.depth + 1):
        names = levels.names(level)
        offers.append(
            Offer(
                key=str(level),
                text=f"{len(names)} classes: {_listed(names)}",
                count=sum(names.values()),
                options={"label_depth": level},
                examples=[f"{shown(name)}: {count} images" for name, count in names.most_common()],
            )
        )
    return int(
        log.ask(
            "label_depth",
            f"The images lie in {levels.depth} folders, one within the other, of which each may name the "
            "class.",
            offers,
        )
    )


def _are_classes(names: Counter[str], looks: FolderLooks, log: ProblemLog) -> bool:
    """Whether the folders name classes: it is asked where they differ in numbers alone, or may show the same,
    or the pictures of some may be masks."""
    if flat := looks.flat():
        why = f"show flat areas in {shown(flat[0])}/, as masks do"
    elif are_numbered(list(names)):
        why = "differ in numbers alone"
    elif looks.are_views():
        why = "have files of the same names"
    else:
        log.guess(f"the folders {_listed(names)} name the classes of the images in them")
        return True
    return (
        log.ask(
            "folder_labels",
            f"No image has a mask, and the folders {_listed(names)}, which {why}, may name classes.",
            [
                Offer(
                    key="classes",
                    text=f"each folder is a class: {len(names)} classes",
                    count=sum(names.values()),
                    options={"format": FolderPerClass.name},
                    examples=[f"{shown(name)}: {count} images" for name, count in names.most_common()],
                ),
                Offer(
                    key="none",
                    text="they name no classes: the images' annotations are missing",
                    count=sum(names.values()),
                    options={"format": "pictures"},
                ),
            ],
        )
        == "classes"
    )


def _report_unlabelled(paths: Sequence[str], labelled: Mapping[str, str], log: ProblemLog) -> None:
    for path in paths:
        log.warning(
            "image_without_label",
            path,
            f"The image lies in no folder of a class and is left out; {len(labelled)} do.",
            "Nothing, if it is only to be predicted; else move it into the folder of its class.",
        )


def _listed(names: Mapping[str, int]) -> str:
    listed = ", ".join(f"{shown(name)}/" for name in sorted(names)[:_SHOWN])
    return listed + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
