"""What a run that was exported leaves, without a training: its files and their card."""

import hashlib
from typing import Any

from trainyard.storage.files import RunFolder, write_json

CONTENT = b"what stands for a network"
CLASSES = [
    {"index": 0, "name": "ground", "value": 0, "color": [0, 0, 0]},
    {"index": 1, "name": "disc", "value": 3, "color": [200, 40, 10]},
]


def export(folder: RunFolder, content: bytes = CONTENT, precisions: tuple[str, ...] = ("fp32",)) -> None:
    """Write the export of a run, a file for each precision."""
    folder.export.mkdir(parents=True, exist_ok=True)
    files: list[dict[str, Any]] = []
    for precision in precisions:
        name = "model.onnx" if precision == "fp32" else f"model.{precision}.onnx"
        (folder.export / name).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        files.append({"file": name, "precision": precision, "bytes": len(content), "sha256": sha256})
    write_json(
        folder.export_card,
        {
            "epoch": 4,
            "classes": CLASSES,
            "input": {"image_size": 64},
            "dataset": {"content_hash": "a" * 64},
            "metrics": {"val": {"miou": 0.81, "dice": 0.9, "iou": {"ground": 0.9, "disc": 0.72}}},
            "files": files,
        },
    )
