"""A run that begins with another's checkpoint."""

import pytest
import torch

from tests.training.conftest import CONFIGS, Run, tiny_spec
from trainyard.errors import WeightsUnavailable
from trainyard.runs.events import EpochEnd, Notice
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from workers.runs.job_message import job_from_message, job_to_message
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.network.warm_start import load_fitting
from workers.training.tasks.segmentation.network.networks import empty_network


def _prefixed(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {f"network.{name}": tensor for name, tensor in network.state_dict().items()}


def _network(classes: int, encoder: str = "tu-test_resnet") -> torch.nn.Module:
    model = {"architecture": "Unet", "encoder": encoder}
    network: torch.nn.Module = empty_network(Experiments(CONFIGS).compose({"model": model}).model, classes)
    return network


def test_all_layers_of_a_like_network_are_taken() -> None:
    source, target = _network(3), _network(3)
    loaded = load_fitting(target, _prefixed(source))
    assert loaded.loaded_layers == loaded.total_layers > 10
    assert loaded.skipped == []
    for name, tensor in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], tensor)


def test_a_layer_that_does_not_fit_stays_whole_and_is_named() -> None:
    source, target = _network(3), _network(5)
    bias = target.state_dict()["segmentation_head.0.bias"].clone()
    loaded = load_fitting(target, _prefixed(source))
    assert loaded.loaded_layers == loaded.total_layers - 1
    (skipped,) = loaded.skipped
    assert skipped.startswith("segmentation_head.0 (3 x 16 x 3 x 3, needed is 5 x 16 x 3 x 3")
    assert torch.equal(target.state_dict()["segmentation_head.0.bias"], bias)
    assert "segmentation_head.0" in loaded.describe("best.ckpt")


def test_a_stranger_is_refused() -> None:
    with pytest.raises(WeightsUnavailable, match="No layer"):
        load_fitting(_network(3), {"network.other": torch.zeros(1)})


def test_a_fork_begins_where_the_other_run_was(run: Run) -> None:
    run.fit(epochs=3)
    origin = RunFolder(run.folder).best_checkpoint
    source = read_checkpoint(origin)
    fork = Run(run.folder.with_name("fork"), run.prepared)
    still = tiny_spec(seed=5, optimization={"learning_rate": 1e-8})
    result = fork.fit(epochs=1, spec=still, init_checkpoint=origin)

    (notice,) = fork.of(Notice)
    assert "best.ckpt" in notice.message
    assert "not loaded" not in notice.message
    reached = read_checkpoint(RunFolder(fork.folder).last_checkpoint)
    name = "network.segmentation_head.0.weight"
    assert torch.allclose(reached["state_dict"][name], source["state_dict"][name], atol=1e-5)
    assert reached[ABOUT]["mean"] == source[ABOUT]["mean"]
    assert (result.epoch, result.step) == (1, 3), "a fork counts from the beginning"

    resumed = fork.fit(epochs=2, spec=still, resume=True, init_checkpoint=origin)
    assert resumed.epoch == 2
    assert fork.of(Notice) == []
    assert [event.epoch for event in fork.of(EpochEnd)] == [2]


def test_the_checkpoint_crosses_the_pipe(run: Run) -> None:
    job = run.job(init_checkpoint=run.folder / "best.ckpt")
    assert job_from_message(job_to_message(job)) == job
