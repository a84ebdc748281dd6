"""Settings from the environment, each with a default that works on one machine."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainyard.catalog.names import DEVICE_CLASSES
from trainyard.cores import usable_cores
from trainyard.errors import SettingsError
from trainyard.lease import LeaseRules
from trainyard.log_format import LOG_FORMATS, TEXT
from trainyard.same_origin import is_host_name, is_loopback

REPOSITORY = Path(__file__).resolve().parent.parent
_INSTALLED_CONFIGS = Path(__file__).resolve().parent / "configs"
CONFIGS = _INSTALLED_CONFIGS if _INSTALLED_CONFIGS.is_dir() else REPOSITORY / "configs"
"""Defaults and experiments: those of the repository, or those that an installed package carries."""
MEBIBYTE = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_HTTP_URL = re.compile(r"https?://[^/\s]+(/\S*)?\Z")
_PATH_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\Z")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a process must know of its surroundings. `README.md` has the table of variables.

    `data_root` is the folder below which data sets are read in place, None for incoming/ of the storage.
    `device_classes` are those that training workers serve; the first is that of a run which asks for none.
    `max_concurrent` is how many runs of a project may train at once where it has no limit of its own, 0 for
    as many as there are workers. `threads` is all cores of this machine where `threads_are_given` is false:
    its workers then share them. `allowed_hosts` are names, beside those of this machine, by which clients
    may call the API while it needs no key. `webhook_networks` are those of this machine and of private
    addresses to which webhooks may be sent. `path_prefix`, such as `/trainyard`, is what a proxy
    puts before all paths. `requests_per_minute` is how many of one key, or of one address where none is
    needed, a process answers; 0 is no limit. `predict_s` is how many seconds a prediction may take, waiting
    included. `boards_host` is the name or address of this machine at which the API reaches boards.
    `otlp_endpoint` is the address of a collector of OpenTelemetry's spans, empty for none.
    `hidden_pictures` are projects of whose data no picture leaves the server, `*` of all.
    `log_format` is one of LOG_FORMATS. `plugins` are modules that workers import (docs/plugins.md).
    """

    host: str = "127.0.0.1"
    port: int = 8000
    storage: Path = Path("var/storage")
    data_root: Path | None = None
    redis_url: str = ""
    configs: Path = CONFIGS
    max_upload_bytes: int = 20 * 1024 * MEBIBYTE
    api_key_hashes: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    webhook_networks: tuple[str, ...] = ()
    path_prefix: str = ""
    hidden_pictures: tuple[str, ...] = ()
    requests_per_minute: int = 0
    boards_host: str = "127.0.0.1"
    log_format: str = TEXT
    otlp_endpoint: str = ""
    threads: int = 0
    threads_are_given: bool = field(default=False, compare=False)
    max_hours: int | None = None
    predict_s: int = 60
    device_classes: tuple[str, ...] = field(default_factory=lambda: own_device_classes(os.environ))
    max_concurrent: int = 0
    plugins: tuple[str, ...] = ()
    lease: LeaseRules = field(default_factory=LeaseRules)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read TRAINYARD_*; raises SettingsError that names the variable."""
        env = os.environ if environ is None else environ
        defaults = cls()
        return cls(
            host=env.get("TRAINYARD_HOST", defaults.host),
            port=_integer(env, "TRAINYARD_PORT", defaults.port, 0, 65535),
            storage=Path(env.get("TRAINYARD_STORAGE") or defaults.storage).absolute(),
            data_root=_data_root(env),
            redis_url=env.get("TRAINYARD_REDIS_URL", defaults.redis_url),
            configs=Path(env.get("TRAINYARD_CONFIGS") or defaults.configs).absolute(),
            max_upload_bytes=MEBIBYTE
            * _integer(env, "TRAINYARD_MAX_UPLOAD_MB", defaults.max_upload_bytes // MEBIBYTE, 1, 10**7),
            api_key_hashes=_key_hashes(env),
            allowed_hosts=_allowed_hosts(env),
            webhook_networks=_webhook_networks(env),
            path_prefix=_path_prefix(env),
            requests_per_minute=_integer(env, "TRAINYARD_REQUESTS_PER_MINUTE", 0, 0, 10**6),
            log_format=_log_format(env),
            otlp_endpoint=_otlp_endpoint(env),
            lease=LeaseRules(
                lease_s=_integer(env, "TRAINYARD_LEASE_S", int(defaults.lease.lease_s), 3, 3600),
                max_crashes=_integer(env, "TRAINYARD_MAX_CRASHES", defaults.lease.max_crashes, 1, 1000),
            ),
            boards_host=env.get("TRAINYARD_BOARDS_HOST") or defaults.boards_host,
            predict_s=_integer(env, "TRAINYARD_PREDICT_S", defaults.predict_s, 1, 3600),
            hidden_pictures=_listed(env.get("TRAINYARD_HIDE_PICTURES", "")),
            max_hours=_integer(env, "TRAINYARD_MAX_HOURS", 0, 0, 10**6) or None,
            device_classes=_device_classes(env),
            plugins=plugin_modules(env),
            max_concurrent=_integer(env, "TRAINYARD_MAX_CONCURRENT", defaults.max_concurrent, 0, 9999),
            threads=_integer(env, "TRAINYARD_THREADS", usable_cores(), 1, 4096),
            threads_are_given=bool(env.get("TRAINYARD_THREADS")),
        )

    @property
    def broker_url(self) -> str:
        """The Redis URL; raises SettingsError where none is set."""
        if not self.redis_url:
            raise SettingsError(
                "TRAINYARD_REDIS_URL is not set.",
                remedy="Start the stack with `make up`, which brings its own Redis, or set the URL of one.",
            )
        return self.redis_url

    def check_exposure(self) -> None:
        """Refuse to serve beyond this machine without API keys (raises SettingsError)."""
        if not is_loopback(self.host) and not self.api_key_hashes:
            raise SettingsError(
                f"TRAINYARD_HOST is {self.host}, which other machines can reach, and no API key is set.",
                remedy="Set TRAINYARD_API_KEY_HASHES (README, Security), or serve on 127.0.0.1.",
            )


def own_device_classes(env: Mapping[str, str], devices: Path = Path("/dev")) -> tuple[str, ...]:
    """What this machine can serve: `gpu` where the NVIDIA driver shows this process one, otherwise `cpu`.

    Told by device files, since asking CUDA would spoil the processes that are forked later.
    """
    is_hidden = env.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1")
    has_gpu = any(devices.glob("nvidia[0-9]*")) or (devices / "dxg").exists()
    return ("gpu",) if has_gpu and not is_hidden else ("cpu",)


def plugin_modules(env: Mapping[str, str]) -> tuple[str, ...]:
    """The modules that TRAINYARD_PLUGINS names; raises SettingsError for what is no name of one."""
    names = _listed(env.get("TRAINYARD_PLUGINS", ""))
    wrong = [name for name in names if not all(part.isidentifier() for part in name.split("."))]
    if wrong:
        raise SettingsError(
            f"TRAINYARD_PLUGINS names {', '.join(map(repr, wrong))}; it takes modules, as lab.plugins, "
            "separated by commas."
        )
    return names


def _listed(text: str) -> tuple[str, ...]:
    """What commas separate, without what is empty."""
    return tuple(filter(None, (one.strip() for one in text.split(","))))


def _integer(env: Mapping[str, str], name: str, default: int, minimum: int, maximum: int) -> int:
    text = env.get(name, "") or str(default)
    if not text.isascii() or not text.isdigit() or not minimum <= int(text) <= maximum:
        raise SettingsError(f"{name} must be a whole number from {minimum} to {maximum}, not {text!r}.")
    return int(text)


def _data_root(env: Mapping[str, str]) -> Path | None:
    found = env.get("TRAINYARD_DATA_ROOT")
    return Path(found).absolute() if found else None


def _log_format(env: Mapping[str, str]) -> str:
    found = env.get("TRAINYARD_LOG_FORMAT") or TEXT
    if found not in LOG_FORMATS:
        raise SettingsError(f"TRAINYARD_LOG_FORMAT must be {' or '.join(LOG_FORMATS)}, not {found!r}.")
    return found


def _otlp_endpoint(env: Mapping[str, str]) -> str:
    found = env.get("TRAINYARD_OTLP_ENDPOINT", "")
    if found and not _HTTP_URL.match(found):
        raise SettingsError(
            f"TRAINYARD_OTLP_ENDPOINT is {found!r}; it takes the address of a collector of OTLP over "
            "HTTP, as http://collector:4318."
        )
    return found


def _device_classes(env: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(filter(None, env.get("TRAINYARD_DEVICE_CLASSES", "").split(",")))
    if unknown := set(names) - set(DEVICE_CLASSES):
        raise SettingsError(
            f"TRAINYARD_DEVICE_CLASSES names {', '.join(sorted(unknown))}; "
            f"the classes are {', '.join(DEVICE_CLASSES)}, separated by commas."
        )
    return names or own_device_classes(env)


def _key_hashes(env: Mapping[str, str]) -> tuple[str, ...]:
    """Never shown in an error: what is no hash may be the key itself."""
    text = env.get("TRAINYARD_API_KEY_HASHES", "").strip()
    hashes = tuple(filter(None, (one.strip().lower() for one in text.split(","))))
    wrong = [str(place) for place, one in enumerate(hashes, 1) if not _SHA256.match(one)]
    if wrong or (text and not hashes):
        raise SettingsError(
            f"TRAINYARD_API_KEY_HASHES holds something that is no SHA-256 (entry {', '.join(wrong) or 1}).",
            remedy="Give the SHA-256 of each key as 64 hexadecimal digits, separated by commas (README, "
            "Security).",
        )
    return hashes


def _allowed_hosts(env: Mapping[str, str]) -> tuple[str, ...]:
    names = [one.strip().lower() for one in env.get("TRAINYARD_ALLOWED_HOSTS", "").split(",")]
    hosts = tuple(name.removesuffix(".") for name in names if name)
    wrong = [name for name in hosts if not is_host_name(name)]
    if wrong:
        raise SettingsError(
            f"TRAINYARD_ALLOWED_HOSTS names {', '.join(map(repr, wrong))}; it takes names or addresses of "
            "hosts, without scheme and port, separated by commas."
        )
    return hosts


def _webhook_networks(env: Mapping[str, str]) -> tuple[str, ...]:
    names = _listed(env.get("TRAINYARD_WEBHOOK_NETWORKS", ""))
    try:
        return tuple(str(ipaddress.ip_network(name)) for name in names)
    except ValueError as error:
        raise SettingsError(
            f"TRAINYARD_WEBHOOK_NETWORKS: {error}; it takes networks as 10.1.0.0/16, separated by commas."
        ) from error


def _path_prefix(env: Mapping[str, str]) -> str:
    found = env.get("TRAINYARD_PATH_PREFIX", "").rstrip("/")
    if found and not _PATH_PREFIX.match(found):
        raise SettingsError(
            f"TRAINYARD_PATH_PREFIX is {found!r}; it takes a path such as /trainyard, of letters, digits and "
            "`-._~`."
        )
    return found
