"""Asks whether a list means pairs whose columns images and masks are both called by, as numbers."""

from collections.abc import Sequence

from trainyard.datasets.record import IngestOptions
from workers.ingest.items import Source
from workers.ingest.paths.words import stem_of
from workers.ingest.problems import Offer, ProblemLog, shown
from workers.ingest.question_previews import Example, preview


def means_pairs(
    path: str,
    pairs: Sequence[tuple[str, str]],
    *,
    source: Source,
    options: IngestOptions,
    log: ProblemLog,
) -> bool:
    """Whether these pairs of an image and a mask count, by the option `pair_numbers`, else asked."""
    if options.pair_numbers is not None:
        return options.pair_numbers == "listed"
    members = {member.path: member for member in source.members}
    masks_of = {stem_of(mask): mask for _, mask in pairs}
    alike = [(image, masks_of[stem_of(image)]) for image, _ in pairs if stem_of(image) in masks_of]
    ways = (
        ("listed", f"each row of {shown(path)} names an image and its mask", pairs),
        ("equal", f"what is called alike belongs together, and {shown(path)} is of something else", alike),
    )
    offers = []
    for key, text, couples in ways:
        shapes = [Example(image=members[image], masks=[members[mask]]) for image, mask in couples]
        offers.append(
            Offer(
                key=key,
                text=text,
                count=len(couples),
                options={"pair_numbers": key},
                examples=[f"{image} with {mask}" for image, mask in couples],
                draw=preview(source.read, shapes),
            )
        )
    text = (
        f"{shown(path)} has two columns by which images and masks are both called, and no telling headings."
    )
    return log.ask("pair_numbers", text, offers) == "listed"
