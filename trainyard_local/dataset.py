"""The data set of local experiments: read once, and found again until one of its files changes."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from marshmallow import ValidationError
from marshmallow_dataclass import class_schema

from trainyard.catalog.names import DATASET_FORMATS
from trainyard.datasets.record import DatasetSummary, IngestOptions, Problem
from trainyard.decoding import decoder
from trainyard.errors import BadDataset, DatasetQuestion, InvalidRequest
from trainyard.plugins.offers import is_offered_name
from trainyard.storage.file_facts import file_facts
from trainyard.storage.files import DatasetFolder
from trainyard.storage.json_files import read_json, write_json

FOLDER = ".datasets"
"""Where prepared sets lie in the folder of experiments."""
_options_schema = class_schema(IngestOptions)
_summary_of = decoder(DatasetSummary)
_problem_of = decoder(Problem)

Progress = Callable[[int, int], None]
"""Told of the images read and of how many there are."""


@dataclass(frozen=True, kw_only=True)
class LocalDataset:
    """A data set as ingest found it; `id` is made of its files and options, `source` is where they lie."""

    id: str
    source: Path
    folder: DatasetFolder
    summary: DatasetSummary
    problems: tuple[Problem, ...]

    @property
    def prepared(self) -> Path:
        """The folder that training reads."""
        return self.folder.version(self.summary.content_hash)


def read_dataset(
    source: Path | str,
    runs: Path | str = "runs",
    *,
    options: Mapping[str, Any] | None = None,
    progress: Progress = lambda done, total: None,
) -> LocalDataset:
    """Read a folder or an archive in any format that a service takes; `options` are those of an upload.

    The prepared form lies in `runs`, and is taken again as long as no file's size or time of change differs.
    Raises InvalidRequest for a source that is not there and for options, BadDataset and DatasetQuestion,
    whose `errors` hold `problems` and `questions`, and StorageUnavailable.
    """
    place, root = Path(source).resolve(), Path(runs).resolve()
    if not place.exists():
        raise InvalidRequest(f"There is no data set {source}.", remedy="Give a folder, a zip or a tar.")
    if root.is_relative_to(place):
        raise InvalidRequest(
            f"Experiments would be written to {root}, which lies inside the data set.",
            remedy="Give another folder for them (--runs).",
        )
    read = read_options(options or {})
    name = f"ds-{_fingerprint(place, read)[:12]}"
    folder = DatasetFolder(root / FOLDER / name)
    return _stored(name, place, folder) or _ingested(name, place, folder, read, progress)


def read_options(values: Mapping[str, Any]) -> IngestOptions:
    """The options of an upload; raises InvalidRequest whose `errors` name each."""
    try:
        options: IngestOptions = _options_schema().load(values)
        if options.format not in (None, *DATASET_FORMATS) and not is_offered_name(options.format):
            raise ValidationError({"format": [f"Must be one of: {', '.join(DATASET_FORMATS)}."]})
    except ValidationError as error:
        known = ", ".join(sorted(_options_schema().fields))
        raise InvalidRequest(
            "The data set cannot be read with these options.",
            errors={"data": error.messages},
            remedy=f"The options are: {known} (docs/datasets.md).",
        ) from error
    return options


def stored_dataset(name: str, runs: Path) -> LocalDataset:
    """The set of that id as an earlier experiment read it; raises BadDataset where it is gone."""
    folder = DatasetFolder(runs / FOLDER / name)
    if found := _stored(name, None, folder):
        return found
    raise BadDataset(
        f"The prepared data set {name} is not in {runs / FOLDER} any more.",
        remedy="Give the data set, too, so that it is read again.",
    )


def _stored(name: str, source: Path | None, folder: DatasetFolder) -> LocalDataset | None:
    if not folder.record.is_file():
        return None
    data = read_json(folder.record)
    found = LocalDataset(
        id=name,
        source=source or Path(data["source"]),
        folder=folder,
        summary=_summary_of(data["summary"]),
        problems=tuple(map(_problem_of, data["problems"])),
    )
    return found if (found.prepared / "index.json").is_file() else None


def _ingested(
    name: str, source: Path, folder: DatasetFolder, options: IngestOptions, progress: Progress
) -> LocalDataset:
    from workers.ingest.pipeline import ingest
    from workers.plugins.loading import load_plugins

    load_plugins()
    result = ingest(source, folder.path, options, progress)
    problems = [asdict(one) for one in result.problems]
    if result.questions:
        raise DatasetQuestion(
            f"The files of {source} can be read in several ways.",
            errors={"questions": [asdict(one) for one in result.questions], "problems": problems},
            remedy="Give the options of one of the choices: `--data NAME=VALUE`, or `options` from Python.",
        )
    if result.summary is None:
        raise BadDataset(
            f"{source} cannot be used for training.",
            errors={"problems": problems},
            remedy="Correct the files that are named, and begin again.",
        )
    record = {"source": str(source), "options": asdict(options), "summary": asdict(result.summary)}
    write_json(folder.record, {**record, "problems": problems})
    return LocalDataset(
        id=name, source=source, folder=folder, summary=result.summary, problems=result.problems
    )


def _fingerprint(source: Path, options: IngestOptions) -> str:
    """Hexadecimal; differs as soon as a file is added, removed, written or renamed."""
    facts = {"source": str(source), "files": file_facts(source), "options": asdict(options)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
