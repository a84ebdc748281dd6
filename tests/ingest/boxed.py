"""One small set of objects, as each format of annotations has it, with boxes or with outlines."""

import json
from collections.abc import Callable
from itertools import chain
from typing import Any

from tests.ingest.made import encoded, photo

SIZES = {"0": (80, 60), "1": (64, 48), "2": (50, 70), "3": (40, 40)}
"""Width and height of each image."""

CLASSES = ("person", "traffic light")
OBJECTS: dict[str, list[tuple[int, tuple[int, int, int, int]]]] = {
    "0": [(0, (10, 8, 30, 24)), (1, (40, 30, 72, 60)), (0, (0, 0, 16, 6))],
    "1": [(1, (4, 4, 60, 44))],
    "2": [],
    "3": [(0, (1, 2, 39, 38)), (1, (20, 20, 30, 24))],
}
"""The class and the sides of each object, left, top, right and bottom, by image; one has none."""

Files = dict[str, bytes]
Document = dict[str, Any]


def images(folder: str = "images", ending: str = "png") -> Files:
    prefix = f"{folder}/" if folder else ""
    kind = "JPEG" if ending.casefold() in ("jpg", "jpeg") else "PNG"
    return {
        f"{prefix}{name}.{ending}": encoded(photo(int(name), height, width), kind)
        for name, (width, height) in SIZES.items()
    }


def corners(box: tuple[int, ...]) -> list[list[int]]:
    """A diamond, which has the box."""
    left, top, right, bottom = box
    across, down = (left + right) // 2, (top + bottom) // 2
    return [[across, top], [right, down], [across, bottom], [left, down]]


def coco(outlined: bool) -> Files:
    annotations = []
    for name, objects in OBJECTS.items():
        for index, (left, top, right, bottom) in objects:
            drawn = [list(chain(*corners((left, top, right, bottom))))] if outlined else []
            annotations.append({
                "id": len(annotations) + 1, "image_id": int(name) + 10, "category_id": 7 * index + 3,
                "iscrowd": 0,
                "bbox": [left, top, right - left, bottom - top], "segmentation": drawn,
            })  # fmt: skip
    listed = [
        {"id": int(name) + 10, "file_name": f"{name}.png", "width": size[0], "height": size[1]}
        for name, size in SIZES.items()
    ]
    categories = [{"id": 7 * index + 3, "name": name} for index, name in enumerate(CLASSES)]
    document = {"images": listed, "annotations": annotations, "categories": categories}
    return images() | {"annotations/instances.json": json.dumps(document).encode()}


def yolo(outlined: bool) -> Files:
    files = images() | {"data.yaml": json.dumps({"names": list(CLASSES)}).encode()}
    for name, objects in OBJECTS.items():
        width, height = SIZES[name]
        lines = []
        for index, (left, top, right, bottom) in objects:
            numbers = [(left + right) / 2 / width, (top + bottom) / 2 / height]
            numbers += [(right - left) / width, (bottom - top) / height]
            if outlined:
                numbers = [n for x, y in corners((left, top, right, bottom)) for n in (x / width, y / height)]
            lines.append(" ".join([str(index), *(f"{number:.6f}" for number in numbers)]))
        files[f"labels/{name}.txt"] = "\n".join(lines).encode()
    return files


def voc(outlined: bool) -> Files:
    """As VOC counts pixels: from 1, both corners in the box."""
    assert not outlined
    files = images("JPEGImages")
    for name, objects in OBJECTS.items():
        width, height = SIZES[name]
        parts = [
            f"<object><name>{CLASSES[index]}</name><difficult>0</difficult><bndbox><xmin>{left + 1}</xmin>"
            f"<ymin>{top + 1}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
            for index, (left, top, right, bottom) in objects
        ]
        files[f"Annotations/{name}.xml"] = (
            f"<annotation><folder>set</folder><filename>{name}.png</filename><size><width>{width}</width>"
            f"<height>{height}</height><depth>3</depth></size>{''.join(parts)}</annotation>"
        ).encode()
    return files


def box_table(outlined: bool) -> Files:
    assert not outlined
    lines = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
    for name, objects in OBJECTS.items():
        width, height = SIZES[name]
        for index, (left, top, right, bottom) in objects:
            lines.append(f"{name}.png,{width},{height},{CLASSES[index]},{left},{top},{right},{bottom}")
        lines += [] if objects else [f"{name}.png,{width},{height},,,,,"]
    return images() | {"labels.csv": "\n".join(lines).encode()}


def createml(outlined: bool) -> Files:
    assert not outlined
    document = [
        {
            "image": f"{name}.png",
            "annotations": [
                {
                    "label": CLASSES[index],
                    "coordinates": {
                        "x": (left + right) / 2, "y": (top + bottom) / 2,
                        "width": right - left, "height": bottom - top,
                    },
                }
                for index, (left, top, right, bottom) in objects
            ],
        }
        for name, objects in OBJECTS.items()
    ]  # fmt: skip
    return images() | {"_annotations.createml.json": json.dumps(document).encode()}


