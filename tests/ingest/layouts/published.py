"""Layouts in the manner of public sets: one mask for each image, paths as their authors made them."""

from dataclasses import dataclass

from tests.ingest.layouts.layout import Builder, Draw, Layout, MaskCode, draw_code
from tests.ingest.layouts.scenes import BINARY_CODES, OBJECT_CODES


@dataclass(frozen=True)
class Part:
    """Templates of the paths of some pairs; an empty `mask` means images without masks.

    `{n}` is a number, `{m}` the number of a group, `{h}` a hash, `{c}` a column and a row.
    """

    image: str
    mask: str = ""
    split: str | None = None


def _parts(image: str, mask: str, **splits: str) -> tuple[Part, ...]:
    """A part for each word that means a split, in the place of `{s}`."""
    return tuple(
        Part(image.replace("{s}", word), mask.replace("{s}", word), split) for word, split in splits.items()
    )


SETS: dict[str, tuple[Part, ...]] = {
    "isic": _parts(
        "ISIC2018_Task1-2_{s}_Input/ISIC_{n:07}.jpg",
        "ISIC2018_Task1_{s}_GroundTruth/ISIC_{n:07}_segmentation.png",
        Training="train",
        Validation="val",
    ),
    "isic part": (
        Part(
            "ISBI2016_ISIC_Part1_Training_Data/ISIC_{n:07}.jpg",
            "ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_{n:07}_Segmentation.png",
        ),
    ),
    "carvana": (Part("train/{h}_{m:02}.jpg", "train_masks/{h}_{m:02}_mask.gif"), Part("test/{h}_{m:02}.jpg")),
    "cvc": (Part("CVC-ClinicDB/Original/{n}.tif", "CVC-ClinicDB/Ground Truth/{n}.tif"),),
    "etis": (Part("ETIS-Larib/images/{n}.png", "ETIS-Larib/masks/p{n}.png"),),
    "polyps": (
        Part("TrainDataset/image/{n}.png", "TrainDataset/mask/{n}.png", "train"),
        Part("TestDataset/CVC-300/images/{n}.png", "TestDataset/CVC-300/masks/{n}.png", "test"),
        Part("TestDataset/Kvasir/images/{h}.png", "TestDataset/Kvasir/masks/{h}.png", "test"),
    ),
    "camvid": _parts(
        "SegNet/{s}/0001TP_{n:06}.png",
        "SegNet/{s}annot/0001TP_{n:06}.png",
        train="train",
        val="val",
        test="test",
    ),
    "lgg": (
        Part(
            "kaggle_3m/TCGA_CS_{m}_19960909/TCGA_CS_{m}_19960909_{n}.tif",
            "kaggle_3m/TCGA_CS_{m}_19960909/TCGA_CS_{m}_19960909_{n}_mask.tif",
        ),
    ),
    "deepglobe": (
        Part("train/{n}_sat.jpg", "train/{n}_mask.png", "train"),
        Part("valid/{n}_sat.jpg", split="val"),
    ),
    "massachusetts": _parts(
        "tiff/{s}/{n}_15.tiff", "tiff/{s}_labels/{n}_15.tif", train="train", val="val", test="test"
    ),
    "massachusetts png": _parts(
        "png/{s}/{n}_15.png", "png/{s}_labels/{n}_15.png", train="train", val="val", test="test"
    ),
    "deepcrack": _parts("DeepCrack/{s}_img/{n}.jpg", "DeepCrack/{s}_lab/{n}.png", train="train", test="test"),
    "crack500": _parts(
        "{s}crop/2016_{n:04}_{m}.jpg", "{s}crop/2016_{n:04}_{m}.png", train="train", val="val", test="test"
    ),
    "glas": (
        Part("Warwick QU Dataset/train_{n}.bmp", "Warwick QU Dataset/train_{n}_anno.bmp", "train"),
        Part("Warwick QU Dataset/testA_{n}.bmp", "Warwick QU Dataset/testA_{n}_anno.bmp", "test"),
    ),
    "loveda": _parts("{s}/Rural/images_png/{n}.png", "{s}/Rural/masks_png/{n}.png", Train="train", Val="val")
    + _parts("{s}/Urban/images_png/{n}.png", "{s}/Urban/masks_png/{n}.png", Train="train", Val="val"),
    "kits": (
        Part("kits_slices/case_{m:05}/imaging/{n:03}.png", "kits_slices/case_{m:05}/segmentation/{n:03}.png"),
    ),
    "kits mixed": (Part("slices/images/case_{m:05}_{n:03}.png", "slices/labels/case_{m:05}_{n:03}.png"),),
    "dagm": (
        Part("Class1/Train/{n:04}.PNG", "Class1/Train/Label/{n:04}_label.PNG", "train"),
        Part("Class1/Test/{n:04}.PNG", "Class1/Test/Label/{n:04}_label.PNG", "test"),
    ),
    "ksdd": (Part("kos{m:02}/Part{n}.jpg", "kos{m:02}/Part{n}_label.bmp"),),
    "penn fudan": (
        Part("PennFudanPed/PNGImages/FudanPed{n:05}.png", "PennFudanPed/PedMasks/FudanPed{n:05}_mask.png"),
    ),
    "cell tracking": (
        Part("Fluo-N2DH/01/t{n:03}.tif", "Fluo-N2DH/01_ST/SEG/man_seg{n:03}.tif"),
        Part("Fluo-N2DH/02/t{n:03}.tif", "Fluo-N2DH/02_ST/SEG/man_seg{n:03}.tif"),
    ),
    "cellpose": _parts("{s}/{n:03}_img.png", "{s}/{n:03}_masks.png", train="train", test="test"),
    "potsdam": (Part("2_Ortho_RGB/top_potsdam_{c}_RGB.tif", "5_Labels_all/top_potsdam_{c}_label.tif"),),
    "vaihingen": (
        Part(
            "ISPRS/top/top_mosaic_09cm_area{n}.tif", "ISPRS/gts_for_participants/top_mosaic_09cm_area{n}.tif"
        ),
    ),
    "inria": (
        Part("AerialImageDataset/train/images/austin{n}.tif", "AerialImageDataset/train/gt/austin{n}.tif"),
        Part("AerialImageDataset/test/images/bellingham{n}.tif"),
    ),
    "dubai": (
        Part(
            "Semantic segmentation dataset/Tile {m}/images/image_part_{n:03}.jpg",
            "Semantic segmentation dataset/Tile {m}/masks/image_part_{n:03}.png",
        ),
    ),
    "landcover": (Part("images/M-33-{m}-A-d-{c}.tif", "masks/M-33-{m}-A-d-{c}.tif"),),
    "tiles by zoom": (Part("tiles/18/{c}.png", "labels/18/{c}.png"),),
    "montgomery merged": (
        Part(
            "Lung Segmentation/CXR_png/CHNCXR_{n:04}_{m}.png",
            "Lung Segmentation/masks/CHNCXR_{n:04}_{m}_mask.png",
        ),
        Part("Lung Segmentation/CXR_png/MCUCXR_{n:04}_0.png", "Lung Segmentation/masks/MCUCXR_{n:04}_0.png"),
    ),
    "matting": (
        Part(
            "clip_img/1803{m}/clip_00000000/1803{m}-{n:08}.jpg",
            "matting/1803{m}/matting_00000000/1803{m}-{n:08}.png",
        ),
    ),
    "salt": (Part("train/images/{h}.png", "train/masks/{h}.png"), Part("test/images/{h}.png")),
    "oxford": (
        Part("images/Abyssinian_{n}.jpg", "annotations/trimaps/Abyssinian_{n}.png"),
        Part("images/beagle_{n}.jpg", "annotations/trimaps/beagle_{n}.png"),
    ),
    "kvasir instrument": (
        Part("kvasir-instrument/images/images/{h}.jpg", "kvasir-instrument/masks/masks/{h}.png"),
    ),
    "roboflow": _parts(
        "{s}/IMG_{n}_jpg.rf.{h}.jpg",
        "{s}/IMG_{n}_jpg.rf.{h}_mask.png",
        train="train",
        valid="val",
        test="test",
    ),
    "lab folder": (
        Part("Messung 2021/Probe {m}/Bilder/Bild{n}.bmp", "Messung 2021/Probe {m}/Masken/Bild{n}_Maske.png"),
    ),
    "by site": (Part("site{m}/T1_{n}_slice.png", "site{m}/T1_{n}_slice_seg.png"),),
    "by date": (Part("2021-06-{m:02}/rgb/{n:04}.png", "2021-06-{m:02}/gt/{n:04}.png"),),
    "cvat": (Part("JPEGImages/frame_{n:06}.jpg", "SegmentationClass/frame_{n:06}.png"),),
    "joined train test": _parts("{s}Image/{n}.png", "{s}Mask/{n}.png", Train="train", Test="test"),
    "tr te": _parts("img{s}/{n}.png", "mask{s}/{n}.png", TR="train", TE="test"),
    "plain numbers": (Part("x/{n}.png", "y/{n}.png"),),
    "video frames": (Part("frames/video{m}/{n:05}.jpg", "GT/video{m}/{n:05}.png"),),
    "davis": (Part("DAVIS/JPEGImages/480p/bear{m}/{n:05}.jpg", "DAVIS/Annotations/480p/bear{m}/{n:05}.png"),),
    "hyphens": (Part("2021-{m:02}-{n:02}-cam.jpg", "2021-{m:02}-{n:02}-cam-mask.png"),),
    "prefixes": (Part("data/image-{n}.png", "data/mask-{n}.png"),),
    "prefixes of letters": (Part("data/I{n:03}.png", "data/M{n:03}.png"),),
    "swapped words": (Part("Image/{n}_image.png", "Label/{n}_label.png"),),
    "own folder": (Part("samples/{h}/image.png", "samples/{h}/mask.png"),),
    "own folder of numbers": (Part("{n}/img.jpg", "{n}/label.png"),),
    "labelled folder of the split": _parts(
        "images/{s}/{n}.jpg", "annotations/{s}/{n}.png", training="train", validation="val"
    ),
}
"""Paths of sets by a name of their manner."""

