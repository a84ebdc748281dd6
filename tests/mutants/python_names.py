"""Run within a copy, with mutmut at hand: names of its mutants, how those named on the command line differ.

`python -m tests.mutants.python_names names FILE...` writes a list, `... differences NAME...` an object.
"""

import json
import sys
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant  # type: ignore[import-not-found, unused-ignore]
from mutmut.mutation.file_mutation import mutate_file_contents  # type: ignore[import-not-found, unused-ignore]
from mutmut.utils.format_utils import get_mutant_name  # type: ignore[import-not-found, unused-ignore]


def names(files: list[str]) -> list[str]:
    """Of all mutants of the files."""
    made = {file: mutate_file_contents(file, Path(file).read_text()).mutant_names for file in files}
    return [get_mutant_name(Path(file), name) for file, found in made.items() for name in found]


def differences(mutants: list[str]) -> dict[str, str]:
    """How each differs from what it was made of; they have been tried."""
    return {name: get_diff_for_mutant(name) for name in mutants}


if __name__ == "__main__":
    asked = {"names": names, "differences": differences}[sys.argv[1]]
    json.dump(asked(sys.argv[2:]), sys.stdout)
