"""What becomes of the sets of a few pixels with which another framework tests its formats.

Most have one picture several times, so that no split is left of them: here they are read and rasterized.
"""

from pathlib import Path

import pytest

from tests.ingest.formats.family import folder_files, opened, shares
from tests.ingest.made import Bench, codes
from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.choice import read_set
from workers.ingest.problems import ProblemLog

SETS = "formats/datumaro_tiny"

READ = {
    "camvid_dataset": ("pictures", 4, {"color_0080c0": 20.0}),
    "cityscapes_dataset/dataset": ("cityscapes", 4, {"truck": 15.0}),
    "coco_dataset/coco": ("coco", 2, {"a": 2.0}),
    "coco_dataset/coco_instances": ("coco", 2, {"a": 2.0}),
    "coco_dataset/coco_person_keypoints": ("coco", 2, {"a": 2.0}),
    "coco_dataset/coco_roboflow": ("coco", 2, {"a": 2.0}),
    "coco_dataset/coco_stuff": ("coco", 2, {"ignored": 40.0}),
    "coco_dataset/mmdet_coco": ("coco", 2, {"a": 2.0}),
    "common_semantic_segmentation_dataset/dataset": ("pictures", 2, {"Bicyclist": 40.0, "Animal": 30.0}),
    "common_semantic_segmentation_dataset/non_standard_dataset": ("pictures", 2, {"Bicyclist": 40.0}),
    "cvat_dataset/for_images/export_project": ("cvat", 6, {"label1": 6.7}),
    "cvat_dataset/for_images/export_task": ("cvat", 2, {"label2": 53.7}),
    "kitti_dataset/kitti_segmentation": ("kitti", 2, {"truck": 30.0}),
    "labelme_dataset": ("labelme3", 1, {"o1": 2.5}),
    "mapillary_vistas_dataset": ("mapillary", 3, {"animal--bird": 40.0}),
    "synthia_dataset/al": ("pictures", 2, {"color_404000": 30.0}),
    "synthia_dataset/rand_custom_labelmap": ("pictures", 2, {"sky": 30.0, "road": 30.0}),
    "synthia_dataset/rand_meta_file": ("pictures", 2, {"sky": 30.0, "road": 30.0}),
    "synthia_dataset/sf": ("pictures", 2, {"color_98fb98": 30.0}),
    "voc_dataset/voc_dataset1": ("voc", 1, {"bicycle": 100.0}),
    "yolov8_segmentation": ("yolo_seg", 1, {"label_2": 6.7, "label_4": 3.3}),
}
"""Format, items, and percent of all pixels of some classes."""

UNREAD = {
    "ade20k2017_dataset/dataset": "near_colors",
    "ade20k2020_dataset/dataset": "unmasked",
    "cityscapes_dataset/train_dataset": "unknown_value",
    "coco_dataset/coco_captions": "annotations_unread",
    "coco_dataset/coco_image_info": "annotations_unread",
    "coco_dataset/coco_panoptic": "mask_size",
    "cvat_dataset/for_video": "cvat_video",
    "datumaro_dataset/legacy": "annotations_unread",
    "kitti_dataset/kitti_3d": "annotations_unread",
    "kitti_dataset/kitti_detection": "annotations_unread",
    "open_images_dataset/v5": "annotations_unread",
    "roboflow_dataset/coco": "split_without_train",
    "roboflow_dataset/createml": "box_form",
    "roboflow_dataset/multiclass": "split_without_train",
    "roboflow_dataset/tfrecord": "annotations_unread",
    "roboflow_dataset/voc": "split_without_train",
    "roboflow_dataset/yolo": "split_without_train",
    "roboflow_dataset/yolo_obb": "annotations_unread",
    "segment_anything_dataset": "annotations_unread",
    "synthia_dataset/rand": "objects",
    "voc_dataset/voc_dataset2": "image_missing",
    "yolo_dataset/annotations": "annotations_unread",
    "yolo_dataset/labels": "split_without_train",
}
"""Sets without outlines or masks, that contradict themselves or may be read in two ways; and what says so, an
error or a question."""


@pytest.mark.parametrize("name", READ)
def test_a_set_that_is_read(shared_data: Path, tmp_path: Path, name: str) -> None:
    kind, items, expected = READ[name]
    log = ProblemLog()
    with opened(tmp_path, folder_files(shared_data / SETS / name)) as source:
        reader, found = read_set(source, IngestOptions(), log)
        assert found is not None, log.problems()
        measured = shares(found, source)
    assert (reader.name, len(found.items)) == (kind, items)
    assert {one: measured.get(one, 0.0) for one in expected} == pytest.approx(expected, abs=0.2)


BOXES = {
    "open_images_dataset/v6": ("box_table", 1),
    "voc_dataset/voc_dataset3": ("voc_boxes", 1),
    "yolo_dataset/strict": ("yolo_seg", 2),
}
"""Format and objects. The others of boxes have one black picture in all their splits."""


ASKED = {"open_images_dataset/v6": "format"}
"""Labels of whole images lie beside its boxes, of which no image has more than one."""


@pytest.mark.parametrize("name", BOXES)
def test_a_set_of_boxes_is_read(bench: Bench, shared_data: Path, name: str) -> None:
    upload = bench.zip(folder_files(shared_data / SETS / name))
    if name in ASKED:
        assert ASKED[name] in [question.code for question in bench.run(upload).questions]
        summary = bench.run(upload, format=BOXES[name][0]).summary
    else:
        summary = bench.run(upload).summary
    assert summary is not None
    assert summary.objects is not None
    assert summary.reading is not None
    assert (summary.reading.format, summary.objects.count) == BOXES[name]
    assert summary.kinds == ("boxes",)


@pytest.mark.parametrize("name", UNREAD)
def test_a_set_that_is_not_read_says_why(bench: Bench, shared_data: Path, name: str) -> None:
    result = bench.run(bench.zip(folder_files(shared_data / SETS / name)))
    assert UNREAD[name] in [*codes(result), *(one.code for one in result.questions)]


def test_categories_of_whole_images_are_labels(bench: Bench, shared_data: Path) -> None:
    result = bench.run(bench.zip(folder_files(shared_data / SETS / "coco_dataset/coco_labels")))
    assert result.summary is not None
    assert (result.summary.kinds, result.summary.task) == (("labels",), "multilabel")
    assert [(one.name, one.images) for one in result.summary.classes] == [("a", 1), ("b", 2)]
