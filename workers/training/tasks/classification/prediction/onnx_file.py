"""An exported ONNX file at work, by what it tells of itself; without torch."""

import json

import numpy as np
import onnxruntime

from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.image_view import view_as_told
from workers.training.data.input_depth import stored_scales
from workers.training.export.sessions import VIEW, run_session
from workers.training.tasks.classification.labels.answers import Floats, probabilities_of
from workers.training.tasks.classification.prediction.predictor import Answer, LabelPredictor


def predictor_of(session: onnxruntime.InferenceSession, facts: dict[str, str]) -> LabelPredictor:
    """The network of an opened file, by its metadata."""
    names, colors, values = (json.loads(facts[f"trainyard.{key}"]) for key in ("classes", "colors", "values"))
    classes = [
        PreparedClass(index=index, name=name, value=value, color=tuple(color))
        for index, (name, color, value) in enumerate(zip(names, colors, values, strict=True))
    ]
    return LabelPredictor(
        form=facts["trainyard.task"],
        classes=classes,
        image_size=int(facts["trainyard.image_size"]),
        fit=facts["trainyard.fit"],
        answer=_answer_of(session, facts),
        depth=stored_scales(json.loads(facts.get("trainyard.depth", "null"))),
        view=view_as_told(facts.get(VIEW, "[]")),
    )


def _answer_of(session: onnxruntime.InferenceSession, facts: dict[str, str]) -> Answer:
    output, form = session.get_outputs()[0].name, facts["trainyard.task"]
    if facts["trainyard.preprocessing"] == "inside":
        return lambda images: run_session(session, output, {"image": np.ascontiguousarray(images)})
    mean, std = (
        np.asarray(json.loads(facts[f"trainyard.{key}"]), np.float32).reshape(1, 3, 1, 1) * np.float32(255)
        for key in ("mean", "std")
    )

    def answer(images: Uint8) -> Floats:
        seen = np.ascontiguousarray((images.transpose(0, 3, 1, 2).astype(np.float32) - mean) / std)
        return probabilities_of(run_session(session, output, {"image": seen}), form)

    return answer
