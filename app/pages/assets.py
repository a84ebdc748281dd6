"""Files that pages are made with: our own scripts and styles, and Bootstrap's styles from their package.

Their addresses begin with a stamp of all their contents, so that a browser may keep them for good and never
mixes those of two releases. Nothing comes from another server.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from flask import Request, Response

from trainyard.errors import NotFound

OWN = Path(__file__).resolve().parent / "static"
FOLDER = "/assets"
YEAR_S = 365 * 24 * 3600
_LEVEL = 6
"""Of 1 to 9."""
_IMPORT = re.compile(r'^import\b[^"]*"(\.[^"]+)";', re.MULTILINE)


@dataclass(frozen=True)
class _File:
    content: bytes
    zipped: bytes
    mimetype: str


@cache
def stamp() -> str:
    """A hash over all files."""
    found = hashlib.sha256()
    for name, path in sorted(_paths().items()):
        found.update(f"{name}:{path.stat().st_size}:".encode())
        found.update(path.read_bytes() if path.is_relative_to(OWN) else _version(path))
    return found.hexdigest()[:16]


def asset_response(request: Request, name: str) -> Response:
    """The file of that name; raises NotFound."""
    if name not in _paths():
        raise NotFound("There is no such file.")
    file = _read(name)
    takes_gzip = request.accept_encodings.quality("gzip") > 0
    response = Response(file.zipped if takes_gzip else file.content, mimetype=file.mimetype)
    if takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.cache_control.public = True
    response.cache_control.max_age = YEAR_S
    response.cache_control.immutable = True
    return response


@cache
def modules(*names: str) -> tuple[str, ...]:
    """The modules of those names and all that they import, so that a browser fetches them at once and not one
    after the other."""
    found = dict.fromkeys(names)
    waiting = list(found)
    while waiting:
        name = waiting.pop()
        for imported in _IMPORT.findall((OWN / name).read_text()):
            other = (OWN / name).parent.joinpath(imported).resolve().relative_to(OWN).as_posix()
            if other not in found:
                found[other] = None
                waiting.append(other)
    return tuple(found)


@cache
def theme() -> str:
    """The script that stands in each page, since none that is fetched should keep it from being painted."""
    return (OWN / "frame" / "theme.js").read_text()


@cache
def _paths() -> Mapping[str, Path]:
    """Every file by the name it is served under."""
    bootstrap = _package("flask_bootstrap") / "static" / "bootstrap5"
    own = (path for path in OWN.rglob("*") if path.suffix in (".css", ".js", ".svg"))
    return {
        "bootstrap.min.css": bootstrap / "css" / "bootstrap.min.css",
    } | {path.relative_to(OWN).as_posix(): path for path in own}


def _package(name: str) -> Path:
    """Where an installed package lies, which need not be imported."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{name} is not installed", name=name)
    return Path(spec.submodule_search_locations[0])


def _version(path: Path) -> bytes:
    """What tells two releases of a package's file apart without reading megabytes."""
    return str(path.stat().st_mtime_ns).encode()


@cache
def _read(name: str) -> _File:
    path = _paths()[name]
    content = path.read_bytes()
    mimetype = mimetypes.types_map.get(path.suffix, "application/octet-stream")
    return _File(content, gzip.compress(content, _LEVEL, mtime=0), mimetype)
