"""A run on two processes: it reports once, agrees with itself, and all of it stops."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop

from tests.training import failing_rank
from tests.training.conftest import CONFIGS, Run, tiny_spec
from tests.waits import scaled
from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.errors import ChildDied, InvalidRequest, NanLoss, WeightsUnavailable
from trainyard.runs.events import BatchSizeChanged, CheckpointSaved, EpochEnd, SignalApplied
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import read_checkpoint
from workers.training.checkpoints.trained_network import TrainedNetwork, card_of, with_weights_of
from workers.training.data.sampler import EpochSampler
from workers.training.engine import ddp as ranks_module
from workers.training.engine.attempt import build_attempt
from workers.training.engine.ddp import other_ranks
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.network.networks import empty_network

pytestmark = pytest.mark.skipif(
    torch.cuda.is_available(), reason="two processes take two GPUs where there are any"
)

TWO = {"devices": 2, "strategy": "auto"}


def _spec(**over: Any) -> dict[str, Any]:
    """Batches of two on each rank: the same three steps an epoch that one process has with four."""
    return tiny_spec(data={"image_size": 32, "batch_size": 2}, compute=TWO, **over)


def test_two_ranks_train_what_one_would_and_report_it_once(whole_run: Run) -> None:
    frozen = {"freeze_encoder_epochs": 1}
    result = whole_run.fit(epochs=2, spec=_spec(optimization=frozen))

    assert (result.status, result.epoch, result.step) == ("completed", 2, 6)
    assert [event.epoch for event in whole_run.of(EpochEnd)] == [1, 2]
    assert [event.epoch for event in whole_run.of(CheckpointSaved)] == [1, 2]
    rows = [event.metrics for event in whole_run.of(EpochEnd)]
    assert RunFolder(whole_run.folder).metrics_csv.read_text().count("\n") == 3
    assert all(0 < row["val_miou"] < 1 for row in rows)
    assert result.best["val_miou"] == pytest.approx(_score_alone(whole_run))


def _score_alone(run: Run) -> float | None:
    """The best weights' mIoU over all validation images, each taken once, by one process."""
    folder = RunFolder(run.folder)
    attempt = build_attempt(run.job(spec=_spec(), epochs=2, resume=True), lambda event: None)
    best = read_checkpoint(folder.best_checkpoint)
    card = card_of(best)
    network = with_weights_of(best, empty_network(card.spec.model, len(card.classes)))
    trained, scores = TrainedNetwork(network, card.rule), EpochScores(3)
    with torch.inference_mode():
        for index in range(len(attempt.data.val)):
            item = attempt.data.val[0, index]
            image, mask = item["image"], item["mask"]
            assert isinstance(image, torch.Tensor)
            assert isinstance(mask, torch.Tensor)
            scores.update(trained(image[None]), mask[None].long(), torch.zeros(()))
    return scores.compute().miou


@pytest.mark.thorough
def test_layers_that_only_a_classifier_uses_are_not_waited_for(run: Run) -> None:
    model = {"architecture": "Unet", "encoder": PACKAGED_ENCODER}
    result = run.fit(epochs=1, spec=_spec(model=model))
    assert (result.status, result.step) == ("completed", 3)


@pytest.mark.thorough
def test_a_stop_reaches_all_ranks(run: Run) -> None:
    result = run.fit(epochs=9, spec=_spec(), signals={4: Signals(stop="now", stop_version=1)})

    assert result.status == "stopped"
    assert result.epoch < 2
    assert [event.value for event in run.of(SignalApplied)] == ["now"]
    assert RunFolder(run.folder).last_checkpoint.exists()


