"""The example of docs/plugins.md does what the page says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trainyard.settings import REPOSITORY
from workers.plugins import registry


@pytest.fixture
def run_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Imports a module as the page has it, by the name in its first line."""

    def run(name: str) -> None:
        page = (REPOSITORY / "docs" / "plugins.md").read_text()
        (source,) = re.findall(rf"```python\n# {name}\.py\n(.*?)```", page, re.DOTALL)
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        __import__(name)

    monkeypatch.setattr(registry, "_registered", {})
    return run


def test_the_loss_falls_as_the_prediction_gets_better(run_example: Callable[[str], None]):
    run_example("lab_plugins")
    found = registry.registered("loss", "lab.tversky")
    assert (found.offer.task, found.offer.params) == ("segmentation", {"alpha": (0, 1)})
    term = found.make(form="multiclass", alpha=0.3)
    masks = torch.randint(0, 3, (2, 8, 8), generator=torch.Generator().manual_seed(0))
    right = torch.nn.functional.one_hot(masks, 3).permute(0, 3, 1, 2).float()
    masks[0, 0, :4] = 255
    costs = [float(term(scale * right, masks)) for scale in (0, 1, 4, 20)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == pytest.approx(0, abs=1e-4)


def test_models_of_hugging_face_are_classifiers(run_example: Callable[[str], None], monkeypatch):
    transformers = pytest.importorskip("transformers", reason="transformers is none of what Trainyard needs")
    run_example("hf_plugins")
    found = registry.registered("architecture", "hf.classifier")
    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        image_size=32, patch_size=16,
    )  # fmt: skip
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", lambda place: config)
    network = found.make(encoder=found.offer.encoders[0], classes=3, pretrained=False)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 3)
    assert {name for name, _ in network.named_children()} == {"encoder", "head"}
