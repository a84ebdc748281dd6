"""Annotations of one small set in the forms of several tools: an object that is a polygon, or its box."""

import json
from collections.abc import Sequence

from tests.ingest.made import encoded, mask, photo

WIDTH, HEIGHT = 8, 6
LEFT, RIGHT, TOP, BOTTOM = 1, 5, 1, 4
CORNERS = [[LEFT, TOP], [RIGHT, TOP], [RIGHT, BOTTOM], [LEFT, BOTTOM], [LEFT, TOP + 1]]
BOX = {"xmin": LEFT, "ymin": TOP, "xmax": RIGHT, "ymax": BOTTOM}
COUNT = 4

Files = dict[str, bytes]


def pictures(folder: str, count: int = COUNT, kind: str = "png", seed: int = 0) -> Files:
    """Noise of that many images."""
    encoding = {"png": "PNG", "jpg": "JPEG"}[kind]
    return {f"{folder}/{i}.{kind}": encoded(photo(seed + i, HEIGHT, WIDTH), encoding) for i in range(count)}


def masks(folder: str, count: int = COUNT, suffix: str = "") -> Files:
    """Masks of 0 and 255."""
    return {f"{folder}/{i}{suffix}.png": encoded(mask(0, 255)) for i in range(count)}


def coco(boxed: Sequence[bool] = (False,) * COUNT, kind: str = "png") -> bytes:
    """A COCO file of an image with one object for each, which is a box alone where that is said."""
    size = {"width": WIDTH, "height": HEIGHT}
    images = [{"id": i, "file_name": f"{i}.{kind}", **size} for i in range(len(boxed))]
    annotations = [
        {
            "id": i,
            "image_id": i,
            "category_id": 1,
            "bbox": [LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP],
            "iscrowd": 0,
            "segmentation": [] if is_box else [[side for corner in CORNERS for side in corner]],
        }
        for i, is_box in enumerate(boxed)
    ]
    categories = [{"id": 1, "name": "thing"}]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories}).encode()


def labelme(folder: str, boxed: Sequence[bool] = (False,) * COUNT, label: str = "thing") -> Files:
    """LabelMe's JSON for each image."""
    return {
        f"{folder}/{i}.json": json.dumps(
            {
                "version": "5.0.1",
                "shapes": [
                    {
                        "label": label,
                        "shape_type": "rectangle" if is_box else "polygon",
                        "points": [[LEFT, TOP], [RIGHT, BOTTOM]] if is_box else CORNERS,
                    }
                ],
                "imagePath": f"{i}.png",
                "imageData": None,
                "imageWidth": WIDTH,
                "imageHeight": HEIGHT,
            }
        ).encode()
        for i, is_box in enumerate(boxed)
    }


def yolo(folder: str, boxed: Sequence[bool] = (False,) * COUNT) -> Files:
    """YOLO's text for each image."""
    box = f"0 {3 / WIDTH} {2.5 / HEIGHT} {4 / WIDTH} {3 / HEIGHT}\n"
    polygon = " ".join(["0", *(str(side) for x, y in CORNERS for side in (x / WIDTH, y / HEIGHT))]) + "\n"
    return {f"{folder}/{i}.txt": (box if is_box else polygon).encode() for i, is_box in enumerate(boxed)}


def via(boxed: bool, count: int = COUNT) -> bytes:
    """A project of VIA 2."""
    box = {"name": "rect", "x": LEFT, "y": TOP, "width": RIGHT - LEFT, "height": BOTTOM - TOP}
    along_x, along_y = zip(*CORNERS, strict=True)
    polygon = {"name": "polygon", "all_points_x": along_x, "all_points_y": along_y}
    region = {"shape_attributes": box if boxed else polygon, "region_attributes": {"label": "thing"}}
    images = {f"{i}.png9": {"filename": f"{i}.png", "size": 9, "regions": [region]} for i in range(count)}
    return json.dumps({"_via_img_metadata": images}).encode()


def cvat(boxed: bool, count: int = COUNT) -> bytes:
    """CVAT for images."""
    corners = ";".join(f"{x},{y}" for x, y in CORNERS)
    box = f'<box label="thing" xtl="{LEFT}" ytl="{TOP}" xbr="{RIGHT}" ybr="{BOTTOM}"/>'
    shape = box if boxed else f'<polygon label="thing" points="{corners}"/>'
    images = "".join(
        f'<image id="{i}" name="{i}.png" width="{WIDTH}" height="{HEIGHT}">{shape}</image>'
        for i in range(count)
    )
    return f"<annotations><version>1.1</version>{images}</annotations>".encode()


def supervisely(boxed: bool, count: int = COUNT) -> Files:
    """meta.json, and ann/ for img/."""
    corners = [[LEFT, TOP], [RIGHT, BOTTOM]] if boxed else CORNERS
    thing = {
        "classTitle": "thing",
        "geometryType": "rectangle" if boxed else "polygon",
        "points": {"exterior": corners, "interior": []},
    }
    sheet = {"size": {"width": WIDTH, "height": HEIGHT}, "tags": [], "objects": [thing]}
    sheets = {f"ds/ann/{i}.png.json": json.dumps(sheet).encode() for i in range(count)}
    return sheets | {"meta.json": json.dumps({"classes": [{"title": "thing"}], "tags": []}).encode()}


def label_studio(boxed: bool, count: int = COUNT) -> bytes:
    """Label Studio's export."""
    key = "rectanglelabels" if boxed else "polygonlabels"
    value = {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0} if boxed else {}
    drawn = value or {"points": [[10, 10], [60, 10], [60, 60]]}
    result = {"original_width": WIDTH, "original_height": HEIGHT, "value": {**drawn, key: ["thing"]}}
    tasks = [
        {"id": i, "data": {"image": f"/data/upload/{i}.png"}, "annotations": [{"id": i, "result": [result]}]}
        for i in range(count)
    ]
    return json.dumps(tasks).encode()


def voc(folder: str, count: int = COUNT) -> Files:
    """VOC's XML of boxes."""
    sides = "".join(f"<{name}>{value}</{name}>" for name, value in BOX.items())
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    return {
        f"{folder}/{i}.xml": f"<annotation><filename>{i}.png</filename>{size}<object><name>thing</name>"
        f"<bndbox>{sides}</bndbox></object></annotation>".encode()
        for i in range(count)
    }