@pytest.mark.thorough
def test_signals_are_sent_beside_what_the_devices_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NCCL a question among devices is answered when these have nothing left to do."""
    apart: list[bool] = []
    send = torch.distributed.broadcast_object_list

    def sent(content: list[Any], src: int = 0, group: Any = None, **kwargs: Any) -> None:
        apart.append(group not in (None, torch.distributed.group.WORLD))
        send(content, src=src, group=group, **kwargs)

    def not_asked(loop: _TrainingEpochLoop) -> None:
        raise AssertionError("the devices were asked for a SIGTERM")

    monkeypatch.setattr(torch.distributed, "broadcast_object_list", sent)
    monkeypatch.setattr(_TrainingEpochLoop, "_broadcast_sigterm_tensor", not_asked)
    result = run.fit(epochs=1, spec=_spec())
    assert (result.status, result.step) == ("completed", 3)
    assert apart.count(True) == run.reads > 3
    assert apart.count(False) <= 2  # Lightning's, of folders


@pytest.mark.thorough
def test_a_run_that_fails_on_all_ranks_fails_as_it_would_alone(run: Run) -> None:
    spec = _spec(optimization={"learning_rate": 1.0, "optimizer": "sgd", "gradient_clip": 0.0})
    spec["optimization"]["losses"] = [{"name": "cross_entropy", "weight": 1000.0, "params": {}}]
    with pytest.raises(NanLoss, match="drawn-"):
        run.fit(epochs=50, spec=spec)


@pytest.mark.thorough
def test_another_rank_says_why_it_failed(run: Run) -> None:
    model = {**tiny_spec()["model"], "encoder_weights": "file:absent.pt"}
    job = run.job(spec=_spec(model=model), weights_file=run.folder / "absent.pt")
    with other_ranks(job) as ranks:
        reason = ranks.failure()
    assert isinstance(reason, WeightsUnavailable)
    assert "absent.pt" in reason.message
    assert not any(process.is_alive() for process in ranks.processes)


@pytest.mark.thorough
def test_memory_that_ends_in_another_rank_alone_halves_the_batch(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks_module, "_join", failing_rank.runs_out_of_memory)
    spec = {**_spec(), "data": {"image_size": 64, "batch_size": 2}}
    result = run.fit(epochs=1, spec=spec)
    assert (result.status, result.step) == ("completed", 3)
    assert [(event.batch_size, event.accumulate_batches) for event in run.of(BatchSizeChanged)] == [(1, 2)]


def test_a_rank_that_dies_ends_the_attempt_and_says_how(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks_module, "_join", failing_rank.dies)
    monkeypatch.setattr(ranks_module, "END_S", 600.0)  # nothing is waited for so long
    with pytest.raises(ChildDied, match="exit code -9"):
        run.fit(epochs=2, spec=_spec())


@pytest.mark.thorough
def test_a_first_rank_that_waits_is_torn_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As NCCL has it wait: for as long as another rank does not come, whether or not it lives."""
    torn = threading.Event()
    monkeypatch.setattr(ranks_module, "FREE_S", 0.1)
    monkeypatch.setattr(ranks_module, "abort_group", torn.set)
    model = {**tiny_spec()["model"], "encoder_weights": "file:absent.pt"}
    job = run.job(spec=_spec(model=model), weights_file=run.folder / "absent.pt")
    with other_ranks(job) as ranks:
        assert torn.wait(scaled(60))
    assert isinstance(ranks.failure(), WeightsUnavailable)


@pytest.mark.thorough
def test_other_ranks_end_with_the_first(prepared: Path, tmp_path: Path) -> None:
    """It is killed, with its whole group or alone; the others hold a port or a GPU no longer."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump({**_spec(), "epochs": 1000}))
    command = [sys.executable, "-m", "workers.training", str(spec), "--prepared", str(prepared)]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "run"), "--threads", "2", "--device", "cpu"],
        cwd=CONFIGS.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as first:
        assert first.stdout is not None
        while "val mIoU" not in first.stdout.readline():
            assert first.poll() is None
        others = psutil.Process(first.pid).children(recursive=True)
        assert others
        first.kill()
    _, alive = psutil.wait_procs(others, timeout=scaled(20))
    assert not alive


def test_shares_of_ranks_cover_all_images() -> None:
    shares = [list(EpochSampler(7, 0, 3, shuffled=True, rank=rank, world=2)) for rank in (0, 1)]
    assert [len(share) for share in shares] == [4, 4]
    assert {index for share in shares for _, index in share} == set(range(7))
    plain = [list(EpochSampler(7, 0, 0, shuffled=False, rank=rank, world=2)) for rank in (0, 1)]
    assert sorted(index for share in plain for _, index in share) == list(range(7))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="only GPUs are counted")
def test_more_gpus_than_there_are_is_refused(run: Run) -> None:
    with pytest.raises(InvalidRequest, match="devices"):
        run.fit(spec=tiny_spec(compute={"devices": 64}))