OBJECT_SETS = {"penn fudan", "cell tracking", "cellpose"}
"""Sets whose masks have an id for each object."""


def published(draw: Draw) -> Layout:
    """A layout in the manner of one of the sets."""
    draw.traits["scheme"] = "published"
    name = draw.pick("set", tuple(SETS))
    parts = SETS[name]
    builder = Builder(draw, _code(draw, name, parts))
    builder.size = (72, 56) if builder.code.of_objects else (48, 40)
    starts_anew, start, seen = draw.chance(0.5), draw.one_of((0, 1, 5)), 0
    for part in parts:
        for i in range(draw.random.randint(max(2, 8 // len(parts)), max(3, 13 // len(parts)))):
            fields = _fields(draw, part, (i if starts_anew else seen), seen, start)
            image = part.image.format_map(fields)
            if part.mask:
                builder.pair(image, part.mask.format_map(fields), part.split)
            else:
                builder.alone(image, part.split)
            seen += 1
    return builder.layout()


def _fields(draw: Draw, part: Part, number: int, seen: int, start: int) -> dict[str, object]:
    """What the fields of a template stand for: with groups, numbers start anew in each."""
    hashed = f"{draw.random.getrandbits(64):016x}"
    column_row = f"{seen % 3}_{seen // 3}"
    if "{m" in part.image:
        return {"n": start + number // 3, "m": number % 3 + 1, "h": hashed, "c": column_row}
    return {"n": start + number, "m": 0, "h": hashed, "c": column_row}


def _code(draw: Draw, name: str, parts: tuple[Part, ...]) -> MaskCode:
    endings = {one.mask.rpartition(".")[2].lower() for one in parts if one.mask}
    if name in OBJECT_SETS:
        kind = draw.pick("values", tuple(OBJECT_CODES))
        return MaskCode(kind, OBJECT_CODES[kind], of_objects=True)
    if "gif" in endings:
        draw.traits["values"] = "0/255"
        return MaskCode("0/255", BINARY_CODES["0/255"])
    while True:
        code = draw_code(draw)
        if not code.of_objects and not (code.name == "palette" and endings & {"tif", "tiff"}):
            return code
