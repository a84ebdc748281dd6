"""All layouts, by seed."""

from collections.abc import Callable

from tests.ingest.layouts import choices, known_forms, numberings, odd_masks, public_sets, several_masks
from tests.ingest.layouts.composed import composed
from tests.ingest.layouts.layout import Draw, Layout
from tests.ingest.layouts.published import published

Scheme = Callable[[Draw], Layout]

SINGLE: tuple[Scheme, ...] = (
    several_masks.lesions,
    several_masks.object_files,
    several_masks.class_files,
    several_masks.class_files,
    several_masks.idrid,
    several_masks.lungs,
    known_forms.good_and_bad,
    known_forms.nnunet,
    known_forms.retina,
    known_forms.exported_folders,
    known_forms.devkit,
    known_forms.boxes_beside,
    known_forms.class_folders,
    choices.bands,
    choices.two_dates,
    choices.annotators,
    odd_masks.compressed_masks,
    odd_masks.mixed_modes,
    odd_masks.with_alpha,
    odd_masks.stray_values,
    odd_masks.smaller_masks,
    odd_masks.in_the_alpha_channel,
    odd_masks.odd_ids,
    odd_masks.first_classes,
    odd_masks.changed_colors,
    odd_masks.named_levels,
    numberings.tiles,
    numberings.tiles,
    numberings.counted_from_elsewhere,
    *(public_sets.public_set,) * 6,
)
"""Schemes of one kind each."""


def _single(draw: Draw) -> Layout:
    scheme = draw.one_of(SINGLE)
    draw.traits["scheme"] = scheme.__name__.replace("_", " ")
    return scheme(draw)


FAMILIES: tuple[Scheme, ...] = (composed,) * 5 + (published,) * 2 + (_single,) * 3
"""How often each family comes, in ten."""


def layout(seed: int) -> Layout:
    """The layout of this seed; the same whenever it is asked for."""
    draw = Draw(seed)
    return draw.one_of(FAMILIES)(draw)
