"""Settings from the environment."""

from pathlib import Path

import pytest

from trainyard.errors import SettingsError
from trainyard.lease import LeaseRules
from trainyard.settings import MEBIBYTE, Settings, own_device_classes


def test_defaults_work():
    settings = Settings.from_environment({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.storage == Path("var/storage").absolute()
    assert (settings.configs / "defaults.yaml").is_file()
    assert settings.threads >= 1
    settings.check_exposure()


def test_every_variable_is_read(tmp_path: Path):
    settings = Settings.from_environment(
        {
            "TRAINYARD_HOST": "localhost",
            "TRAINYARD_PORT": "9000",
            "TRAINYARD_STORAGE": str(tmp_path),
            "TRAINYARD_DATA_ROOT": str(tmp_path / "data"),
            "TRAINYARD_REDIS_URL": "redis://example/1",
            "TRAINYARD_CONFIGS": str(tmp_path),
            "TRAINYARD_MAX_UPLOAD_MB": "3",
            "TRAINYARD_API_KEY_HASHES": f" {'A' * 64},,{'b' * 64}",
            "TRAINYARD_THREADS": "2",
            "TRAINYARD_LEASE_S": "30",
            "TRAINYARD_MAX_CRASHES": "5",
            "TRAINYARD_MAX_HOURS": "48",
            "TRAINYARD_DEVICE_CLASSES": "gpu-large,gpu",
            "TRAINYARD_MAX_CONCURRENT": "4",
            "TRAINYARD_ALLOWED_HOSTS": "Yard.Example., 10.0.0.7,",
            "TRAINYARD_PATH_PREFIX": "/lab/yard/",
            "TRAINYARD_WEBHOOK_NETWORKS": "10.1.0.0/16, ::1",
        }
    )
    assert settings == Settings(
        host="localhost",
        port=9000,
        storage=tmp_path,
        data_root=tmp_path / "data",
        redis_url="redis://example/1",
        configs=tmp_path,
        max_upload_bytes=3 * MEBIBYTE,
        api_key_hashes=("a" * 64, "b" * 64),
        allowed_hosts=("yard.example", "10.0.0.7"),
        path_prefix="/lab/yard",
        webhook_networks=("10.1.0.0/16", "::1/128"),
        threads=2,
        lease=LeaseRules(lease_s=30, max_crashes=5),
        max_hours=48,
        device_classes=("gpu-large", "gpu"),
        max_concurrent=4,
    )
    assert settings.broker_url == "redis://example/1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("PORT", "65536"), ("PORT", "-1"), ("PORT", "8_0"), ("PORT", "٣"), ("PORT", " 80"),
     ("MAX_UPLOAD_MB", "0"), ("MAX_UPLOAD_MB", "1.5"), ("THREADS", "0"), ("THREADS", "99999"),
     ("MAX_HOURS", "0.5")],
)  # fmt: skip
def test_a_bad_number_names_its_variable(name: str, value: str):
    with pytest.raises(SettingsError, match=f"TRAINYARD_{name} must be"):
        Settings.from_environment({f"TRAINYARD_{name}": value})


def test_an_unknown_device_class_is_refused():
    with pytest.raises(SettingsError, match=r"TRAINYARD_DEVICE_CLASSES names tpu; .* cpu, gpu, gpu-large"):
        Settings.from_environment({"TRAINYARD_DEVICE_CLASSES": "gpu,tpu"})


def test_a_machine_serves_what_its_driver_shows(tmp_path: Path):
    assert own_device_classes({}, tmp_path) == ("cpu",)
    (tmp_path / "nvidia3").touch()
    assert own_device_classes({}, tmp_path) == ("gpu",)
    assert own_device_classes({"CUDA_VISIBLE_DEVICES": "3"}, tmp_path) == ("gpu",)
    assert own_device_classes({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == ("cpu",)


def test_an_empty_variable_counts_as_unset():
    assert Settings.from_environment({"TRAINYARD_PORT": "", "TRAINYARD_STORAGE": ""}).port == 8000


def test_a_missing_redis_is_said():
    with pytest.raises(SettingsError, match="TRAINYARD_REDIS_URL"):
        _ = Settings().broker_url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_key(host: str):
    Settings(host=host).check_exposure()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.org", "", "localhost.evil"])  # noqa: S104
def test_any_other_address_needs_keys(host: str):
    with pytest.raises(SettingsError, match="TRAINYARD_HOST"):
        Settings(host=host).check_exposure()
    Settings(host=host, api_key_hashes=("aa",)).check_exposure()


@pytest.mark.parametrize(
    "value",
    ["the key itself", "aa", "g" * 64, "a" * 63, "a" * 64 + ",b", "a" * 64 + ";" + "b" * 64, ",", "٣" * 64],
)
def test_hashes_that_are_none_are_refused_and_not_shown(value: str):
    with pytest.raises(SettingsError, match="TRAINYARD_API_KEY_HASHES") as caught:
        Settings.from_environment({"TRAINYARD_API_KEY_HASHES": value})
    assert len(value) < 3 or value not in str(caught.value.to_dict())


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_no_hashes(value: str):
    assert Settings.from_environment({"TRAINYARD_API_KEY_HASHES": value}).api_key_hashes == ()


@pytest.mark.parametrize("value", ["http://a", "a:80", "a b", "*", "a/b", "-a"])
def test_hosts_that_are_none(value: str):
    with pytest.raises(SettingsError, match="TRAINYARD_ALLOWED_HOSTS"):
        Settings.from_environment({"TRAINYARD_ALLOWED_HOSTS": value})


@pytest.mark.parametrize("value", ["lab", "//lab", "/lab yard", "/../lab", "/lab/<b>", "http://lab"])
def test_a_path_prefix_is_a_path(value: str):
    with pytest.raises(SettingsError, match="TRAINYARD_PATH_PREFIX"):
        Settings.from_environment({"TRAINYARD_PATH_PREFIX": value})
