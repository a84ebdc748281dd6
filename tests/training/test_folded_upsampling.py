"""Blocks that convolve an enlarged feature map without enlarging it give what their library's give."""

import copy

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

from workers.training.engine.attempt import build_attempt
from workers.training.tasks.segmentation.network.folded_upsampling import (
    FoldedUnetBlock,
    FoldedUnetPlusPlusBlock,
    fold_upsampling,
    folded_taps,
)

FOLDED = (FoldedUnetBlock, FoldedUnetPlusPlusBlock)
BLOCKS = {"Unet": 5, "UnetPlusPlus": 11}


def both(architecture: str, **options: object) -> tuple[nn.Module, nn.Module]:
    """The library's network and the folded one, with the same weights, in double precision."""
    torch.manual_seed(0)
    plain = smp.create_model(architecture, "resnet18", encoder_weights=None, classes=3, **options).double()
    folded = copy.deepcopy(plain)
    fold_upsampling(folded)
    return plain, folded


def folded_blocks(network: nn.Module) -> int:
    return sum(isinstance(module, FOLDED) for module in network.modules())


def test_taps_are_those_of_a_convolution_of_repeated_pixels():
    taps, small = torch.randn(5, 4, 3, 3).double(), torch.randn(2, 4, 6, 7).double()
    repeated = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    wanted = nn.functional.conv2d(repeated, taps, padding=1)
    found = nn.functional.conv_transpose2d(small, folded_taps(taps), stride=2, padding=1)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("architecture", BLOCKS)
def test_outputs_and_gradients_are_the_same(architecture):
    plain, folded = both(architecture)
    assert folded_blocks(folded) == BLOCKS[architecture]
    images = torch.randn(2, 3, 64, 96).double()
    wanted, found = plain(images), folded(images)
    torch.testing.assert_close(found, wanted)
    towards = torch.randn_like(wanted)
    wanted.backward(towards)
    found.backward(towards)
    gradients = dict(folded.named_parameters())
    for name, weight in plain.named_parameters():
        torch.testing.assert_close(gradients[name].grad, weight.grad, msg=name)


@pytest.mark.parametrize("architecture", BLOCKS)
def test_weights_keep_their_names(architecture):
    plain, folded = both(architecture)
    assert list(folded.state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("architecture", BLOCKS)
def test_what_is_not_trained_computes_as_the_library_does(architecture):
    plain, folded = both(architecture)
    images = torch.randn(1, 3, 64, 64).double()
    assert torch.equal(folded.eval()(images), plain.eval()(images))


@pytest.mark.parametrize(
    "options", [{"decoder_attention_type": "scse"}, {"decoder_interpolation": "bilinear"}]
)
@pytest.mark.parametrize("architecture", BLOCKS)
def test_blocks_that_do_more_than_repeat_pixels_are_left(architecture, options):
    _, folded = both(architecture, **options)
    assert folded_blocks(folded) == 0


def test_a_map_that_is_not_just_doubled_is_enlarged_as_the_library_does():
    plain, folded = both("Unet")
    small, skip = torch.randn(2, 512, 3, 3).double(), torch.randn(2, 256, 5, 5).double()
    wanted = plain.decoder.blocks[0](small, 5, 5, skip)
    assert torch.equal(folded.decoder.blocks[0](small, 5, 5, skip), wanted)


@pytest.mark.skipif(torch.cuda.is_available(), reason="measured, and used, on CPUs alone")
def test_runs_on_a_cpu_train_with_folded_blocks(run):
    attempt = build_attempt(run.job(), lambda event: None)
    assert folded_blocks(attempt.module.network) == BLOCKS["Unet"]
