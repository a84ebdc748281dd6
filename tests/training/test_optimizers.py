"""Every optimizer of the catalogue answers to the same demands; groups get what the spec says."""

import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from timm.optim import list_optimizers
from torch import nn

from tests.training.conftest import CONFIGS, Run, tiny_spec
from trainyard.catalog.names import OPTIMIZERS
from trainyard.runs.events import EpochEnd
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import OptimizationSpec
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import read_checkpoint
from workers.training.network.optimizer import FUSED, NESTEROV, make_optimizer, parameter_groups
from workers.training.tasks.segmentation.network.networks import empty_network


def _spec(**over: Any) -> OptimizationSpec:
    return replace(Experiments(CONFIGS).compose({}).optimization, **over)


class _Small(nn.Module):
    """An encoder and a head in miniature."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.encoder(images))
        return out


def _no_compiler(*_: Any, **__: Any) -> Any:
    raise AssertionError("it is compiled")


def _network(encoder: str = "resnet18") -> nn.Module:
    model = {"architecture": "Unet", "encoder": encoder}
    network: nn.Module = empty_network(Experiments(CONFIGS).compose({"model": model}).model, 2)
    return network


def test_the_catalogue_has_those_of_timm_that_run_everywhere() -> None:
    needs_more = {name for name in list_optimizers() if name.startswith(("bnb", "fused"))} | {"adahessian"}
    assert set(OPTIMIZERS) == set(list_optimizers()) - needs_more
    assert len(set(OPTIMIZERS)) == len(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_moves_all_weights_and_survives_being_saved(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And none needs a compiler, which few machines have."""
    monkeypatch.setattr(torch, "compile", _no_compiler)
    torch.manual_seed(0)
    network = _Small()
    before = [weight.detach().clone() for weight in network.parameters()]
    optimizer = make_optimizer(network, _spec(optimizer=name), fused=True)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = (network(torch.randn(2, 3, 8, 8)) - 1).pow(2).mean()
        value.backward()
        return value

    for _ in range(3):
        optimizer.step(loss)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    optimizer.load_state_dict(torch.load(file, weights_only=True))
    optimizer.step(loss)
    assert all(torch.isfinite(weight).all() for weight in network.parameters())
    moved = [not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True)]
    assert all(moved)
    assert bool(optimizer.param_groups[0].get("fused")) is (name in FUSED)


EXTREMES = [
    {"momentum": 0.0},
    {"momentum": 0.9999},
    {"weight_decay": 0.0, "momentum": 0.0, "learning_rate": 1e-8},
    {"weight_decay": 1.0, "encoder_lr_factor": 0.0},
]


