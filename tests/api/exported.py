"""What a run that was exported leaves, without a training: its files and their card."""

import hashlib
from collections.abc import Sequence
from typing import Any

from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import write_json

CONTENT = b"what stands for a network"
COLORS = ((20, 20, 20), (220, 60, 60), (60, 60, 220))


def export(
    folder: RunFolder,
    content: bytes = CONTENT,
    precisions: tuple[str, ...] = ("fp32",),
    miou: float = 0.81,
    names: Sequence[str] = ("ground", "disc"),
) -> None:
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
            "classes": [
                {"index": index, "name": name, "value": index, "color": list(COLORS[index])}
                for index, name in enumerate(names)
            ],
            "input": {"image_size": 64},
            "dataset": {"content_hash": "a" * 64},
            "metrics": {"val": {"miou": miou, "dice": 0.9, "iou": dict.fromkeys(names, miou)}},
            "files": files,
        },
    )
