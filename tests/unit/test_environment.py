"""What schedulers and launchers leave in the environment changes no worker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.process.environment import (
    choose_gpus,
    forget_cluster,
    give_caches_a_home,
    grow_memory_in_place,
    hide_gpus,
    keep_gpus,
    name_gpus_by_bus,
    wait_briefly,
)


def test_a_place_among_others_is_forgotten_and_nothing_else() -> None:
    kept = {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "3",
        "NCCL_DEBUG": "INFO",
        "TRAINYARD_THREADS": "2",
        "RANKING": "1",
        "OMP_NUM_THREADS": "1",
    }
    environ = {
        **kept,
        **dict.fromkeys(("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "NODE_RANK"), "1"),
        **dict.fromkeys(("SLURM_PROCID", "SLURM_NTASKS", "SLURM_JOB_NAME"), "2"),
        **dict.fromkeys(("TORCHELASTIC_RUN_ID", "OMPI_COMM_WORLD_RANK", "LSB_JOBID", "PMI_RANK"), "3"),
    }
    forget_cluster(environ)
    assert environ == kept


def test_gpus_are_counted_chosen_and_hidden() -> None:
    environ: dict[str, str] = {}
    name_gpus_by_bus(environ)
    choose_gpus(environ, "2,3")
    assert environ == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "2,3"}
    hide_gpus(environ)
    assert environ["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.parametrize(
    ("shown", "places", "kept"),
    [
        (None, (), None), (None, (1, 3), "1,3"), ("4,5,6", (0, 2), "4,6"), ("GPU-a,GPU-b", (1,), "GPU-b"),
        ("4,5", (), "4,5"),
    ],
)  # fmt: skip
def test_of_the_gpus_shown_those_at_some_places_are_kept(
    shown: str | None, places: tuple[int, ...], kept: str | None
) -> None:
    environ = {} if shown is None else {"CUDA_VISIBLE_DEVICES": shown}
    keep_gpus(environ, places)
    assert environ.get("CUDA_VISIBLE_DEVICES") == kept


@pytest.mark.parametrize("name", ["PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"])
def test_memory_of_gpus_grows_in_place_unless_the_user_says_how(name: str) -> None:
    environ: dict[str, str] = {}
    grow_memory_in_place(environ)
    assert environ == {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}
    own = {name: "max_split_size_mb:128"}
    grow_memory_in_place(own)
    assert own == {name: "max_split_size_mb:128"}


def test_pytorch_knows_that_setting() -> None:
    said = "import torch; print(torch._C._accelerator_getAllocatorSettings())"
    environ = {**os.environ}
    grow_memory_in_place(environ)
    done = subprocess.run(
        [sys.executable, "-c", said], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "expandable_segments:True"


def test_threads_wait_briefly_unless_the_user_says_how() -> None:
    for given, added in (
        ({}, {"GOMP_SPINCOUNT": "10000"}),
        ({"GOMP_SPINCOUNT": "5"}, {}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {}),
    ):
        environ = dict(given)
        wait_briefly(environ)
        assert environ == {**given, **added}


def test_caches_stay_where_the_user_can_write(tmp_path: Path) -> None:
    for environ in ({"HOME": str(tmp_path)}, {"HOME": "/proc", "XDG_CACHE_HOME": str(tmp_path / "cache")}):
        before = dict(environ)
        give_caches_a_home(environ)
        assert environ == before


def test_caches_of_a_user_without_a_home_go_elsewhere(tmp_path: Path) -> None:
    for environ in ({"HOME": "/proc/nowhere"}, {"HOME": ""}, {}):
        given = {**environ, "HF_HOME": "/kept", "XDG_CACHE_HOME": "/proc/nowhere"}
        give_caches_a_home(given)
        assert given["HF_HOME"] == "/kept"
        places = [Path(given[name]) for name in ("TORCH_HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")]
        assert len({place.parent for place in places}) == 1
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
