# ruff: noqa: E501 - a table of paths
"""Public sets as small made ones: their own folders and names of files, written down by hand.

Where a set has more than one picture for an image, each is told by a word for what it shows (`MORE`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.ingest.layouts.layout import Builder, Draw, Layout, MaskCode
from tests.ingest.layouts.scenes import (
    BINARY_CODES,
    CLASS_CODES,
    LEVEL_CODES,
    OBJECT_CODES,
    Array,
    Scene,
    overlay,
    picture,
    rendering,
    view_field,
)

CODES = {**BINARY_CODES, **LEVEL_CODES, **CLASS_CODES, **OBJECT_CODES}
_CLASSES = {**dict.fromkeys(LEVEL_CODES, 2), **dict.fromkeys(CLASS_CODES, 3)}

IDS = (("a", 1), ("b", 2), ("c", 3), ("d", 5), ("e", 8), ("f", 13), ("g", 21), ("h", 34))
"""What `{a}` and `{n}` stand for in the first, the second and further pairs of a part."""

MORE: dict[str, Callable[[Scene], Array]] = {
    "rendering": lambda seen: rendering(seen.labels),
    "overlay": lambda seen: overlay(seen.photo, seen.labels),
    "objects": lambda seen: seen.objects,
    "binary": lambda seen: BINARY_CODES["0/255"](seen.labels),
    "photo": lambda seen: 255 - seen.photo,
    "field": lambda seen: view_field((seen.labels.shape[1], seen.labels.shape[0])),
    "ids": lambda seen: seen.labels,
}
"""Pictures beside an image and its mask, by what they show."""


@dataclass(frozen=True)
class Part:
    """Templates of an image, of its mask (or none), and of further pictures by what they show.

    `{n}` is a number that grows from pair to pair, `{a}` a letter, `{h}` a hash.
    """

    image: str
    mask: str = ""
    split: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    """Masks of one object each, in place of `mask`: the first object, the second and so on."""
    class_each: bool = False
    """Whether the objects of `parts` are of a class each, as their names say."""


@dataclass(frozen=True)
class PublicSet:
    """The parts of a set, how its masks are written, and its other files."""

    parts: tuple[Part, ...]
    code: str = "0/255"
    texts: Mapping[str, str] = field(default_factory=dict)


def public_set(draw: Draw) -> Layout:
    """One of the sets, or of the spellings."""
    return made(draw, draw.pick("set", tuple(SETS)))


def made(draw: Draw, name: str) -> Layout:
    """The files of the set of that name, and its truth."""
    one = SETS[name]
    code = MaskCode(one.code, CODES[one.code], _CLASSES.get(one.code, 1), of_objects=one.code in OBJECT_CODES)
    builder = Builder(draw, code, size=(72, 56))
    for path, text in one.texts.items():
        builder.add(path, text.encode())
    for number, part in enumerate(one.parts):
        for letter, count in IDS[: max(3, 8 // len(one.parts))]:
            fields = {"n": count, "a": letter, "h": f"{draw.random.getrandbits(64):016x}", "p": number}
            _add(builder, part, fields)
    return builder.layout()


def _add(builder: Builder, part: Part, fields: Mapping[str, object]) -> None:
    image = part.image.format_map(fields)
    if part.parts:
        seen = builder.scene((1,) * len(part.parts))
        paths = {path.format_map(fields): (index,) for index, path in enumerate(part.parts, start=1)}
        labels = seen.objects if part.class_each else seen.objects > 0
        builder.pair_of_parts(image, paths, seen, labels.astype("uint8"), part.split)
    elif part.mask:
        seen = builder.pair(image, part.mask.format_map(fields), part.split)
    else:
        builder.alone(image, part.split)
        return
    for shown, path in part.more.items():
        builder.add(path.format_map(fields), _more(shown, seen, path))


def _more(shown: str, seen: Scene, path: str) -> bytes:
    return picture(MORE[shown](seen), path.rpartition(".")[2])


def _split(
    image: str,
    mask: str,
    more: Mapping[str, str] | None = None,
    splits: Mapping[str, str] | None = None,
    **words: str,
) -> tuple[Part, ...]:
    """A part for each word that means a split, in the place of `{s}`."""
    return tuple(
        Part(
            image.replace("{s}", word),
            mask.replace("{s}", word),
            split,
            {shown: path.replace("{s}", word) for shown, path in (more or {}).items()},
        )
        for word, split in {**(splits or {}), **words}.items()
    )


TRAIN_VAL = {"train": "train", "val": "val"}
TRAIN_TEST = {"train": "train", "test": "test"}

PUBLISHED: dict[str, PublicSet] = {
    # medicine
    "HAM10000": PublicSet((Part("HAM10000_images/ISIC_{n:07}.jpg", "HAM10000_segmentations/ISIC_{n:07}_segmentation.png"),)),
    "PH2": PublicSet((Part("PH2 Dataset images/IMD{n:03}/IMD{n:03}_Dermoscopic_Image/IMD{n:03}.bmp",
        "PH2 Dataset images/IMD{n:03}/IMD{n:03}_lesion/IMD{n:03}_lesion.bmp"),)),
    "Kvasir-SEG": PublicSet((Part("Kvasir-SEG/images/{h}.jpg", "Kvasir-SEG/masks/{h}.png"),)),
    "CVC-ClinicDB PNG": PublicSet((Part("PNG/Original/{n}.png", "PNG/Ground Truth/{n}.png"),)),
    "DRIVE": PublicSet(_split("DRIVE/{s}/images/{n:02}_{s}.tif", "DRIVE/{s}/1st_manual/{n:02}_manual1.gif",
        {"field": "DRIVE/{s}/mask/{n:02}_{s}_mask.gif"}, training="train", test="test")),
    "CHASE_DB1": PublicSet((Part("Image_{n:02}L.jpg", "Image_{n:02}L_1stHO.png", more={"binary": "Image_{n:02}L_2ndHO.png"}),)),
    "STARE": PublicSet((Part("stare-images/im{n:04}.png", "labels-ah/im{n:04}.ah.png"),)),
    "HRF": PublicSet((Part("images/{n:02}_h.jpg", "manual1/{n:02}_h.tif", more={"field": "mask/{n:02}_h_mask.tif"}),)),
    "REFUGE": PublicSet((
        Part("Training400/Glaucoma/g{n:04}.jpg", "Annotation-Training400/Disc_Cup_Masks/Glaucoma/g{n:04}.bmp"),
        Part("Training400/Non-Glaucoma/n{n:04}.jpg", "Annotation-Training400/Disc_Cup_Masks/Non-Glaucoma/n{n:04}.bmp")), "three greys"),
    "BraTS slices": PublicSet((Part("images/BraTS20_Training_{n:03}_flair_75.png", "masks/BraTS20_Training_{n:03}_seg_75.png"),), "ids"),
    "BraTS folders": PublicSet((Part("BraTS20_{n:03}/BraTS20_{n:03}_flair.png", "BraTS20_{n:03}/BraTS20_{n:03}_seg.png"),), "ids"),
    "LGG kaggle_3m": PublicSet((Part("kaggle_3m/TCGA_CS_{n:04}_19980704/TCGA_CS_{n:04}_19980704_1.tif", "kaggle_3m/TCGA_CS_{n:04}_19980704/TCGA_CS_{n:04}_19980704_1_mask.tif"),)),
    "COVID radiography": PublicSet((
        Part("COVID/images/COVID-{n}.png", "COVID/masks/COVID-{n}.png"),
        Part("Normal/images/Normal-{n}.png", "Normal/masks/Normal-{n}.png"))),
    "CholecSeg8k": PublicSet((Part("video01/video01_{n:05}/frame_{n}_endo.png", "video01/video01_{n:05}/frame_{n}_endo_mask.png",
        more={"rendering": "video01/video01_{n:05}/frame_{n}_endo_color_mask.png"}),), "ids"),
    "TNBC": PublicSet((Part("Slide_{n:02}/{n:02}_1.png", "GT_{n:02}/{n:02}_1.png"),)),
    "BBBC005": PublicSet((Part("BBBC005_v1_images/SIMCEPImages_A{n:02}_C1_F1_s01_w1.TIF", "BBBC005_v1_ground_truth/synthetic_2_ground_truth/SIMCEPImages_A{n:02}_C1_F1_s01_w1.TIF"),)),
    "BBBC039": PublicSet((Part("images/IXMtest_A{n:02}_s1_w1051DAA7C.tif", "masks/IXMtest_A{n:02}_s1_w1051DAA7C.png"),), "object ids"),
    "S-BSST265": PublicSet((Part("dataset/rawimages/Ganglioneuroblastoma_{n}.tif", "dataset/groundtruth/Ganglioneuroblastoma_{n}.tif"),), "object ids"),
    "MoNuSeg PNG": PublicSet((Part("Tissue Images/TCGA-18-{n:04}-01Z-00-DX1.tif", "Binary Masks/TCGA-18-{n:04}-01Z-00-DX1.png"),)),
    "DSB2018": PublicSet((Part("stage1_train/{h}/images/{h}.png", parts=("stage1_train/{h}/masks/{h}a1b2.png", "stage1_train/{h}/masks/{h}c3d4.png")),)),
    "ISBI EM": PublicSet((Part("data/membrane/train/image/{n}.png", "data/membrane/train/label/{n}.png", "train"), Part("data/membrane/test/{n}.png", split="test"))),
    "LUNA slices": PublicSet((Part("img/patient_{n:03}/slice_10.png", "lung_mask/patient_{n:03}/slice_10.png"),)),
    "segcanal": PublicSet((Part("data/man_imgcanal{n}.png", "data/man_segcanal{n}.png"),)),
    "segcanal without word": PublicSet((Part("data/man_canal{n}.png", "data/man_segcanal{n}.png"),)),
    # streets and rooms
    "ADE20K": PublicSet(_split("ADEChallengeData2016/images/{s}/ADE_{s}_{n:08}.jpg", "ADEChallengeData2016/annotations/{s}/ADE_{s}_{n:08}.png",
        training="train", validation="val"), "ids", {"ADEChallengeData2016/sceneCategories.txt": "ADE_train_00000001 airport_terminal\n"}),
    "BDD100K": PublicSet(_split("bdd100k/images/10k/{s}/{h}.jpg", "bdd100k/labels/sem_seg/masks/{s}/{h}.png",
        {"rendering": "bdd100k/labels/sem_seg/colormaps/{s}/{h}.png"}, splits=TRAIN_VAL), "ids"),
    "ACDC": PublicSet(_split("rgb_anon/fog/{s}/GOPR0475/GOPR0475_frame_{n:06}_rgb_anon.png", "gt/fog/{s}/GOPR0475/GOPR0475_frame_{n:06}_gt_labelTrainIds.png",
        {"rendering": "gt/fog/{s}/GOPR0475/GOPR0475_frame_{n:06}_gt_labelColor.png"}, splits=TRAIN_VAL), "ids"),
    "GTA5": PublicSet((Part("images/{n:05}.png", "labels/{n:05}.png"),), "palette"),
    "SYNTHIA": PublicSet((Part("RAND_CITYSCAPES/RGB/{n:07}.png", "RAND_CITYSCAPES/GT/LABELS/{n:07}.png", more={"rendering": "RAND_CITYSCAPES/GT/COLOR/{n:07}.png"}),), "ids"),
    "WoodScape": PublicSet((Part("rgb_images/{n:05}_FV.png", "semantic_annotations/gtLabels/{n:05}_FV.png", more={"rendering": "semantic_annotations/rgbLabels/{n:05}_FV.png"}),), "ids"),
    "RUGD": PublicSet((Part("RUGD_frames-with-annotations/creek/creek_{n:05}.png", "RUGD_annotations/creek/creek_{n:05}.png"),), "colors"),
    "RELLIS": PublicSet((Part("Rellis_3D/00000/pylon_camera_node/frame{n:06}-1581624652_750.jpg", "Rellis_3D/00000/pylon_camera_node_label_id/frame{n:06}-1581624652_750.png",
        more={"rendering": "Rellis_3D/00000/pylon_camera_node_label_color/frame{n:06}-1581624652_750.png"}),), "ids"),
    "Freiburg forest": PublicSet(_split("freiburg/{s}/rgb/b1-{n:05}_Clipped.jpg", "freiburg/{s}/GT_color/b1-{n:05}_mask.png", splits=TRAIN_TEST), "colors"),
    "CamVid kaggle": PublicSet(_split("CamVid/{s}/0001TP_{n:06}.png", "CamVid/{s}_labels/0001TP_{n:06}_L.png", train="train", val="val", test="test"), "colors"),
    "Lyft": PublicSet((Part("dataA/dataA/CameraRGB/02_00_{n:03}.png", "dataA/dataA/CameraSeg/02_00_{n:03}.png"),), "ids"),
    "comma10k": PublicSet((Part("imgs/{n:04}_{h}_2018-08-19--13-26-08_11_864.png", "masks/{n:04}_{h}_2018-08-19--13-26-08_11_864.png"),), "colors"),
    "KITTI road": PublicSet((Part("training/image_2/um_{n:06}.png", "training/gt_image_2/um_road_{n:06}.png"),)),
    "CULane": PublicSet((Part("driver_23_30frame/05151640_0419.MP4/{n:05}.jpg", "laneseg_label_w16/driver_23_30frame/05151640_0419.MP4/{n:05}.png"),), "ids"),
    # from above
    "LandCover DeepGlobe": PublicSet((Part("land-train/{n}_sat.jpg", "land-train/{n}_mask.png"),), "colors"),
    "iSAID": PublicSet((Part("iSAID/train/images/P{n:04}.png", "iSAID/train/Semantic_masks/images/P{n:04}_instance_color_RGB.png"),), "colors"),
    "FloodNet": PublicSet(_split("FloodNet/{s}/{s}-org-img/{n}.jpg", "FloodNet/{s}/{s}-label-img/{n}_lab.png", train="train", val="val", test="test"), "ids"),
    "UAVid": PublicSet((Part("uavid_train/seq1/Images/{n:06}.png", "uavid_train/seq1/Labels/{n:06}.png", "train"),
        Part("uavid_val/seq16/Images/{n:06}.png", "uavid_val/seq16/Labels/{n:06}.png", "val")), "colors"),
    "Semantic Drone": PublicSet((Part("dataset/semantic_drone_dataset/original_images/{n:03}.jpg", "dataset/semantic_drone_dataset/label_images_semantic/{n:03}.png",
        more={"rendering": "RGB_color_image_masks/RGB_color_image_masks/{n:03}.png"}),), "ids"),
    "AeroScapes": PublicSet((Part("aeroscapes/JPEGImages/{n:06}_001.jpg", "aeroscapes/SegmentationClass/{n:06}_001.png", more={"rendering": "aeroscapes/Visualizations/{n:06}_001.png"}),), "ids"),
    "PhenoBench": PublicSet(_split("PhenoBench/{s}/images/05-15_{n:05}_P0030852.png", "PhenoBench/{s}/semantics/05-15_{n:05}_P0030852.png", splits=TRAIN_VAL), "ids"),
    "CWFID": PublicSet((Part("images/{n:03}_image.png", "annotations/{n:03}_annotation.png"),), "colors"),
    "Massachusetts roads": PublicSet(_split("tiff/{s}/{n}_15.tiff", "tiff/{s}_labels/{n}_15.tif", train="train", val="val", test="test")),
    "Inria": PublicSet((Part("AerialImageDataset/train/images/austin{n}.tif", "AerialImageDataset/train/gt/austin{n}.tif"),)),
    "Potsdam": PublicSet((Part("2_Ortho_RGB/top_potsdam_2_{n}_RGB.tif", "5_Labels_all/top_potsdam_2_{n}_label.tif"),), "colors"),
    "Vaihingen": PublicSet((Part("top/top_mosaic_09cm_area{n}.tif", "gts_for_participants/top_mosaic_09cm_area{n}.tif"),), "colors"),
    "WHU building": PublicSet(_split("WHU/{s}/image/{n}.tif", "WHU/{s}/label/{n}.tif", train="train", val="val", test="test")),
    "LEVIR-CD": PublicSet(_split("{s}/A/{s}_{n}.png", "{s}/label/{s}_{n}.png", {"photo": "{s}/B/{s}_{n}.png"}, splits=TRAIN_TEST)),
    "OpenEarthMap": PublicSet((Part("OpenEarthMap/aachen/images/aachen_{n}.tif", "OpenEarthMap/aachen/labels/aachen_{n}.tif"),
        Part("OpenEarthMap/zurich/images/zurich_{n}.tif", "OpenEarthMap/zurich/labels/zurich_{n}.tif")), "ids"),
    "GID": PublicSet((Part("image_RGB/GF2_PMS1__L1A{n:010}-MSS1.tif", "label_15classes/GF2_PMS1__L1A{n:010}-MSS1_label.tif"),), "colors"),
    "HLS burn scars": PublicSet(_split("hls/{s}/subsetted_512x512_HLS.S30.T10SDH.{n:07}.v1.4_merged.tif", "hls/{s}/subsetted_512x512_HLS.S30.T10SDH.{n:07}.v1.4.mask.tif",
        training="train", validation="val"), "0/1"),
    "38-Cloud": PublicSet((Part("38-Cloud_training/train_rgb/rgb_patch_{n}_LC08.TIF", "38-Cloud_training/train_gt/gt_patch_{n}_LC08.TIF"),)),
    # surfaces
    "CrackForest": PublicSet((Part("CrackForest-dataset/image/{n:03}.jpg", "CrackForest-dataset/groundTruthPngImg/{n:03}.png"),)),
    "concrete cracks": PublicSet((Part("concreteCrackSegmentationDataset/rgb/{n:03}.jpg", "concreteCrackSegmentationDataset/BW/{n:03}.png"),)),
    "KolektorSDD2": PublicSet(_split("{s}/{n:05}.png", "{s}/{n:05}_GT.png", splits=TRAIN_TEST)),
    "KolektorSDD": PublicSet((Part("kos{n:02}/Part5.jpg", "kos{n:02}/Part5_label.bmp"),)),
    "DAGM": PublicSet(_split("Class1/{s}/{n:04}.PNG", "Class1/{s}/Label/{n:04}_label.PNG", Train="train", Test="test")),
    "MVTec": PublicSet((Part("bottle/train/good/{n:03}.png"), Part("bottle/test/broken/{n:03}.png", "bottle/ground_truth/broken/{n:03}_mask.png"))),
    "AITEX": PublicSet((Part("Defect_images/{n:04}_002_00.png", "Mask_images/{n:04}_002_00_mask.png"),)),
    "magnetic tiles": PublicSet((Part("MT_Blowhole/Imgs/exp1_num_{n}.jpg", "MT_Blowhole/Imgs/exp1_num_{n}.png"),
        Part("MT_Crack/Imgs/exp2_num_{n}.jpg", "MT_Crack/Imgs/exp2_num_{n}.png"))),
    "NEU-Seg": PublicSet(_split("images/{s}/{n:06}.jpg", "annotations/{s}/{n:06}.png", training="train", test="test"), "ids"),
    "RSDDs": PublicSet((Part("Type-I/Rail surface images/rail_{n}.png", "Type-I/GroundTruth/rail_{n}.png"),)),
    # people, animals, salience
    "CelebAMask-HQ": PublicSet((Part("CelebAMask-HQ/CelebA-HQ-img/{n}.jpg", parts=("CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/{n:05}_hair.png", "CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/{n:05}_skin.png"), class_each=True),)),
    "LFW parts": PublicSet((Part("lfw_funneled/Aaron_Eckhart_{a}/Aaron_Eckhart_{a}_{n:04}.jpg", "parts_lfw_funneled_gt_images/Aaron_Eckhart_{a}_{n:04}.png"),), "colors"),
    "LIP": PublicSet(_split("TrainVal_images/{s}_images/77_{n:06}.jpg", "TrainVal_parsing_annotations/{s}_segmentations/77_{n:06}.png", splits=TRAIN_VAL), "ids"),
    "ATR": PublicSet((Part("humanparsing/JPEGImages/{n}-1.jpg", "humanparsing/SegmentationClassAug/{n}-1.png"),), "ids"),
    "Pascal context": PublicSet((Part("VOC2010/JPEGImages/2008_{n:06}.jpg", "VOC2010/SegmentationClassContext/2008_{n:06}.png"),), "ids"),
    "Penn-Fudan": PublicSet((Part("PennFudanPed/PNGImages/FudanPed{n:05}.png", "PennFudanPed/PedMasks/FudanPed{n:05}_mask.png"),), "object ids"),
    "Clothing": PublicSet((Part("png_images/IMAGES/img_{n:04}.png", "png_masks/MASKS/seg_{n:04}.png"),), "ids"),
    "TikTok": PublicSet((Part("segmentation_full_body_tik_tok_2615_img/segmentation_full_body_tik_tok_2615_img/images/{n}.png", "segmentation_full_body_tik_tok_2615_img/segmentation_full_body_tik_tok_2615_img/masks/{n}.png"),)),
    "Oxford pets": PublicSet((Part("images/Abyssinian_{n}.jpg", "annotations/trimaps/Abyssinian_{n}.png"),), "ids", {"annotations/list.txt": "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\n"}),
    "SUIM": PublicSet((Part("SUIM/train_val/images/d_r_{n}_.jpg", "SUIM/train_val/masks/d_r_{n}_.bmp", "train"), Part("SUIM/TEST/images/d_r_{n}_.jpg", "SUIM/TEST/masks/d_r_{n}_.bmp", "test")), "colors"),
    "DeepFish": PublicSet((Part("Segmentation/images/valid/7117_Caranx_f{n:06}.jpg", "Segmentation/masks/valid/7117_Caranx_f{n:06}.png"),
        Part("Segmentation/images/empty/7117_no_fish_f{n:06}.jpg", "Segmentation/masks/empty/7117_no_fish_f{n:06}.png"))),
    "MinneApple": PublicSet((Part("detection/train/images/20150919_{n:06}_image.png", "detection/train/masks/20150919_{n:06}_image.png"),), "object ids"),
    "CVPPP leaves": PublicSet((Part("A1/plant{n:03}_rgb.png", "A1/plant{n:03}_label.png", more={"binary": "A1/plant{n:03}_fg.png"}),), "object ids"),
    "DUTS": PublicSet((Part("DUTS-TR/DUTS-TR-Image/ILSVRC2012_test_{n:08}.jpg", "DUTS-TR/DUTS-TR-Mask/ILSVRC2012_test_{n:08}.png", "train"),
        Part("DUTS-TE/DUTS-TE-Image/ILSVRC2012_test_{n:08}.jpg", "DUTS-TE/DUTS-TE-Mask/ILSVRC2012_test_{n:08}.png", "test"))),
    "ECSSD": PublicSet((Part("images/{n:04}.jpg", "ground_truth_mask/{n:04}.png"),)),
    "COD10K": PublicSet(_split("COD10K-v2/{s}/Image/COD10K-CAM-1-{n}.jpg", "COD10K-v2/{s}/GT_Object/COD10K-CAM-1-{n}.png", Train="train", Test="test")),
    "ISTD": PublicSet(_split("ISTD/{s}/{s}_A/{n}-1.png", "ISTD/{s}/{s}_B/{n}-1.png", {"photo": "ISTD/{s}/{s}_C/{n}-1.png"}, splits=TRAIN_TEST)),
    "SBU shadow": PublicSet((Part("SBUTrain/ShadowImages/lssd{n}.jpg", "SBUTrain/ShadowMasks/lssd{n}.png"),)),
    "Trans10K": PublicSet(_split("Trans10K/{s}/images/{n}.jpg", "Trans10K/{s}/masks/{n}_mask.png", train="train", validation="val"), "three greys"),
}  # fmt: skip

SPELLINGS: dict[str, PublicSet] = {
    # names of parts exchanged, joined, or cut off
    "sites joined into names": PublicSet((Part("images/site0/{n}.png", "masks/site0_{n}.png"), Part("images/site1/{n}.png", "masks/site1_{n}.png"))),
    "sites joined on the other side": PublicSet((Part("images/site0_{n}.png", "masks/site0/{n}.png"), Part("images/site1_{n}.png", "masks/site1/{n}.png"))),
    "joined by a hyphen": PublicSet((Part("imgs/Patient A/{n}.png", "labels/Patient A-{n}.png"), Part("imgs/Patient B/{n}.png", "labels/Patient B-{n}.png"))),
    "two folders joined": PublicSet((Part("data/images/s1/r2/{n}.png", "data/masks/s1_r2_{n}.png"), Part("data/images/s1/r3/{n}.png", "data/masks/s1_r3_{n}.png"))),
    "glued in front": PublicSet((Part("{a}man_{a}canal.png", "{a}man_seg{a}canal.png"),)),
    "glued in front of both": PublicSet((Part("{a}man_img{a}canal.png", "{a}man_seg{a}canal.png"),)),
    "glued behind": PublicSet((Part("images/{a}bridge.jpg", "masks/{a}bridgemask.png"),)),
    "glued in a folder": PublicSet((Part("x/{a}house/view.png", "x/{a}housegt/view.png"),)),
    "glued, upper case": PublicSet((Part("{a}BOAT.png", "{a}BOATMASK.png"),)),
    "letters in front": PublicSet((Part("img/{a}kiln.tif", "seg/man_seg{a}kiln.tif"),)),
    "letters behind": PublicSet((Part("img/{a}kiln.tif", "img/{a}kilnman_seg.tif"),)),
    "letters that tell nothing": PublicSet((Part("x/{a}kiln.png", "x/{a}kilnm.png"),)),
    "letters of which one is a name's": PublicSet((Part("x/scan{a}.png", "x/scan{a}refmask.png"),)),
    "letters and hashes": PublicSet((Part("x/{h}.tif", "x/{h}man_seg.tif"),)),
    "letters before hashes": PublicSet((Part("img/{h}.tif", "seg/man_seg{h}.tif"),)),
    "letters in VOC's folders": PublicSet((Part("JPEGImages/{h}.jpg", "SegmentationClass/man_seg{h}.png"),)),
    "parts exchanged": PublicSet((Part("images/{n}_p1.png", "masks/p1_{n}.png"), Part("images/{n}_p2.png", "masks/p2_{n}.png"))),
    "parts exchanged, three": PublicSet((Part("images/day{n}_camA_left.png", "masks/left_day{n}_camA.png"), Part("images/day{n}_camB_right.png", "masks/right_day{n}_camB.png"))),
    "one region each": PublicSet((Part("images/{a}.png", "masks/{a}.region1.png"),)),
    "regions": PublicSet((Part("images/{a}.png", parts=("masks/{a}.region1.png", "masks/{a}.region2.png")),)),
    "counted within": PublicSet((Part("images/p{n}_x.png", parts=("masks/p{n}_1_x.png", "masks/p{n}_2_x.png")),)),
    "counted within, words": PublicSet((Part("images/{a}_slide.png", parts=("masks/{a}_1_slide.png", "masks/{a}_2_slide.png")),)),
    "own folder of one mask": PublicSet((Part("images/im_{n:03}.png", "GT/im_{n:03}/im_{n:03}_cupseg.png"),)),
    "own folder of one mask, deep": PublicSet((Part("data/Images/{a}.png", "data/GT/{a}/soft/{a}_cup.png"),)),
    "own folder of one mask of other name": PublicSet((Part("images/im_{n:03}.png", "GT/im_{n:03}/cup.png"),)),
    "shifted by 100": PublicSet((Part("images/{n}.png", "masks/10{n:02}.png"),)),
}  # fmt: skip
"""Sets of which images and masks say the same in another spelling."""

SETS = PUBLISHED | SPELLINGS
