"""How people call folders and files of images, of masks and of splits."""

CLEAR_FOLDERS = (
    ("images", "masks"), ("images", "labels"), ("images", "annotations"), ("Images", "Masks"),
    ("img", "mask"),
    ("image", "label"), ("images", "GT"), ("images", "gt"), ("imgs", "masks"),
    ("JPEGImages", "SegmentationClass"),
    ("Images", "Annotations"), ("images", "ground_truth"), ("images", "groundtruth"), ("image", "gt"),
    ("Original", "Ground Truth"), ("images", "segmentations"), ("rgb", "labels"), ("IMAGES", "MASKS"),
)  # fmt: skip
"""Pairs of folders of which each is called what it is."""

OTHER_FOLDERS = (
    ("img", "seg"), ("frames", "GT"), ("input", "target"), ("x", "y"), ("scans", "annotations"),
    ("Bilder", "Masken"),
    ("CXR_png", "masks"), ("图像", "标注"), ("изображения", "маски"), ("imagenes", "mascaras"),
    ("photos", "anno"),
    ("photo", "map"), ("imgs", "msks"), ("originals", "manual"), ("raw", "segmented"), ("tiles", "tiles_gt"),
    ("data", "label"), ("src", "lbl"), ("RGB", "semantic"), ("patches", "patch_labels"), ("Image", "SegMask"),
    ("imagery", "reference"), ("png", "seg_png"), ("color", "indexLabel"), ("sat", "map"),
    ("images_png", "masks_png"), ("Original Images", "Segmented Images"), ("frames", "annotation_maps"),
    ("orig", "bin"), ("film", "roto"), ("画像", "マスク"), ("slices", "contours_filled"),
    ("PNGImages", "PedMasks"), ("2_Ortho_RGB", "5_Labels_all"),
)  # fmt: skip
"""Pairs of folders that take a reader's thought."""

MADE_UP_FOLDERS = (
    ("kirin", "dalmo"),
    ("foo", "bar"),
    ("A", "B"),
    ("data1", "data2"),
    ("ver_a", "ver_b"),
    ("left", "right"),
)
"""Pairs of folders that say nothing: the pictures tell."""

MASK_SUFFIXES = (
    "_mask", "_mask", "_mask", "-mask", "_seg", "_seg", "_segmentation", "_GT", "_gt", "_label", "_labels",
    "_anno",
    "_annotation", ".mask", "_mask_1", "_Mask", "_msk", "_lbl", "_groundtruth", "_manual1", "_L", "-seg",
    " mask",
    "_map", "_labelIds", "_mask0", "_ground_truth", "_Segmentation", "_binary", "-gt", "_MASK", "(mask)",
)  # fmt: skip
MASK_PREFIXES = ("mask_", "label_", "seg_", "gt_", "mask-", "Mask_", "msk_", "annotation_", "man_seg")
IMAGE_SUFFIXES = (
    "_image",
    "_img",
    "_raw",
    "_rgb",
    "_RGB",
    "_0000",
    "_orig",
    "_sat",
    "-image",
    "_leftImg8bit",
)
IMAGE_PREFIXES = ("img_", "image_", "im_", "IMG-", "raw_", "Image_")

SPLIT_FOLDERS = (
    {"train": "train", "val": "val", "test": "test"}, {"train": "train", "val": "val"},
    {"train": "train", "test": "test"}, {"Train": "train", "Test": "test"},
    {"training": "train", "validation": "val"},
    {"Training": "train", "Testing": "test"}, {"train": "train", "valid": "val", "test": "test"},
    {"TRAIN": "train", "VAL": "val"}, {"TrainDataset": "train", "TestDataset": "test"},
    {"train_set": "train", "test_set": "test"}, {"TrainSet": "train", "ValSet": "val", "TestSet": "test"},
    {"Training_Set": "train", "Validation_Set": "val"}, {"training data": "train", "test data": "test"},
    {"train2018": "train", "val2018": "val"}, {"TrainFolder": "train", "ValFolder": "val"},
    {"01_train": "train", "02_test": "test"}, {"traindata": "train", "valdata": "val", "testdata": "test"},
)  # fmt: skip
JOINED = ("{split}_{role}", "{role}_{split}", "{split}{role}", "{split}-{role}", "{split} {role}")

TOPS = (
    "", "", "", "dataset/", "data/", "Kvasir-SEG/", "my_val/", "road-test/", "train/", "final project (1)/",
    "archive/v2/", "CrackSeg9k_training/", "датасет/",
)  # fmt: skip
"""Folders that all files lie in; they say nothing of any file."""

GROUPS = (
    "patient{i}", "patient_{i:03}", "P{i}", "site {L}", "site_{L}", "2021-03-{i:02}", "video_{i}",
    "seq{i:02}", "Case {i}",
    "{i:02}", "{i}", "field{L}/plot_{i}", "slide_{i}_{i}", "DUS{i}-{j}", "{j}", "CVC-{j}", "subject.{i}",
)  # fmt: skip

CLASS_FOLDERS = (
    ("benign", "malignant"),
    ("cat", "dog"),
    ("broken", "scratch", "hole"),
    ("healthy", "rust"),
    ("Oak", "Pine"),
)
CLASS_NAMES = (
    ("liver", "spleen"), ("road", "building", "water"), ("vessel", "disc", "cup"), ("crop", "weed"),
    ("MA", "HE", "EX"),
    ("left lung", "right lung"), ("leaf", "fruit", "stem"), ("nuclei", "stroma"), ("scratch", "dent"),
    ("iris", "pupil"),
)  # fmt: skip
