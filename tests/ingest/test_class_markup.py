# ruff: noqa: E501 - files as they lie in sets
"""Names of classes in INI, TOML and XML files, in tables with colours, and with other signs between."""

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import classes, names_of, upload_of

NAMES = {0: "background", 1: "cat", 2: "dog"}
COLORS = np.array([(0, 0, 0), (200, 30, 30), (30, 200, 30)], np.uint8)

BY_ID = {
    "classes.ini": "[classes]\n0 = background\n1 = cat\n2 = dog\n",
    "labels.ini": "; made by hand\n0 = background\n1 = cat\n2 = dog\n",
    "label map.ini": "[label map]\nbackground: 0\ncat: 1\ndog: 2\n",
    "class_names.cfg": "[dataset]\nversion = 2\n[names]\n0=background\n1=cat\n2=dog\n",
    "categories.ini": "[background]\nid = 0\n[cat]\nid = 1\n[dog]\nid = 2\n",
    "classes list.ini": "[data]\nclasses = background, cat, dog\n",
    "class list.ini": "[data]\nclasses =\n  background\n  cat\n  dog\n[other]\nx = 1\n",
    "classes.toml": 'names = ["background", "cat", "dog"]\n',
    "labels.toml": '[labels]\n0 = "background"\n1 = "cat"\n2 = "dog"\n',
    "dataset.toml": 'title = "x"\n[classes]\nbackground = 0\ncat = 1\ndog = 2\n',
    "classes.xml": '<c><class id="0">background</class><class id="1">cat</class><class id="2">dog</class></c>',
    "labels.xml": '<?xml version="1.0" encoding="ISO-8859-1"?>\n<r><l><name>background</name><value>0</value></l>'
    "<l><name>cat</name><value>1</value></l><l><name>dog</name><value>2</value></l></r>",
    "label map.xml": '<map v="1"><item id="0" name="background"/><item id="1" name="cat"/>'
    '<item id="2" name="dog"/></map>',
    "class names.xml": "<x><about>mine</about><classes><n>background</n><n>cat</n><n>dog</n></classes></x>",
    "classes.txt": "0. background\n1. cat\n2. dog\n",
    "labels.txt": "0 - background\n1 - cat\n2 - dog\n",
    "names.txt": "0 -> background\n1 -> cat\n2 -> dog\n",
    "label.txt": "background - 0\ncat - 1\ndog - 2\n",
    "codes.txt": "background (0)\ncat (1)\ndog (2)\n",
    "class.txt": "0) background\n1) cat\n2) dog\n",
    "label_names.txt": "0|background\n1|cat\n2|dog\n",
}

BY_COLOR = {
    "classes.csv": "class,color\nbackground,#000000\ncat,#c81e1e\ndog,#1ec81e\n",
    "labels.csv": 'label,rgb\nbackground,"(0, 0, 0)"\ncat,"(200, 30, 30)"\ndog,"(30, 200, 30)"\n',
    "class_names.csv": "name;r;g;b\nbackground;0;0;0\ncat;200;30;30\ndog;30;200;30\n",
    "label_colors.csv": "id,name,R,G,B\n0,background,0,0,0\n1,cat,200,30,30\n2,dog,30,200,30\n",
    "legend.tsv": "name\thex\nbackground\t000000\ncat\tC81E1E\ndog\t1EC81E\n",
    "Klassen.csv": "Klasse,Farbe\nbackground,0 0 0\ncat,200 30 30\ndog,30 200 30\n",
    "classes.xml": "<a><c><name>background</name><color>#000000</color></c><c><name>cat</name>"
    "<color>#c81e1e</color></c><c><name>dog</name><color>#1ec81e</color></c></a>",
    "labels.xml": "<a><c name='background'><rgb><r>0</r><g>0</g><b>0</b></rgb></c><c name='cat'><rgb><r>200</r>"
    "<g>30</g><b>30</b></rgb></c><c name='dog'><rgb><r>30</r><g>200</g><b>30</b></rgb></c></a>",
    "classes.ini": "[background]\nid=0\ncolor=0,0,0\n[cat]\nid=1\ncolor=200,30,30\n[dog]\nid=2\n"
    "color=30,200,30\n",
}


def _masks() -> list[Array]:
    return [classes([1, 2], seed=seed) for seed in range(4)]


@pytest.mark.parametrize("name", BY_ID)
def test_files_that_name_values(bench: Bench, name: str) -> None:
    masks = _masks()
    result = bench.run(upload_of(map(encoded, masks), masks) | {f"set/{name}": BY_ID[name].encode()})
    assert names_of(result) == NAMES
    assert codes(result, "warning") == []


@pytest.mark.parametrize("name", BY_COLOR)
def test_files_that_name_colors(bench: Bench, name: str) -> None:
    masks = _masks()
    files = upload_of((encoded(COLORS[mask]) for mask in masks), masks)
    result = bench.run(files | {name: BY_COLOR[name].encode()})
    assert list(names_of(result).values()) == list(NAMES.values())
    for (_, mask), labels in zip(bench.arrays().values(), masks, strict=True):
        np.testing.assert_array_equal(mask, labels)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.ini", "[x\n= 1"),
        ("classes.toml", "a = = b"),
        ("classes.xml", "<a><b></a>"),
        ("classes.xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a><b>&x;</b><b>z</b></a>"),
        ("classes.xml", "nothing"),
        ("labels.xml", "<a/>"),
    ],
)
def test_broken_files_are_left_out_with_a_warning(bench: Bench, name: str, text: str) -> None:
    masks = _masks()
    result = bench.run(upload_of(map(encoded, masks), masks) | {name: text.encode()})
    assert codes(result, "warning") == ["classes_file"]
    assert list(names_of(result).values()) == ["background", "class_1", "class_2"]
