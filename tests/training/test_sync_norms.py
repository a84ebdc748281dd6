"""Norms synchronised over devices change no logit, neither while they are there nor afterwards."""

from collections import OrderedDict
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import torch
from lightning import Trainer
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from tests.training.conftest import CLASS_NAMES, CONFIGS, tiny_spec
from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.spec.experiments import Experiments
from workers.prepared.version import PreparedDataset
from workers.training.compute.rank import Rank
from workers.training.compute.sync_norms import SyncNorms
from workers.training.engine.ddp import free_port
from workers.training.epochs.module import TrainingModule
from workers.training.network.normalization import IMAGENET
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.network.networks import empty_network
from workers.training.tasks.segmentation.objective import SegmentationObjective

# Norm and activation in one module, or apart; norms of one and of two dimensions; none at all.
ENCODERS = [
    PACKAGED_ENCODER,
    *("resnet18", "densenet121", "dpn68", "efficientnet-b0", "mit_b0", "mobilenet_v2", "mobileone_s0"),
    *("vgg11_bn", "se_resnet50", "timm-efficientnet-b0", "timm-regnetx_002", "timm-mobilenetv3_small_075"),
    *(
        "timm-skresnet18",
        "timm-gernet_s",
        "timm-resnest14d",
        "tu-efficientnet_b0",
        "tu-mobilenetv3_large_100",
    ),
    *("tu-regnety_002", "tu-convnext_atto", "tu-ghostnet_050", "tu-ese_vovnet19b_dw", "tu-rexnet_100"),
    *("tu-repvgg_a0", "tu-test_resnet"),
]


@pytest.mark.variants(8)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_no_logit_changes(encoder: str) -> None:
    torch.manual_seed(0)
    network = smp.create_model("Unet", encoder_name=encoder, encoder_weights=None, classes=2).eval()
    images = torch.randn(1, 3, 64, 64)
    kinds, names = [type(part) for part in network.modules()], list(network.state_dict())
    norms = SyncNorms()
    with torch.inference_mode():
        before = network(images)
        converted = norms.apply(network)
        assert torch.equal(converted(images), before)
        assert all(isinstance(part, nn.SyncBatchNorm) for part in converted.modules() if is_norm(part))
        assert list(converted.state_dict()) == names
        reverted = norms.revert(converted)
        assert torch.equal(reverted(images), before)
    assert [type(part) for part in reverted.modules()] == kinds


def is_norm(part: nn.Module) -> bool:
    return isinstance(part, _BatchNorm)


def test_a_norm_that_does_more_is_left_as_it_is() -> None:
    class Doubling(nn.BatchNorm2d):
        def forward(self, images: Tensor) -> Tensor:
            return 2 * super().forward(images)

    network = nn.Sequential(OrderedDict(own=Doubling(3), plain=nn.BatchNorm2d(3))).eval()
    images = torch.randn(1, 3, 4, 4)
    expected = network(images)
    assert torch.equal(SyncNorms().apply(network)(images), expected)
    assert type(network.get_submodule("own")) is Doubling


@pytest.mark.parametrize("ema", [None, 0.5])
@pytest.mark.parametrize("encoder", [PACKAGED_ENCODER, "tu-mobilenetv3_small_050"])
def test_a_checkpoint_trained_so_predicts_the_same_alone(
    prepared: Path, encoder: str, ema: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning's own path, with a group of one process: on a CPU there is no form for more."""
    # What such a norm computes in a group of one, but for torch's checks that it is on a GPU.
    monkeypatch.setattr(nn.SyncBatchNorm, "forward", _BatchNorm.forward)
    monkeypatch.setattr(DistributedDataParallel, "_passing_sync_batchnorm_handle", lambda *_: None)
    spec = Experiments(CONFIGS).compose(
        tiny_spec(model={"architecture": "Unet", "encoder": encoder}, optimization={"ema_decay": ema})
    )
    network, objective = empty_network(spec.model, 3), SegmentationObjective(spec, CLASS_NAMES, None)
    module = TrainingModule(network, objective, IMAGENET, spec, fused=True)
    trainer = Trainer(
        accelerator="cpu",
        devices=1,
        # Some encoders have a layer that only a classifier uses.
        strategy="ddp_find_unused_parameters_true",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        plugins=[SyncNorms(), Rank(0, 1, free_port())],
    )
    seen: list[type[nn.Module]] = []
    network.register_forward_hook(lambda *_: seen.extend(type(part) for part in network.modules()))
    try:
        trainer.fit(module, datamodule=SegmentationData(PreparedDataset(prepared), spec))
    finally:
        torch.distributed.destroy_process_group()
    assert nn.SyncBatchNorm in {base for kind in seen for base in kind.mro()}
    assert not any(isinstance(part, nn.SyncBatchNorm) for part in module.modules())

    checkpoint: dict[str, dict[str, Tensor]] = {}
    module.on_save_checkpoint(checkpoint)
    alone = empty_network(spec.model, 3)
    alone.load_state_dict(
        {name.removeprefix("network."): tensor for name, tensor in checkpoint["state_dict"].items()}
    )
    images = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    with torch.inference_mode():
        expected = module.eval()(images)
        normalised = (images.permute(0, 3, 1, 2) - module._mean) / module._std
        assert torch.allclose(alone.eval()(normalised), expected, rtol=0, atol=1e-4)
    assert expected.std() > 1e-3
