"""What workers are asked while a client waits: what a model makes of images, and weights alone."""

from dataclasses import dataclass

CLASS_MAP, OVERLAY, JSON = "class_map", "overlay", "json"
PICTURES = (CLASS_MAP, OVERLAY)
FORMS = (*PICTURES, JSON)
"""A class index for each pixel; the image under the colours of its classes; how much of each class where."""
TRAINED, TILES, RESIZE = "trained", "tiles", "resize"
WAYS = (TRAINED, TILES, RESIZE)
"""How an image meets the network: as in training, by tiles at its own scale, or resized whole."""


@dataclass(frozen=True, kw_only=True)
class PredictionJob:
    """What a worker is asked: a model's file, which answers for so many images of the folder `id`.

    `form` is what is wanted of each, and `way` how an image meets the network: `tiles`, `resize`, or as in
    training. `pictures` are further forms that are written beside a `json` answer.
    """

    id: str
    model_id: str
    file: str
    form: str
    pictures: tuple[str, ...] = ()
    names: tuple[str, ...]
    way: str = "trained"


@dataclass(frozen=True, kw_only=True)
class WeightsJob:
    """A worker is to write the weights of a checkpoint, at `file` in a run's folder, alone."""

    id: str
    run_id: str
    file: str