def labelme(outlined: bool) -> Files:
    files = images("")
    for name, objects in OBJECTS.items():
        shapes = [
            {
                "label": CLASSES[index],
                "points": corners(box) if outlined else [[box[2], box[1]], [box[0], box[3]]],
                "shape_type": "polygon" if outlined else "rectangle",
            }
            for index, box in objects
        ]
        width, height = SIZES[name]
        document = {
            "version": "5.0.1", "flags": {}, "shapes": shapes, "imagePath": f"{name}.png", "imageData": None,
            "imageWidth": width, "imageHeight": height,
        }  # fmt: skip
        files[f"{name}.json"] = json.dumps(document).encode()
    return files


def cvat(outlined: bool) -> Files:
    parts = []
    for name, objects in OBJECTS.items():
        shapes = []
        for index, box in objects:
            if outlined:
                points = ";".join(f"{x},{y}" for x, y in corners(box))
                shapes.append(f'<polygon label="{CLASSES[index]}" points="{points}" z_order="0"/>')
            else:
                sides = " ".join(
                    f'{key}="{side}"' for key, side in zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True)
                )
                shapes.append(f'<box label="{CLASSES[index]}" {sides} z_order="0"/>')
        width, height = SIZES[name]
        head = f'<image id="{name}" name="{name}.png" width="{width}" height="{height}">'
        parts.append(f"{head}{''.join(shapes)}</image>")
    labels = "".join(f"<label><name>{name}</name></label>" for name in CLASSES)
    document = (
        f"<annotations><meta><task><labels>{labels}</labels></task></meta>{''.join(parts)}</annotations>"
    )
    return images() | {"annotations.xml": document.encode()}


def via(outlined: bool) -> Files:
    records = {}
    for name, objects in OBJECTS.items():
        regions = []
        for index, (left, top, right, bottom) in objects:
            shape: Document = {
                "name": "rect",
                "x": left,
                "y": top,
                "width": right - left,
                "height": bottom - top,
            }
            if outlined:
                xs, ys = zip(*corners((left, top, right, bottom)), strict=True)
                shape = {"name": "polygon", "all_points_x": xs, "all_points_y": ys}
            regions.append({"shape_attributes": shape, "region_attributes": {"label": CLASSES[index]}})
        records[f"{name}.png100"] = {"filename": f"{name}.png", "size": 100, "regions": regions}
    return images() | {"via.json": json.dumps(records).encode()}


def label_studio(outlined: bool) -> Files:
    tasks = []
    for name, objects in OBJECTS.items():
        width, height = SIZES[name]
        results = []
        for index, (left, top, right, bottom) in objects:
            value: Document = {
                "x": 100 * left / width, "y": 100 * top / height, "width": 100 * (right - left) / width,
                "height": 100 * (bottom - top) / height, "rotation": 0, "rectanglelabels": [CLASSES[index]],
            }  # fmt: skip
            kind = "rectanglelabels"
            if outlined:
                kind = "polygonlabels"
                points = [[100 * x / width, 100 * y / height] for x, y in corners((left, top, right, bottom))]
                value = {"points": points, kind: [CLASSES[index]]}
            results.append({"type": kind, "value": value, "original_width": width, "original_height": height})
        tasks.append({"data": {"image": f"/data/upload/1/{name}.png"}, "annotations": [{"result": results}]})
    return images() | {"project.json": json.dumps(tasks).encode()}


def supervisely(outlined: bool) -> Files:
    files = images("set/img")
    files["meta.json"] = json.dumps({"classes": [{"title": name} for name in CLASSES]}).encode()
    for name, objects in OBJECTS.items():
        entries = []
        for index, (left, top, right, bottom) in objects:
            exterior = [[left, top], [right - 1, bottom - 1]]
            kind = "rectangle"
            if outlined:  # whose points are centres of pixels
                kind, exterior = (
                    "polygon",
                    [[x - 0.5, y - 0.5] for x, y in corners((left, top, right, bottom))],
                )
            points = {"exterior": exterior, "interior": []}
            entries.append({"classTitle": CLASSES[index], "geometryType": kind, "points": points})
        width, height = SIZES[name]
        document = {"size": {"width": width, "height": height}, "objects": entries, "tags": []}
        files[f"set/ann/{name}.png.json"] = json.dumps(document).encode()
    return files


BOXES_ALONE = {"voc_boxes", "box_table", "createml"}
"""Formats that outline nothing."""

WRITERS: dict[str, Callable[[bool], Files]] = {
    "coco": coco, "yolo_seg": yolo, "voc_boxes": voc, "labelme": labelme, "cvat": cvat, "via": via,
    "label_studio": label_studio, "supervisely": supervisely, "box_table": box_table, "createml": createml,
}  # fmt: skip
