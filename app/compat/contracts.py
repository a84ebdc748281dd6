"""The older contracts that are answered beside the API's own."""

from app.compat import study, training

ROOTS = (*study.ROOTS, *training.ROOTS)
FORMS = dict.fromkeys(study.ROOTS, study.refuse) | dict.fromkeys(training.ROOTS, training.refuse)
"""How each shows errors, by the first part of its addresses."""


def owns(path: str) -> bool:
    """Whether an address is one of these contracts', known or not."""
    return path.split("/")[1] in ROOTS
