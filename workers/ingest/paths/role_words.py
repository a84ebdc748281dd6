"""Words by which people call images and masks, in folders and in file names, in several languages."""

from dataclasses import dataclass
from enum import StrEnum

from workers.ingest.paths.words import Words, is_number


class Role(StrEnum):
    IMAGE = "image"
    MASK = "mask"


IMAGE_WORDS = frozenset(
    (
        "image", "images", "img", "imgs", "im", "ims", "jpegimages", "photo", "photos", "picture", "pictures",
        "pic", "pics", "rgb", "input", "inputs", "raw", "original", "originals", "rgbleft", "rgbright",
        "bild", "bilder", "imagen", "imagenes", "imágenes", "imagem", "imagens", "immagine", "immagini",
        "изображение", "изображения", "снимки", "фото", "图像", "图片", "影像", "原图", "画像", "이미지",
    )
)  # fmt: skip
MASK_WORDS = frozenset(
    (
        "mask", "masks", "msk", "annotation", "annotations", "annot", "annots", "anno", "annos", "ann",
        "label", "labels", "lab", "lbl", "trimap", "trimaps", "seg", "segs", "segmentation", "segmentations",
        "segmentationclass", "segmap", "segmaps", "labelmap", "labelmaps", "groundtruth",
        "groundtruths", "gt", "gts",
        "target", "targets", "semseg", "semantic", "gtleft", "gtright",
        "maske", "masken", "masque", "masques", "mascara", "mascaras", "máscara", "máscaras", "maschera",
        "maschere", "etiqueta", "etiquetas", "étiquettes",
        "маска", "маски", "разметка", "метки", "标注", "标签", "掩码", "掩膜", "蒙版", "マスク", "ラベル",
        "마스크", "라벨",
    )
)  # fmt: skip
_MASK_PAIRS = frozenset(
    (
        ("ground", "truth"), ("ground", "truths"),
        ("segmentation", "map"), ("segmentation", "maps"), ("label", "map"),
        ("label", "maps"), ("seg", "map"), ("seg", "maps"), ("segmentation", "class"), ("semantic", "map"),
    )
)  # fmt: skip
"""What is a word of masks only where both parts are there."""

FORMAT_WORDS = frozenset(("png", "pngs", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "dir", "folder", "and"))
"""What stands beside such words and says nothing: `PNGImages`, `masks_png`."""

IMAGE_AFFIXES = frozenset(
    ("image", "images", "img", "imgs", "raw", "rgb", "sat", "original", "orig", "photo")
)
"""Words in front of or behind an image's own name."""


DERIVED_WORDS = frozenset(
    (
        "viz", "vis", "visualization", "visualizations", "visualisation", "overlay", "overlays", "preview",
        "previews", "thumb", "thumbs", "thumbnail", "thumbnails", "blend", "blended", "pred", "preds",
        "prediction", "predictions", "heatmap", "heatmaps", "montage",
    )
)  # fmt: skip
"""Words of pictures that were made of images and masks, and are neither."""


@dataclass(frozen=True)
class NameRole:
    """What a folder's name says: a role or none, and the words beside those that say it."""

    role: Role | None
    rest: Words

    @property
    def is_all(self) -> bool:
        """Whether the name says the role and nothing else."""
        return self.role is not None and not self.rest


def role_of(name: Words) -> NameRole:
    """The role that the words of a folder's name give: the last word of either kind counts, since
    `mask_images` are masks, and so are `image_masks`; `images_and_masks` are both, and `frames-with-masks`
    none of either."""
    mask, image, rest = _parted(name)
    if (mask and image and "and" in name) or "with" in name:
        return NameRole(None, name)
    if mask:
        return NameRole(Role.MASK, rest)
    return NameRole(Role.IMAGE, rest) if image else NameRole(None, name)


def without_affixes(name: Words, role: Role | None) -> Words:
    """The words of a file's name without those at its ends that say what it is."""
    known = MASK_WORDS if role is Role.MASK else IMAGE_AFFIXES
    first, last = 0, len(name)
    while first < last and name[first] in known:
        first += 1
    while last > first and name[last - 1] in known:
        last -= 1
    if role is Role.MASK:
        first, last = _without_pairs(name, first, last)
    return name[first:last] or name


def split_numbered(name: Words) -> tuple[Words, Words] | None:
    """A mask's name as that of its image, and what counts its masks: `benign 4 mask 1` is of
    `benign 4`, with `1`, and so is `mask 1 benign 4`. None where no word of masks with only numbers behind it
    is in the name, nor one in front."""
    if len(name) > 2 and name[0] in MASK_WORDS and is_number(name[1]) and not all(map(is_number, name[2:])):
        return name[2:], name[1:2]
    end = len(name)
    while end > 0 and is_number(name[end - 1]):
        end -= 1
    if end == len(name) or end < 2 or name[end - 1] not in MASK_WORDS:
        return None
    return without_affixes(name[:end], Role.MASK), name[end:]


def names_mask(name: Words) -> bool:
    """Whether a file's name says by a word at one of its ends that it is a mask; numbers may stand behind."""
    return mask_mark(name) is not None


def mask_mark(name: Words) -> Words | None:
    """The words at one end of a file's name by which it says that it is a mask, with a sign for the end."""
    end = len(name)
    while end > 0 and is_number(name[end - 1]):
        end -= 1
    core = name[:end]
    if len(name) < 2 or not core:
        return None
    if core[-2:] in _MASK_PAIRS:
        return core[-2:]
    if core[-1] in MASK_WORDS:
        return core[-1:]
    return (name[0], "-") if name[0] in MASK_WORDS else None


def _parted(name: Words) -> tuple[bool, bool, Words]:
    """Whether there are words of masks, and of images, and the other words."""
    mask = image = False
    rest: list[str] = []
    at = 0
    while at < len(name):
        word = name[at]
        if name[at : at + 2] in _MASK_PAIRS:
            mask, at = True, at + 1
        elif word in MASK_WORDS:
            mask = True
        elif word in IMAGE_WORDS:
            image = True
        elif word not in FORMAT_WORDS:
            rest.append(word)
        at += 1
    return mask, image, tuple(rest)


def _without_pairs(name: Words, first: int, last: int) -> tuple[int, int]:
    if name[last - 2 : last] in _MASK_PAIRS and last - first > 2:
        last -= 2
    if name[first : first + 2] in _MASK_PAIRS and last - first > 2:
        first += 2
    return first, last
