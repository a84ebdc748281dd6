"""Class maps of images of other sizes than the network's, from checkpoints and ONNX files."""

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from tests.training.conftest import CLASSES, Run, draw_set, tiny_spec
from trainyard.errors import InvalidRequest, StorageUnavailable
from trainyard.storage.files import RunFolder
from workers.prepared.version import DepthScale, PreparedDataset, Uint8
from workers.training import predict
from workers.training.checkpoints.files import ABOUT, read_checkpoint
from workers.training.data.picture_files import read_image
from workers.training.tasks.segmentation.data import tiles
from workers.training.tasks.segmentation.prediction.answers import Predictor
from workers.training.tasks.segmentation.prediction.class_maps import by_resize, by_tiles
from workers.training.tasks.segmentation.prediction.predictor import load_predictor

SIZES = [(32, 32), (20, 90), (75, 50), (31, 33)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with its ONNX file, on letterboxed images."""
    folder = tmp_path_factory.mktemp("trained")
    run = Run(folder / "run", draw_set(folder / "drawn", train=24, val=8))
    data = {"image_size": 32, "batch_size": 4, "fit": "letterbox"}
    run.fit(epochs=8, spec=tiny_spec(data=data, export={"onnx": True}, optimization={"learning_rate": 0.01}))
    return run


def _colours(fit: str = "stretch", side: int = 32) -> Predictor:
    """Knows red from blue from the rest, pixel by pixel, wherever they are."""

    def answer(images: Uint8) -> tiles.Floats:
        pixels = images.transpose(0, 3, 1, 2).astype(np.float32) / 25
        red, blue = pixels[:, 0], pixels[:, 2]
        return np.stack([np.full_like(red, 2.0), red - blue, blue - red], axis=1)

    return Predictor(
        task="multiclass", classes=CLASSES, image_size=side, fit=fit, gives_probabilities=True, answer=answer
    )


def _picture(height: int, width: int) -> tuple[Uint8, Uint8]:
    """A grey picture with a red and a blue block, and its classes."""
    image, mask = np.full((height, width, 3), 90, np.uint8), np.zeros((height, width), np.uint8)
    image[: height // 2, : width // 2], mask[: height // 2, : width // 2] = (220, 60, 60), 1
    image[-height // 3 :, -width // 3 :], mask[-height // 3 :, -width // 3 :] = (60, 60, 220), 2
    return image, mask


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tiles_of_a_pixelwise_network_change_nothing(height: int, width: int) -> None:
    image, mask = _picture(height, width)
    assert np.array_equal(by_tiles(_colours(), image), mask)


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_resize_keeps_places(height: int, width: int, fit: str) -> None:
    image, mask = _picture(height, width)
    found = by_resize(_colours(fit), image)
    assert (found.shape, found.dtype) == (mask.shape, np.uint8)
    assert np.mean(found == mask) >= 0.93, "all but the blocks' edges"


def _greatest(probabilities: tiles.Floats) -> Uint8:
    return probabilities.argmax(axis=0).astype(np.uint8)


def test_tiles_agree_with_votes_over_the_whole_image() -> None:
    """Tiles that each answer something else are blended by the definition, computed without bands."""
    numbers = np.random.default_rng(2)
    image = numbers.integers(0, 255, (70, 45, 3), dtype=np.uint8)
    side, classes = 16, 4
    answers: dict[bytes, tiles.Floats] = {}

    def probabilities(tile: Uint8) -> tiles.Floats:
        return answers.setdefault(tile.tobytes(), numbers.random((classes, side, side), np.float32))

    def of_several(some: Uint8) -> tiles.Floats:
        asked.append(len(some))
        return np.stack([probabilities(tile) for tile in some])

    asked: list[int] = []
    found = tiles.predict_tiles(image, of_several, _greatest, side, classes)
    assert asked == [5] * 8, "the tiles of a row go together"
    votes = np.zeros((classes, 70, 45))
    for top in tiles.starts(70, side):
        for left in tiles.starts(45, side):
            part = np.s_[top : top + side, left : left + side]
            votes[:, *part] += probabilities(np.ascontiguousarray(image[part])) * tiles.window(side)
    assert len(answers) == len(tiles.starts(70, side)) * len(tiles.starts(45, side))
    assert np.array_equal(found, votes.argmax(axis=0))


@pytest.mark.parametrize("side", [8, 31, 256])
def test_tiles_cover_everything_and_weigh_evenly(side: int) -> None:
    for length in (side, side + 1, 3 * side, 5 * side // 2 + 1):
        places = tiles.starts(length, side)
        covered = np.zeros(length, bool)
        for place in places:
            assert 0 <= place <= length - side
            covered[place : place + side] = True
        assert covered.all()
    if side % 2 == 0:
        edge = np.sqrt(np.diag(tiles.window(side)))
        assert edge[: side // 2] + edge[side // 2 :] == pytest.approx(np.ones(side // 2), abs=1e-5)
    assert tiles.window(side).min() > 0


def test_checkpoint_and_onnx_predict_alike_and_well(trained: Run) -> None:
    folder = RunFolder(trained.folder)
    checkpoint, exported = load_predictor(folder.best_checkpoint), load_predictor(folder.onnx)
    dataset = PreparedDataset(trained.prepared)
    assert [info.name for info in exported.classes] == [info.name for info in CLASSES]
    assert exported.classes == checkpoint.classes
    found, right = [], []
    for sample in dataset.samples[-8:]:
        image, mask = np.array(dataset.image(sample)), dataset.mask(sample)
        for by in (by_resize, by_tiles):
            one, other = by(checkpoint, image), by(exported, image)
            assert one.shape == mask.shape
            assert np.mean(one != other) <= 0.002
        found.append(by_resize(checkpoint, image)[mask != 255])
        right.append(mask[mask != 255])
    told = np.concatenate(found) == np.concatenate(right)
    discs = np.concatenate(right) == 1
    assert told.mean() >= 0.85
    assert told[discs].mean() >= 0.6


def test_command_line_writes_masks_and_overlays(trained: Run, tmp_path: Path) -> None:
    image, _ = _picture(60, 44)
    names = ["a picture.png", "ü.jpg"]
    for name in names:
        cv2.imencode(Path(name).suffix, image[:, :, ::-1])[1].tofile(tmp_path / name)
    model = RunFolder(trained.folder).best_checkpoint
    out = tmp_path / "out"
    arguments = [str(model), *(str(tmp_path / name) for name in names), "--out", str(out), "--threads", "1"]
    assert predict.main(arguments) == 0
    expected = by_resize(load_predictor(model), image)
    assert np.array_equal(cv2.imread(str(out / "a picture.png"), cv2.IMREAD_UNCHANGED), expected)
    assert cv2.imread(str(out / "ü.overlay.png")).shape == (60, 44, 3)
    assert predict.main([*arguments, "--tiles"]) == 0
    tiled = cv2.imread(str(out / "a picture.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(tiled, by_tiles(load_predictor(model), image))


def _of_crops(trained: Run, folder: Path) -> list[Path]:
    """Its checkpoint and ONNX file, as if it had been trained on crops."""
    ours = RunFolder(trained.folder)
    content = read_checkpoint(ours.best_checkpoint)
    content[ABOUT]["spec"]["data"]["fit"] = "crop"
    torch.save(content, folder / "crops.ckpt")
    model = onnx.load(ours.onnx)
    (fit,) = (entry for entry in model.metadata_props if entry.key == "trainyard.fit")
    fit.value = "crop"
    onnx.save(model, folder / "crops.onnx")
    return [folder / "crops.ckpt", folder / "crops.onnx"]


def test_models_of_crops_see_the_image_at_its_own_scale(trained: Run, tmp_path: Path) -> None:
    image, _ = _picture(60, 44)
    cv2.imwrite(str(tmp_path / "picture.png"), image[:, :, ::-1])
    arguments = [str(tmp_path / "picture.png"), "--out", str(tmp_path / "out"), "--threads", "1"]
    for path in _of_crops(trained, tmp_path):
        model = load_predictor(path)
        tiled, resized = by_tiles(model, image), by_resize(model, image)
        assert not np.array_equal(tiled, resized)
        for flags, expected in (([], tiled), (["--resize"], resized), (["--tiles"], tiled)):
            assert predict.main([str(path), *arguments, *flags]) == 0
            written = cv2.imread(str(tmp_path / "out" / "picture.png"), cv2.IMREAD_UNCHANGED)
            assert np.array_equal(written, expected), (path.name, flags)


def test_command_line_refuses_with_a_reason(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(RunFolder(trained.folder).best_checkpoint)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    out = ["--out", str(tmp_path / "out"), "--threads", "1"]
    for images, said in (
        ([str(tmp_path / "broken.png")], "broken.png"),
        ([str(tmp_path / "absent.png")], "absent.png"),
        ([str(tmp_path / "a.png"), str(tmp_path / "a.jpg")], "rename"),
    ):
        assert predict.main([model, *images, *out]) == 1
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_files_are_no_models(tmp_path: Path) -> None:
    for name in ("model.bin", "model"):
        with pytest.raises(InvalidRequest, match=r"\.ckpt|no model"):
            load_predictor(tmp_path / name)
    with pytest.raises(StorageUnavailable, match=r"absent\.onnx"):
        load_predictor(tmp_path / "absent.onnx")


def test_tiles_need_probabilities() -> None:
    given = _colours()
    classes_only = Predictor(**{**vars(given), "gives_probabilities": False})
    with pytest.raises(InvalidRequest, match="probabilities"):
        by_tiles(classes_only, _picture(40, 40)[0])


def test_an_image_of_more_than_8_bits_is_no_black_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.linspace(0, 4000, 12, dtype=np.uint16).reshape(3, 4)
    cv2.imwrite(str(tmp_path / "deep.png"), values)
    image = read_image(tmp_path / "deep.png", None)
    assert np.array_equal(image[..., 0], np.rint(values * (255 / 4095)))
    assert "deep.png: scaled to 8 bits by its own range" in capsys.readouterr().err


GREY = DepthScale(kind="uint16", channels=((0.0, 65535.0),))
COLORS = DepthScale(kind="uint16", channels=((0.0, 4095.0), (100.0, 1123.0), (0.0, 65535.0)))


def test_an_image_of_more_than_8_bits_is_scaled_as_those_of_the_training_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.linspace(0, 4000, 12, dtype=np.uint16).reshape(3, 4)
    cv2.imwrite(str(tmp_path / "grey.png"), values)
    grey = read_image(tmp_path / "grey.png", (COLORS, GREY))
    assert np.array_equal(grey[..., 0], np.rint(values * (255 / 65535)))
    cv2.imwrite(str(tmp_path / "colors.png"), np.dstack([values] * 3))
    colors = read_image(tmp_path / "colors.png", (COLORS, GREY))
    for channel, (low, high) in enumerate(COLORS.channels):
        expected = np.clip((values - low) * (255 / (high - low)), 0, 255)
        assert np.abs(colors[..., channel] - expected).max() <= 0.5 + 1e-6
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("depth", [(), (COLORS,), (DepthScale(kind="float32", channels=((0.0, 1.0),)),)])
def test_an_image_of_another_depth_than_the_training_sets_is_said(
    tmp_path: Path, depth: tuple[DepthScale, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((3, 4), 4000, np.uint16))
    read_image(tmp_path / "deep.png", depth)
    assert "as the training set had no 16 bits (grey)" in capsys.readouterr().err


def test_an_image_of_8_bits_is_said_where_those_of_the_training_set_had_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "plain.png"), np.full((3, 4), 40, np.uint8))
    assert (read_image(tmp_path / "plain.png", (GREY,)) == 40).all()
    assert "plain.png: it has 8 bits" in capsys.readouterr().err
    read_image(tmp_path / "plain.png", ())
    assert capsys.readouterr().err == ""


@pytest.mark.variants(1)
@pytest.mark.parametrize("preprocessing", ["inside", "outside"])
def test_models_carry_the_scale_of_their_training_set(tmp_path: Path, preprocessing: str) -> None:
    drawn = draw_set(tmp_path / "drawn", train=4, val=2)
    index = json.loads((drawn / "index.json").read_text())
    stored = [{"kind": "uint16", "channels": [[0.0, 65535.0]]}]
    (drawn / "index.json").write_text(json.dumps({**index, "depth": stored}))
    run = Run(tmp_path / "run", drawn)
    export = {"onnx": True, "with_preprocessing": preprocessing == "inside"}
    quick = {"architecture": "PSPNet"}  # to export
    run.fit(epochs=1, spec=tiny_spec(model=quick, export=export))
    folder = RunFolder(run.folder)
    for file in (folder.best_checkpoint, folder.onnx):
        assert load_predictor(file).depth == (GREY,)
    assert json.loads(folder.export_card.read_text())["input"]["depth"] == stored


def test_models_of_before_scales_were_kept_know_none(trained: Run, tmp_path: Path) -> None:
    folder = RunFolder(trained.folder)
    content = read_checkpoint(folder.best_checkpoint)
    del content[ABOUT]["depth"]
    torch.save(content, tmp_path / "older.ckpt")
    assert load_predictor(tmp_path / "older.ckpt").depth is None
    graph = onnx.load(folder.onnx)
    kept = [(one.key, one.value) for one in graph.metadata_props if one.key != "trainyard.depth"]
    onnx.helper.set_model_props(graph, dict(kept))
    onnx.save(graph, tmp_path / "older.onnx")
    assert load_predictor(tmp_path / "older.onnx").depth is None
