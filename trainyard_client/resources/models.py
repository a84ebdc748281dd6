"""Trained models: the registry, and asking one about images; and what models can be trained."""

import base64
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from trainyard_client.decoding import decode
from trainyard_client.downloads import Progress, download, nothing
from trainyard_client.errors import NotFound, SettingsError
from trainyard_client.records import PredictedImage, Prediction, TrainedModel
from trainyard_client.resources.catalog import Catalog
from trainyard_client.resources.paging import every, given
from trainyard_client.transport import CONNECT_S

ROOT = "/api/v1/trained-models"
ONNX = "model.onnx"
PREDICT_S = 3700.0
"""Silence after which a prediction is given up: the server has a limit of its own, an hour at most."""
STAGES = ("candidate", "staging", "production", "archived")
_ID = re.compile(r"model-[0-9a-f]{12}\Z")


class Models(Catalog):
    """Trained models, and the names that a spec takes."""

    def list(
        self,
        *,
        project: str | None = None,
        name: str | None = None,
        stage: str | None = None,
        run_id: str | None = None,
        dataset_id: str | None = None,
    ) -> Iterator[TrainedModel]:
        """Those that meet all that is given, newest first, page by page as they are taken."""
        query = {"project": project, "name": name, "stage": stage, "run_id": run_id, "dataset_id": dataset_id}
        return every(self._transport, ROOT, TrainedModel, query)

    def get(self, model_id: str) -> TrainedModel:
        """One model with its lineage."""
        return decode(TrainedModel, self._transport.json("GET", f"{ROOT}/{model_id}"))

    def find(self, text: str, *, project: str | None = None) -> TrainedModel:
        """A model by its id, or `name@version`, `name@stage`, or `name`.

        A name alone is its version in production, else the newest that is not archived, else the newest.
        Raises NotFound.
        """
        if _ID.match(text):
            return self.get(text)
        name, _, which = text.rpartition("@") if "@" in text else (text, "", "")
        found = [one for one in self.list(name=name, project=project) if one.unreadable is None]
        chosen = _chosen(found, which)
        if chosen is None:
            there = ", ".join(f"{one.name}@{one.version} ({one.stage})" for one in found[:10])
            raise NotFound(f"There is no model {text}.", remedy=f"There are: {there or 'none of that name'}.")
        return chosen

    def register(
        self, run_id: str, name: str, *, stage: str | None = None, notes: str | None = None
    ) -> TrainedModel:
        """Make a completed run the next version of a name; the same again is the same model."""
        body = {"run_id": run_id, "name": name, **given({"stage": stage, "notes": notes})}
        return decode(TrainedModel, self._transport.json("POST", ROOT, json=body, repeatable=True))

    def stage(self, model_id: str, stage: str) -> TrainedModel:
        """Give it another stage; of a name one version is in production."""
        return self.change(model_id, stage=stage)

    def change(self, model_id: str, **changes: Any) -> TrainedModel:
        """Change stage or notes."""
        answer = self._transport.json("PATCH", f"{ROOT}/{model_id}", json=changes, repeatable=True)
        return decode(TrainedModel, answer)

    def delete(self, model_id: str) -> None:
        """Delete a model with its files; one in production is refused."""
        self._transport.json("DELETE", f"{ROOT}/{model_id}")

    def download(
        self, model_id: str, target: Path, name: str = ONNX, *, progress: Progress = nothing
    ) -> Path:
        """A file of the model, by the name that its record has, written to `target`."""
        return download(self._transport, f"{ROOT}/{model_id}/files/{quote(name)}", target, progress)

    def predict(
        self,
        model_id: str,
        images: Sequence[Path],
        *,
        pictures: Sequence[str] = (),
        way: str | None = None,
        precision: str | None = None,
    ) -> Prediction:
        """How much of each class where in each image; with `pictures`, `class_map` or `overlay`, also those.

        A server takes up to 16 images at a time. Raises ServerBusy where no worker predicts, and other
        TrainyardErrors; it is not tried again by itself.
        """
        fields = {"form": "json", "pictures": ",".join(pictures) or None, "way": way, "precision": precision}
        answer = self._transport.json(
            "POST",
            f"{ROOT}/{model_id}/predict",
            data=given(fields),
            files=[("image", (path.name, _content(path))) for path in images],
            timeout=httpx.Timeout(PREDICT_S, connect=CONNECT_S),
        )
        return decode(Prediction, answer)


def picture(image: PredictedImage, form: str) -> bytes:
    """The PNG that an answer carries of an image: `class_map` or `overlay`; raises NotFound without it."""
    text = getattr(image, form)
    if text is None:
        raise NotFound(f"The answer carries no {form} of {image.name}.")
    return base64.b64decode(text)


def _chosen(found: Sequence[TrainedModel], which: str) -> TrainedModel | None:
    """Of the versions of a name, newest first."""
    if which.isdigit():
        return next((one for one in found if one.version == int(which)), None)
    if which:
        return next((one for one in found if one.stage == which), None)
    in_production = (one for one in found if one.stage == "production")
    in_use = (one for one in found if one.stage != "archived")
    return next(chain(in_production, in_use, found), None)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
