"""An exported ONNX file at work, by what it tells of itself; without torch."""

import json

import numpy as np
import onnxruntime

from trainyard.errors import ExportMismatch
from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.image_view import view_as_told
from workers.training.data.input_depth import stored_scales
from workers.training.export.sessions import RUNTIME_FAILURES, VIEW
from workers.training.tasks.detection.prediction.predictor import THRESHOLD, Answer, Found, ObjectPredictor


def predictor_of(session: onnxruntime.InferenceSession, facts: dict[str, str]) -> ObjectPredictor:
    """The network of an opened file, by its metadata."""
    names, colors, values = (json.loads(facts[f"trainyard.{key}"]) for key in ("classes", "colors", "values"))
    classes = [
        PreparedClass(index=index, name=name, value=value, color=tuple(color))
        for index, (name, color, value) in enumerate(zip(names, colors, values, strict=True))
    ]
    return ObjectPredictor(
        form=facts["trainyard.task"],
        classes=classes,
        image_size=int(facts["trainyard.image_size"]),
        fit=facts["trainyard.fit"],
        threshold=float(facts.get("trainyard.threshold", THRESHOLD)),
        answer=answer_of(session, facts),
        depth=stored_scales(json.loads(facts.get("trainyard.depth", "null"))),
        view=view_as_told(facts.get(VIEW, "[]")),
    )


def answer_of(session: onnxruntime.InferenceSession, facts: dict[str, str]) -> Answer:
    """What the graph finds in a square; raises ExportMismatch where onnxruntime cannot compute it."""
    mean, std = (
        np.asarray(json.loads(facts[f"trainyard.{key}"]), np.float32).reshape(1, 3, 1, 1) * np.float32(255)
        for key in ("mean", "std")
    )
    baked = facts["trainyard.preprocessing"] == "inside"

    def answer(square: Uint8) -> Found:
        image = np.ascontiguousarray(square[None])
        if not baked:
            image = np.ascontiguousarray((image.transpose(0, 3, 1, 2).astype(np.float32) - mean) / std)
        try:
            boxes, classes, scores, *masks = session.run(None, {"image": image})
        except RUNTIME_FAILURES as error:
            raise ExportMismatch(f"onnxruntime cannot run the exported network: {error}") from error
        return Found(boxes, classes, scores, masks[0] if masks else None)

    return answer
