"""Names that a training spec may use, as plain strings: a spec never names code.

The encoder names are those of segmentation_models_pytorch and timm, kept in `encoders.json` (`make
catalog` writes it) so that the API can check a name without importing torch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from trainyard.catalog.transforms import PARAMETERS

CPU = "cpu"
GPU_CLASSES = ("gpu", "gpu-large")
DEVICE_CLASSES = (CPU, *GPU_CLASSES)
"""What a run may ask to be trained on; each is a queue. What counts as large is the operator's choice."""
CLASS_WEIGHTINGS = ("none", "auto", "given")
OPTIMIZERS = (
    "adamw", "adam", "sgd", "adabelief", "adadelta", "adafactor", "adafactorbv", "adafactorbvc", "adagrad",
    "adamax", "adamc", "adamp", "adamuon", "adamwlegacy", "adan", "adanw", "adopt", "adoptc", "adoptw",
    "cadafactor", "cadafactorbv", "cadafactorbvc", "cadamc", "cadamp", "cadamw", "cadan", "cadanw", "cadopt",
    "cadoptc", "cadoptw", "clamb", "clambw", "claprop", "clion", "clionc", "cmars", "cnadamc", "cnadamw",
    "crmsproptf", "csgdc", "csgdp", "csgdw", "kron", "kronc", "kronw", "lamb", "lambc", "lambcd", "lambcw",
    "lambw", "laprop", "lapropc", "larc", "lars", "lion", "lionc", "madgrad", "madgradw", "mars", "momentum",
    "muon", "nadam", "nadamc", "nadamlegacy", "nadamuon", "nadamw", "nesterov", "nesterovw", "nlarc", "nlars",
    "nmuon", "novograd", "novogradc", "novogradw", "radabelief", "radam", "radamlegacy", "radamw", "rmsprop",
    "rmsproptf", "rmsproptfc", "rmsproptfw", "sgdc", "sgdp", "sgdw",
)  # fmt: skip
"""timm's optimizers, but those that need a CUDA library of their own or second derivatives."""
SCHEDULES = ("cosine", "poly", "one_cycle", "plateau", "step", "constant")
STRATEGIES = ("auto", "ddp", "ddp_find_unused_parameters_true")
PRECISIONS = ("auto", "32", "bf16-mixed", "16-mixed")
CLASS_SAMPLINGS = ("natural", "balanced")
ON_CPU, WHERE_IT_TRAINS = "cpu", "training"
AUGMENTATION_DEVICES = (ON_CPU, WHERE_IT_TRAINS)
"""Where training images are varied."""
FITS = ("stretch", "letterbox", "crop")
HUB_WEIGHTS = "imagenet"
"""What asks for the published weights of an encoder, or for those that lie where it does."""
WEIGHTS = ("none", HUB_WEIGHTS, "packaged")
DATASET_FORMATS = (
    "box_table", "camvid", "cityscapes", "coco", "coco_panoptic", "createml", "cvat", "folder_per_class",
    "kitti", "label_studio", "label_table", "labelme", "labelme3", "mapillary", "pictures", "supervisely",
    "via", "voc", "voc_boxes", "yolo_seg",
)  # fmt: skip
"""Formats of annotations that ingest reads, as an upload may name them."""
NAME_ENCODINGS = (
    "utf_8", "gbk", "gb18030", "big5", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "cp1251", "cp866",
    "koi8_r", "cp437", "cp850", "cp852", "cp1250", "cp1252", "latin_1", "cp1253", "cp737", "cp1254", "cp857",
    "cp1255", "cp862", "cp1256", "cp720", "cp874", "cp1258", "mac_roman", "mac_cyrillic",
)  # fmt: skip
"""Encodings of file names that an upload may name, each by its codec's name in Python."""
WEIGHTS_FILE_PREFIX = "file:"
PACKAGED_ENCODER = "timm-tf_efficientnet_lite0"
TIMM_PREFIX = "tu-"
TRANSFORMS = tuple(PARAMETERS)
"""Transforms of albumentations that keep an image and its mask aligned."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What one loss takes: the forms of its task that it is defined for, whether class weights, and its
    parameters with their ranges."""

    tasks: tuple[str, ...]
    takes_class_weights: bool = False
    params: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What one architecture asks of its input.

    `size_multiple`: height and width, in pixels, must be a multiple of this. `min_size`: the least height
    and width its pooling pyramid accepts. `min_batch`: the smallest training batch its batch norms accept
    (pooled 1x1 features need two images). `dynamic_size`: whether its ONNX graph is right at sizes other
    than the traced one. `encoder_prefix`: the only encoders it takes.
    """

    name: str
    size_multiple: int
    min_size: int = 32
    min_batch: int = 1
    dynamic_size: bool = True
    encoder_prefix: str = ""

    def rounded(self, size: int) -> int:
        """The least legal image size, in pixels, that is not below `size`."""
        return max(-(-size // self.size_multiple) * self.size_multiple, self.min_size)


@cache
def _encoders() -> Mapping[str, list[str]]:
    content: Mapping[str, list[str]] = json.loads(Path(__file__).with_name("encoders.json").read_text())
    return content


@cache
def encoder_names() -> frozenset[str]:
    """Every accepted encoder: smp's own names, and timm's models with the prefix `tu-`."""
    return frozenset(_encoders()["smp"]) | {TIMM_PREFIX + name for name in _encoders()["timm"]}


def has_imagenet_weights(encoder: str) -> bool:
    """Whether somebody has published weights of the encoder for `encoder_weights: imagenet`."""
    return encoder not in _encoders()["without_imagenet"]


def smp_encoder_names() -> list[str]:
    """The encoders that segmentation_models_pytorch itself lists, sorted."""
    return sorted(name for name in encoder_names() if not name.startswith(TIMM_PREFIX))


def check_encoder(name: str) -> str | None:
    """None when the encoder exists, else a sentence that names near ones."""
    if name in encoder_names():
        return None
    near = get_close_matches(name, sorted(encoder_names()), n=5, cutoff=0.5)
    hint = f" Did you mean: {', '.join(near)}?" if near else ""
    return f"No encoder is called {name!r}; GET /api/v1/encoders lists them.{hint}"
