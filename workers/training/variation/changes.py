"""What transforms do to the pixels of one image, on any device.

By torchvision where it has the operation. All numbers are Python's: a GPU is told them, and is never asked.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from workers.training.variation.drawing import Change

_WHITE = 255.0
_HUES = 180.0
"""A full turn of the hue, as OpenCV counts it for 8 bits."""


def changed(image: Tensor, change: Change) -> Tensor:
    """An image, (3, H, W) uint8 RGB, after one change; another tensor."""
    return _CHANGES[change.name](image, **change.drawn)


def _brightness_contrast(image: Tensor, alpha: float, beta: float) -> Tensor:
    return _as_pixels(image.float() * float(alpha) + float(beta))


def _jitter(
    image: Tensor, brightness: float, contrast: float, saturation: float, hue: float, order: Sequence[int]
) -> Tensor:
    steps = (
        (functional.adjust_brightness, brightness),
        (functional.adjust_contrast, contrast),
        (functional.adjust_saturation, saturation),
        (functional.adjust_hue, hue),
    )
    for place in order:
        adjust, factor = steps[place]
        image = adjust(image, factor)
    return image


def _hue_saturation_value(image: Tensor, hue_shift: float, sat_shift: float, val_shift: float) -> Tensor:
    """All three as of 8 bits. Grey pixels stay grey."""
    pixels = image.float()
    least, value = pixels.amin(0, keepdim=True), pixels.amax(0, keepdim=True)
    spread = value - least
    missing = (value - pixels) / spread.clamp(min=1)  # by the hue alone, which this changes nothing of
    saturation = ((spread / value.clamp(min=1) * _WHITE + sat_shift).clamp(0, _WHITE) / _WHITE) * (spread > 0)
    shifted = (value + val_shift).clamp(0, _WHITE) * (1 - saturation * missing)
    turn = (hue_shift / _HUES + 0.5) % 1 - 0.5
    return _tensor(functional.adjust_hue(_as_pixels(shifted), turn))


def _gamma(image: Tensor, gamma: float) -> Tensor:
    return _tensor(functional.adjust_gamma(image, gamma))


def _grey(image: Tensor) -> Tensor:
    return _tensor(functional.rgb_to_grayscale(image, num_output_channels=3))


def _blur(image: Tensor, sigma: float, pixels: int) -> Tensor:
    if pixels == 1 or sigma <= 0:
        return image.clone()
    return _tensor(functional.gaussian_blur(image, [pixels, pixels], [sigma, sigma]))


def _noise(image: Tensor, sigma: float, mean: float, per_channel: bool, seed: int) -> Tensor:
    """Numbers of a seed are the same on one kind of device, and others on another."""
    numbers = torch.Generator(image.device).manual_seed(seed)
    channels = image.shape[0] if per_channel else 1
    drawn = torch.randn((channels, *image.shape[1:]), generator=numbers, device=image.device)
    return _as_pixels(image.float() + (drawn * sigma + mean) * _WHITE)


def _holes(image: Tensor, holes: Sequence[Sequence[int]], fill: Sequence[float]) -> Tensor:
    hidden = image.clone()
    for left, top, right, bottom in holes:
        for channel, value in zip(hidden, fill, strict=True):
            channel[top:bottom, left:right] = int(value)
    return hidden


def _tensor(made: Any) -> Tensor:
    assert isinstance(made, Tensor)  # noqa: S101 - torchvision declares no types
    return made


def _as_pixels(numbers: Tensor) -> Tensor:
    return numbers.round_().clamp_(0, _WHITE).to(torch.uint8)


_CHANGES: Mapping[str, Callable[..., Tensor]] = {
    "CoarseDropout": _holes,
    "ColorJitter": _jitter,
    "GaussNoise": _noise,
    "GaussianBlur": _blur,
    "HueSaturationValue": _hue_saturation_value,
    "RandomBrightnessContrast": _brightness_contrast,
    "RandomGamma": _gamma,
    "ToGray": _grey,
}


def is_known(name: str) -> bool:
    """Whether a transform of that name is done here."""
    return name in _CHANGES