@pytest.mark.parametrize("over", EXTREMES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_takes_every_value_that_a_spec_may_have(name: str, over: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = _Small()
    optimizer = make_optimizer(network, _spec(optimizer=name, **over), fused=False)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = (network(torch.randn(2, 3, 8, 8)) - 1).pow(2).mean()
        value.backward()
        return value

    optimizer.step(loss)
    optimizer.step(loss)
    assert all(torch.isfinite(weight).all() for weight in network.parameters())


@pytest.mark.parametrize("name", sorted(NESTEROV))
def test_nesterov_of_no_momentum_is_what_timm_would_refuse(name: str) -> None:
    """The list is timm's: with momentum each of them is made with Nesterov's."""
    group = make_optimizer(_Small(), _spec(optimizer=name, momentum=0.5), fused=False).param_groups[0]
    assert group["nesterov"] is True


def test_sgd_without_momentum_is_plain_sgd() -> None:
    network = _Small()
    weight = network.head.weight
    over = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "learning_rate": 0.5}
    optimizer = make_optimizer(network, _spec(**over), fused=False)
    for _ in range(2):
        before = weight.detach().clone()
        optimizer.zero_grad()
        network(torch.ones(1, 3, 8, 8)).sum().backward()
        assert weight.grad is not None
        expected = before - 0.5 * weight.grad
        optimizer.step()
        assert torch.equal(weight, expected)


def test_biases_and_norms_do_not_decay() -> None:
    network = _network()
    names = {weight: name for name, weight in network.named_parameters()}
    seen = set()
    for group in parameter_groups(network, _spec(weight_decay=0.3)):
        for weight in group["params"]:
            seen.add(names[weight])
            assert group["weight_decay"] == (0.3 if weight.ndim > 1 else 0.0)
    assert seen == set(names.values())


def test_the_encoder_learns_at_its_share_and_the_last_group_at_the_peak() -> None:
    network = _network()
    encoder = set(network.get_submodule("encoder").parameters())
    groups = parameter_groups(network, _spec(learning_rate=0.02, encoder_lr_factor=0.1))
    for group in groups:
        expected = 0.002 if group["params"][0] in encoder else 0.02
        assert group["lr"] == group["peak_lr"] == pytest.approx(expected)
    assert groups[-1]["lr"] == 0.02


@pytest.mark.parametrize(
    ("encoder", "early", "late"),
    [
        ("resnet18", "conv1.weight", "layer4.1.conv2.weight"),
        ("timm-tf_efficientnet_lite0", "conv_stem.weight", "blocks.6.0.conv_pwl.weight"),
        ("mit_b0", "patch_embed1.proj.weight", "block4.1.mlp.fc2.weight"),
        ("tu-resnet18", "model.conv1.weight", "model.layer4.1.conv2.weight"),
    ],
)
def test_layer_decay_lets_early_layers_learn_less(encoder: str, early: str, late: str) -> None:
    network = _network(encoder)
    weights = dict(network.get_submodule("encoder").named_parameters())
    rates = {
        weight: group["peak_lr"]
        for group in parameter_groups(network, _spec(learning_rate=1.0, layer_lr_decay=0.9))
        for weight in group["params"]
    }
    in_order = [rates[weight] for weight in weights.values()]
    assert rates[weights[early]] == min(in_order)
    assert rates[weights[early]] < 0.6
    assert rates[weights[late]] > 0.7
    assert {rates[weight] for weight in network.get_submodule("decoder").parameters()} == {1.0}


@pytest.mark.parametrize("optimizer", ["sgd", "lion"])
def test_others_than_adamw_train_a_run(run: Run, optimizer: str) -> None:
    spec = tiny_spec(optimization={"optimizer": optimizer, "accumulate_batches": 2})
    result = run.fit(epochs=2, spec=spec)
    assert (result.status, result.step) == ("completed", 4), "three batches make two steps"
    assert all(event.metrics["train_loss"] > 0 for event in run.of(EpochEnd))


def test_a_frozen_encoder_keeps_weights_and_statistics_until_it_thaws(run: Run) -> None:
    spec = tiny_spec(optimization={"freeze_encoder_epochs": 1}, checkpoints={"every_epochs": 1})
    run.fit(epochs=1, spec=spec)
    folder = RunFolder(run.folder)
    frozen = _encoder(read_checkpoint(folder.epoch_checkpoint(1)))
    run.fit(epochs=2, spec=spec, resume=True)
    thawed = _encoder(read_checkpoint(folder.epoch_checkpoint(2)))
    run.fit(epochs=1, spec=tiny_spec(seed=0, optimization={"freeze_encoder_epochs": 9}))
    again = _encoder(read_checkpoint(folder.last_checkpoint))

    assert frozen.keys() == thawed.keys()
    assert all(torch.equal(frozen[name], again[name]) for name in frozen)
    assert int(frozen["bn1.num_batches_tracked"]) == 0
    assert frozen["bn1.running_mean"].abs().max() == 0
    assert int(thawed["bn1.num_batches_tracked"]) == 3
    assert not torch.equal(frozen["conv1.0.weight"], thawed["conv1.0.weight"])


def _encoder(checkpoint: dict[str, Any]) -> dict[str, torch.Tensor]:
    prefix = "network.encoder.model."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }
