"""Encoders that are named by where they lie: a folder, and a model hub, here one of this machine."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import huggingface_hub
import pytest
import timm
import torch
from timm.models import save_for_hf  # type: ignore[attr-defined]

from tests.training.classification.conftest import tiny
from tests.training.conftest import Run
from trainyard.errors import WeightsUnavailable
from trainyard.runs.signals import Signals
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import ABOUT, read_checkpoint

MEAN, STD = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a head of five classes, as timm writes it, whose images have a mean of their own."""
    torch.manual_seed(3)
    model: Any = timm.create_model("test_resnet", num_classes=5)
    model.pretrained_cfg |= {"mean": MEAN, "std": STD}
    folder = tmp_path_factory.mktemp("written")
    save_for_hf(model, folder, safe_serialization=True)
    return folder


def saved(run: Run) -> dict[str, Any]:
    return read_checkpoint(RunFolder(run.folder).last_checkpoint)


def frozen(encoder: str, weights: str = "imagenet") -> dict[str, Any]:
    return tiny(
        model={"encoder": encoder, "encoder_weights": weights},
        optimization={"freeze_encoder_epochs": 9},
    )


def is_of(checkpoint: dict[str, Any], folder: Path) -> bool:
    """Whether the encoder's weights are those of the folder's model."""
    model: Any = timm.create_model(f"local-dir:{folder}", pretrained=True)
    name, given = next(iter(model.state_dict().items()))
    found = checkpoint["state_dict"][f"network.encoder.model.{name}"]
    return torch.equal(found, given)


def test_a_folder_gives_weights_and_input_rule_and_a_run_of_it_needs_it_no_more(
    labelled_run: Run, written: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(written, tmp_path / "own")
    spec = frozen(f"folder:{folder}")
    labelled_run.encoder_folder = folder
    labelled_run.fit(epochs=2, spec=spec, signals={4: Signals(stop="now", stop_version=1)})
    first = saved(labelled_run)
    assert is_of(first, folder)
    assert first[ABOUT]["mean"] == pytest.approx(MEAN)
    assert first[ABOUT]["spec"]["model"]["encoder"] == "tu-test_resnet"
    assert [one.message for one in labelled_run.notices] == [f"folder:{folder} is tu-test_resnet."]
    shutil.rmtree(folder)
    assert labelled_run.fit(epochs=2, spec=spec, resume=True).epoch == 2
    assert saved(labelled_run)[ABOUT]["std"] == pytest.approx(STD)


def test_without_weights_it_is_the_architecture_alone(labelled_run: Run, written: Path) -> None:
    labelled_run.encoder_folder = written
    labelled_run.fit(epochs=1, spec=frozen(f"folder:{written}", "none"))
    assert not is_of(saved(labelled_run), written)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"architecture": "no_such_net"}, "no architecture"),
        ({"model_args": {"img_size": 64}}, "img_size"),
        ({"pretrained_cfg": {"mean": [0.5]}}, "mean"),
    ],
)
def test_what_is_no_model_of_timms_is_said(
    labelled_run: Run, written: Path, tmp_path: Path, over: dict[str, Any], said: str
) -> None:
    folder = shutil.copytree(written, tmp_path / "own")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **over}))
    labelled_run.encoder_folder = folder
    with pytest.raises(WeightsUnavailable, match=said):
        labelled_run.fit(spec=frozen(f"folder:{folder}"))


@pytest.fixture
def hub(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a model hub with one repository, lab/net; its cache begins empty."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_content=False)

        def do_GET(self) -> None:
            self._answer(with_content=True)

        def _answer(self, *, with_content: bool) -> None:
            start, _, name = self.path.partition("/resolve/")
            file = written / name.partition("/")[2]
            known = self.path == "/" or (start == "/lab/net" and file.is_file())
            content = file.read_bytes() if known and file.is_file() else b""
            self.send_response(200 if known else 404)
            if not known:
                self.send_header("X-Error-Code", "EntryNotFound" if start == "/lab/net" else "RepoNotFound")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", "c" * 40)
            self.end_headers()
            if with_content:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield address
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("hub")
def test_the_model_hub_gives_the_same(labelled_run: Run, written: Path) -> None:
    labelled_run.fit(epochs=1, spec=frozen("hf-hub:lab/net"))
    found = saved(labelled_run)
    assert is_of(found, written)
    assert found[ABOUT]["mean"] == pytest.approx(MEAN)


@pytest.mark.usefixtures("hub")
def test_a_repository_that_is_not_there_is_said(labelled_run: Run) -> None:
    with pytest.raises(WeightsUnavailable, match="hf-hub:lab/other"):
        labelled_run.fit(spec=frozen("hf-hub:lab/other"))


def test_a_hub_that_does_not_answer_is_said_at_once(
    labelled_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsUnavailable, match="does not answer"):
        labelled_run.fit(spec=frozen("hf-hub:lab/net"))
