"""Checks 6 and 18: a run through the whole service, and two workers on one device."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tests.gpu.check import Finding, Setting, equal, holds, measured, none_of
from tests.gpu.driver import ask
from tests.gpu.sets import draw_samples, upload
from tests.gpu.stack import Stack, lost_attempts, running_stack
from trainyard.storage.json_files import read_json
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.prediction.predictor import load_predictor

SAME_MIOU = 0.002
SAME_LOGITS = 1e-3
TOGETHER = 1.0
"""How much of one run's images a second two runs at once make together."""
RUN_S = 240.0
ENDLESS = 10_000
"""Epochs of a run whose target is set once it trains."""
VAL = 16


def served_run(setting: Setting) -> Iterator[Finding]:
    """Submit, train, report, export: by what the API says, and by the files."""
    size, train = setting.size((256, 160), (64, 24))
    archive = upload(setting.folder / "set.zip", train, VAL, size, seed=setting.seed)
    with running_stack(setting) as stack:
        dataset = stack.upload(archive)
        stack.worker()
        data = {"image_size": size, "batch_size": 8}
        run_id = stack.submit(dataset, epochs=setting.size(6, 2), data=data, export={"onnx": True})
        run = stack.completed(run_id, RUN_S)
        yield from _told(setting, stack, run)
        yield from _written(setting, stack, run_id, size, train)


def _told(setting: Setting, stack: Stack, run: dict[str, Any]) -> Iterator[Finding]:
    wanted = ask("name")[0][0] if setting.on_gpu else "cpu"
    yield equal("the device that the run names", run["attempts"][-1]["device"], wanted)
    rows = stack.rows(run["id"])
    yield equal("epochs with metrics", [row["epoch"] for row in rows], list(range(1, run["epochs"] + 1)))
    log = stack.folder(run["id"]).log.read_text()
    fallbacks = [line for line in log.splitlines() if "fall back" in line or "falling back" in line]
    yield none_of("no operation falls back to the processor", fallbacks)


def _written(setting: Setting, stack: Stack, run_id: str, size: int, train: int) -> Iterator[Finding]:
    folder = stack.folder(run_id)
    yield none_of(
        "report, figures and export are there",
        [
            str(path.name)
            for path in (folder.report_json, folder.report_html, folder.onnx)
            if not path.exists()
        ],
    )
    reported = read_json(folder.report_json)["splits"]["val"]["miou"]
    predicted = _predicted_miou(folder.best_checkpoint, size, train, setting.seed)
    yield setting.at_most("report's mIoU beside that of best.ckpt", abs(reported - predicted), SAME_MIOU)
    files = {entry["file"]: entry for entry in read_json(folder.onnx.parent / "card.json")["files"]}
    difference = files[folder.onnx.name]["max_difference"]
    yield setting.at_most("ONNX beside torch: largest difference", difference, SAME_LOGITS)


def _predicted_miou(checkpoint: Path, size: int, train: int, seed: int) -> float:
    """Of the validation images, drawn anew and predicted by the checkpoint on the CPU."""
    predictor, scores = load_predictor(checkpoint), EpochScores(3)
    drawn = list(draw_samples(train + VAL, size, 3, seed))[train:]
    for image, mask in drawn:
        logits = torch.from_numpy(predictor.probabilities(image)[None])
        scores.update(logits, torch.from_numpy(mask[None]).long(), torch.zeros(()))
    return scores.compute().miou or 0.0


def two_workers(setting: Setting) -> Iterator[Finding]:
    """One run alone, and then one in each of two workers on the same device."""
    size, train = setting.size((256, 320), (64, 24))
    archive = upload(setting.folder / "set.zip", train, VAL, size, seed=setting.seed)
    spec = {
        "epochs": setting.size(6, 2),
        "data": {"image_size": size, "batch_size": 8},
        "export": {"onnx": False},
    }
    with running_stack(setting, lease_s=30) as stack:
        dataset = stack.upload(archive)
        threads = str(max(1, setting.threads // 2))
        stack.worker(TRAINYARD_THREADS=threads)
        alone = _speed(stack, _finished(stack, [stack.submit(dataset, **spec)]))
        stack.worker(TRAINYARD_THREADS=threads)
        # Without an end until both train: a worker that still starts would leave its run to the other.
        ids = [stack.submit(dataset, **{**spec, "epochs": ENDLESS}) for _ in range(2)]
        for run_id in ids:
            stack.stepped(run_id, 1, RUN_S)
        for run_id in ids:
            stack.ends_in(run_id, setting.size(6, 2))
        runs = _finished(stack, ids)
        owners = {run["attempts"][0]["worker"] for run in runs}
    yield holds("two runs at once complete, one in each worker", len(owners) == 2, f"{len(owners)} workers")
    yield none_of("no attempt is lost", [run["id"] for run in runs if lost_attempts(run)])
    ratio = _speed(stack, runs) / alone
    yield setting.at_least("images a second of two, of those of one", ratio, TOGETHER, speed=True)
    yield measured("images a second of one", f"{alone:.1f}")


def _finished(stack: Stack, ids: list[str]) -> list[dict[str, Any]]:
    return [{**stack.completed(run_id, RUN_S), "rows": stack.rows(run_id)} for run_id in ids]


def _speed(stack: Stack, runs: list[dict[str, Any]]) -> float:
    """Images a second of all runs together, in their last epochs."""
    return sum(float(run["rows"][-1]["images_per_second"]) for run in runs)
