"""Transforms of albumentations that keep an image and its mask aligned, with what their parameters may be.

Ranges are within what the library takes, so that a spec is judged without it. Images are square when they
are varied, and stay of one size: what would change it has one legal value, and masks know no between, so they
are resampled to the nearest pixel.
"""

from collections.abc import Mapping

from trainyard.catalog.transform_rules import (
    COLOUR,
    EXTENT,
    FLAG,
    GRID,
    NULL,
    REGION,
    Rule,
    drawn,
    number,
    one_of,
    only,
    pair,
    per_axis,
    symmetric,
    whole,
    whole_pair,
)

Rules = Mapping[str, Rule]

FILL_MASK = "fill_mask"
HOLES = "CoarseDropout"
CHANCE = number(0, 1)
"""What `p` may be, which goes with every transform."""
IGNORED = 255
"""The value of a mask where pixels do not count, whatever its classes."""

_SAME_SIZE = only(False, "images keep their size")
_EDGES: Rules = {
    "interpolation": one_of(0, 1, 2, 3, 4),
    "mask_interpolation": only(0, "masks are resampled to the nearest pixel"),
    "border_mode": one_of(0, 1, 2, 3, 4),
    "fill": COLOUR,
    FILL_MASK: whole(0, IGNORED),
}
"""Of all transforms that move pixels; numbers stand for OpenCV's constants."""
_BOX = one_of("largest_box", "ellipse")
_KEYPOINTS = one_of("direct", "mask")
_BLUR = whole(3, 255, odd=True) | whole_pair(3, 255)

PARAMETERS: Mapping[str, Rules] = {
    "Affine": {
        **_EDGES,
        "scale": per_axis(drawn(0.01, 100)),
        "translate_percent": per_axis(drawn(-1, 1)) | NULL,
        "translate_px": per_axis(whole(-4096, 4096) | whole_pair(-4096, 4096)) | NULL,
        "rotate": drawn(-360, 360),
        "shear": per_axis(drawn(-89, 89)),
        "fit_output": _SAME_SIZE,
        "keep_ratio": FLAG,
        "rotate_method": _BOX,
        "balanced_scale": FLAG,
    },
    "Blur": {"blur_limit": _BLUR},
    "CLAHE": {"clip_limit": drawn(1, 1000), "tile_grid_size": GRID},
    HOLES: {
        "num_holes_range": whole_pair(1, 1000),
        "hole_height_range": EXTENT,
        "hole_width_range": EXTENT,
        "fill": COLOUR | one_of("random", "random_uniform", "inpaint_telea", "inpaint_ns"),
        FILL_MASK: whole(0, IGNORED) | NULL,
    },
    "ColorJitter": {
        "brightness": drawn(0, 100),
        "contrast": drawn(0, 100),
        "saturation": drawn(0, 100),
        "hue": symmetric(0.5),
    },
    "D4": {},
    "ElasticTransform": {
        **_EDGES,
        "alpha": number(0, 10_000),
        "sigma": number(1, 1000),
        "approximate": FLAG,
        "same_dxdy": FLAG,
        "noise_distribution": one_of("gaussian", "uniform"),
        "keypoint_remapping_method": _KEYPOINTS,
    },
    "GaussNoise": {
        "std_range": pair(0, 1),
        "mean_range": pair(-1, 1),
        "per_channel": FLAG,
        "noise_scale_factor": number(0.01, 1),
    },
    "GaussianBlur": {
        "blur_limit": whole(0, 255) | whole_pair(0, 255),
        "sigma_limit": drawn(0.01, 100),
    },
    "GridDistortion": {
        **_EDGES,
        "num_steps": whole(1, 32),
        "distort_limit": symmetric(0.9),
        "normalized": FLAG,
        "keypoint_remapping_method": _KEYPOINTS,
    },
    "HorizontalFlip": {},
    "HueSaturationValue": {
        "hue_shift_limit": symmetric(180),
        "sat_shift_limit": symmetric(255),
        "val_shift_limit": symmetric(255),
    },
    "ImageCompression": {"compression_type": one_of("jpeg", "webp"), "quality_range": whole_pair(1, 100)},
    "MotionBlur": {
        "blur_limit": _BLUR,
        "allow_shifted": FLAG,
        "angle_range": pair(0, 360),
        "direction_range": pair(-1, 1),
    },
    "OpticalDistortion": {
        **_EDGES,
        "distort_limit": symmetric(1),
        "mode": one_of("camera", "fisheye"),
        "keypoint_remapping_method": _KEYPOINTS,
    },
    "Perspective": {
        **_EDGES,
        "scale": drawn(0, 0.5),
        "keep_size": only(True, "images keep their size"),
        "fit_output": FLAG,
    },
    "RandomBrightnessContrast": {
        "brightness_limit": symmetric(10),
        "contrast_limit": symmetric(10),
        "brightness_by_max": FLAG,
        "ensure_safe_range": FLAG,
    },
    "RandomGamma": {"gamma_limit": drawn(1, 1000)},
    "RandomRotate90": {},
    "RandomShadow": {
        "shadow_roi": REGION,
        "num_shadows_limit": whole_pair(1, 100),
        "shadow_dimension": whole(3, 100),
        "shadow_intensity_range": pair(0, 1),
    },
    "RandomToneCurve": {"scale": number(0, 1), "per_channel": FLAG},
    "Rotate": {**_EDGES, "limit": symmetric(360), "rotate_method": _BOX, "crop_border": _SAME_SIZE},
    "Sharpen": {
        "alpha": pair(0, 1),
        "lightness": pair(0, 100),
        "method": one_of("kernel", "gaussian"),
        "kernel_size": whole(3, 255, odd=True),
        "sigma": number(0.01, 100),
    },
    "ShiftScaleRotate": {
        **_EDGES,
        "shift_limit": symmetric(1),
        "shift_limit_x": symmetric(1) | NULL,
        "shift_limit_y": symmetric(1) | NULL,
        "scale_limit": number(0, 0.99) | pair(-0.99, 10),
        "rotate_limit": symmetric(360),
        "rotate_method": _BOX,
    },
    "ToGray": {
        "num_output_channels": only(3, "images keep their three channels"),
        "method": one_of("weighted_average", "from_lab", "desaturation", "average", "max", "pca"),
    },
    "Transpose": {},
    "VerticalFlip": {},
}  # fmt: skip
"""By the class name of each transform."""
