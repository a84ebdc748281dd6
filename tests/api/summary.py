"""What an ingest finds out, for tests that play the worker."""

from typing import Any

SUMMARY: dict[str, Any] = {
    "content_hash": "abc",
    "images": 10,
    "splits": {"train": 8, "val": 2},
    "classes": [
        {
            "index": i,
            "name": name,
            "value": i,
            "color": [0, 0, i],
            "pixels": 10,
            "share": 0.5,
            "images": 10,
        }
        for i, name in enumerate(["background", "pet"])
    ],
    "ignore_share": 0.0,
    "sizes": {"64x64": 10},
    "mean": [0.5, 0.5, 0.5],
    "std": [0.2, 0.2, 0.2],
}
